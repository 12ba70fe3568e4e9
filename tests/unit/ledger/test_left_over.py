"""Cents that only time left open: let go within the merchant's days, asked for otherwise."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import posting as movements
from ledger.base_rate import BaseRate
from ledger.chain import chained
from ledger.left_over import LettingGo, let_go, taken_back
from ledger.money import Money
from ledger.posting import Movement, Posting, PostingKind, open_amount
from ledger.rebooking import InterestTerms
from ledger.value_order import in_value_order
from negotiation.policy import Policy
from negotiation.policy_data import policy_from_data

SINCE = date(2023, 1, 1)
TERMS = InterestTerms(SINCE, Decimal(5), (), (BaseRate(SINCE, Decimal("1.62")),))
PERCENT = Fraction(662, 100)


class Claim:
    """A claim in default since New Year 2023, posted the way of the book."""

    def __init__(self, principal: int, costs: int = 0) -> None:
        self.postings: list[Posting] = []
        zero = Money(0)
        self.add(
            movements.opening(Money(principal), Money(costs), zero),
            "open",
            SINCE - timedelta(days=1),
        )

    def add(self, moved: tuple[Movement, ...], key: str, day: date) -> None:
        self.postings += chained(
            1,
            self.postings[-1] if self.postings else None,
            moved,
            value_date=day,
            booked_at=datetime(2023, 1, 1, tzinfo=UTC),
            key=key,
            input_hash="x",
        )

    def pay(self, minor: int, day: date, key: str = "p") -> None:
        moved = in_value_order(
            self.postings,
            lambda held: movements.payment(Money(minor), open_amount(held, "EUR")),
            TERMS,
            claim_id=1,
            value_date=day,
            currency="EUR",
            key=key,
        )
        self.add(moved, key, day)

    @property
    def rest(self) -> int:
        return open_amount(self.postings, "EUR").total.minor

    def let_go(self, policy: LettingGo | None = None) -> tuple[PostingKind, int] | None:
        """What is let go now: the kind of the postings and their sum."""
        moved = let_go(self.postings, open_amount(self.postings, "EUR"), TERMS, policy or POLICY)
        kinds = {movement.kind for movement in moved}
        assert len(kinds) < 2
        return (kinds.pop(), sum(one.amount.minor for one in moved)) if moved else None


POLICY = LettingGo()


def owed(principal: int, through: date) -> int:
    """Interest in cents: so many days of 2023, each a 365th."""
    days = (through - SINCE).days + 1
    return floor(Fraction(principal * max(days, 0)) * PERCENT / 100 / 365 + Fraction(1, 2))


@given(
    st.integers(1, 5_000_00),
    st.integers(0, 9_00),
    st.integers(0, 180),
    st.integers(0, 20),
    st.integers(0, 14),
)
def test_what_was_complete_when_it_was_shown_settles_the_claim(
    principal: int, costs: int, shown_after: int, travel: int, days: int
) -> None:
    shown = SINCE + timedelta(days=shown_after)
    arrives = shown + timedelta(days=travel)
    claim = Claim(principal, costs)
    claim.pay(principal + costs + owed(principal, shown), arrives)
    grown = owed(principal, arrives) - owed(principal, shown)
    assert claim.rest == grown
    gone = claim.let_go(LettingGo(days, 0))
    allowed = owed(principal, arrives) - owed(principal, arrives - timedelta(days=days))
    if grown and grown <= allowed:
        assert gone == (PostingKind.TRANSIT_INTEREST, grown)
    else:
        assert gone is None
    assert travel > days or not grown or gone is not None


@given(st.integers(1, 5_000_00), st.integers(1, 5_000_00), st.integers(0, 360))
def test_price_and_costs_are_never_let_go(principal: int, paid: int, after: int) -> None:
    day = SINCE + timedelta(days=after)
    claim = Claim(principal, 2_50)
    claim.pay(paid, day)
    gone = claim.let_go()
    if paid < principal + 2_50:
        assert gone is None or gone[1] <= owed(principal, day)
    if gone is not None:
        assert gone[1] == claim.rest
        assert gone[1] <= owed(principal, day)
        assert gone[0] is PostingKind.TRANSIT_INTEREST or gone[1] < 1_00


@pytest.mark.parametrize(
    ("late_days", "kind"),
    [
        (7, PostingKind.TRANSIT_INTEREST),  # 1.27
        (8, None),  # 1.45 is more than a week, and more than a small rest
    ],
)
def test_the_days_are_counted_from_the_day_shown(late_days: int, kind: PostingKind | None) -> None:
    claim, shown = Claim(1000_00), date(2023, 3, 1)
    claim.pay(1000_00 + owed(1000_00, shown), shown + timedelta(days=late_days))
    gone = claim.let_go()
    assert (gone and gone[0]) is kind


def test_a_small_rest_of_interest_is_let_go_and_one_of_the_price_is_not() -> None:
    late, shown = Claim(100_00), date(2023, 3, 1)
    late.pay(100_00 + owed(100_00, shown), shown + timedelta(days=40))
    assert late.let_go() == (PostingKind.SMALL_REST, late.rest)
    assert late.let_go(LettingGo(7, late.rest)) is None
    early = Claim(100_00)
    early.pay(99_50, SINCE)
    assert early.rest == 52
    assert early.let_go() is None


def test_it_is_taken_back_with_the_payment_that_had_left_it() -> None:
    claim, shown = Claim(100_00), date(2023, 3, 1)
    claim.pay(100_00 + owed(100_00, shown), shown + timedelta(days=5))
    moved = let_go(claim.postings, open_amount(claim.postings, "EUR"), TERMS, POLICY)
    claim.add(moved, "p", shown + timedelta(days=5))
    assert claim.rest == 0
    claim.add(taken_back(claim.postings), "r", shown + timedelta(days=9))
    assert claim.rest == sum(movement.amount.minor for movement in moved)
    assert taken_back(claim.postings) == ()


def test_what_is_usual_is_said_once() -> None:
    """A policy that names nothing, the policy object and the ledger mean the same."""
    assert LettingGo.of_policy({}) == LettingGo()
    policy = Policy()
    assert (policy.transit_days, policy.small_rest_below_minor) == (7, 1_00)
    given_data = {"transit_days": 3, "small_rest_below_minor": 0}
    policy = policy_from_data(given_data)
    assert LettingGo.of_policy(given_data) == LettingGo(
        policy.transit_days, policy.small_rest_below_minor
    )
