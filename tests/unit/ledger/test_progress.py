"""Money fills instalments in order; what is owed less shrinks a plan from its end."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.agreements import (
    AgreementTerms,
    Deferral,
    DownPayment,
    InstalmentPlan,
    Promise,
    Settlement,
    plan_by_count,
)
from ledger.chain import chained
from ledger.money import Money
from ledger.posting import (
    Posting,
    credit_note,
    interest_charge,
    open_amount,
    opening,
    payment,
    returned_payment,
    waiver,
)
from ledger.progress import Paid, PartState, money_since, progress
from ledger.repricing import repriced, unpriced

FIRST = date(2026, 12, 1)
PLAN = plan_by_count(Money(120_00), 3, first=FIRST)
AMOUNTS = st.integers(0, 150_00)


def paid(*steps: tuple[int, date]) -> tuple[Paid, ...]:
    """Sums after each payment, by value date."""
    return tuple(
        Paid(Money(minor), day, datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
        for minor, day in steps
    )


def states(terms: AgreementTerms, payments: tuple[Paid, ...], today: date) -> list[PartState]:
    return [part.state(today) for part in progress(terms, payments)]


def test_each_instalment_says_how_it_stands() -> None:
    payments = paid((40_00, FIRST), (95_00, FIRST + timedelta(days=3)))
    assert states(PLAN, payments, date(2026, 12, 20)) == [
        PartState.PAID, PartState.PAID_EARLY, PartState.PARTLY_PAID,
    ]  # fmt: skip
    assert states(PLAN, payments, date(2027, 2, 2))[2] is PartState.LATE
    assert states(PLAN, (), FIRST) == [PartState.TO_PAY] * 3


def test_a_payment_that_came_back_and_came_again_counts_by_the_second_day() -> None:
    first = progress(PLAN, paid((40_00, FIRST), (0, FIRST), (40_00, date(2026, 12, 9))))[0]
    assert first.paid_on == date(2026, 12, 9)
    assert progress(PLAN, paid((40_00, FIRST), (0, FIRST)))[0].paid_on is None


def test_money_counts_and_nothing_else() -> None:
    postings: list[Posting] = []

    def post(movements: object, key: str) -> None:
        postings.extend(
            chained(
                7, postings[-1] if postings else None, movements,  # type: ignore[arg-type]
                value_date=FIRST, booked_at=datetime(2026, 12, 1, tzinfo=UTC), key=key,
                input_hash=key, position=1,
            )
        )  # fmt: skip

    post(opening(Money(120_00), Money(0), Money(0)), "o")
    post(payment(Money(10_00), open_amount(postings, "EUR")), "before")
    begin = postings[-1].number
    post(payment(Money(20_00), open_amount(postings, "EUR")), "p")
    post(credit_note(Money(5_00), open_amount(postings, "EUR")), "c")
    post(waiver(Money(3_00), open_amount(postings, "EUR")), "w")
    post(interest_charge(Money(1_00)), "i")
    assert [each.sum for each in money_since(postings, begin, "EUR")] == [Money(20_00)]
    of_p = [posting for posting in postings if posting.command_key == "p"]
    post(returned_payment(Money(8_00), of_p, {}), "r")
    assert money_since(postings, begin, "EUR")[-1].sum == Money(12_00)


@given(AMOUNTS)
def test_all_that_is_paid_is_spread_in_order(minor: int) -> None:
    parts = progress(PLAN, paid((minor, FIRST)) if minor else ())
    assert sum(part.paid.minor for part in parts) == min(minor, 120_00)
    complete = [not part.missing for part in parts]
    assert complete == sorted(complete, reverse=True)


@given(st.integers(3, 10**6), st.integers(1, 3), st.integers(-100, 2 * 10**6))
def test_progress_spreads_what_was_paid_in_order(minor: int, count: int, sum_minor: int) -> None:
    plan = plan_by_count(Money(minor), count, first=FIRST)
    parts = progress(plan, paid((sum_minor, FIRST)))
    assert sum(part.paid.minor for part in parts) == min(max(sum_minor, 0), minor)
    for before, after in pairwise(parts):
        assert not (before.missing and after.paid)


def test_overdue_from_the_day_after() -> None:
    (part,) = progress(Promise(Money(5), FIRST), paid((4, FIRST)))
    assert not part.overdue(FIRST)
    assert part.overdue(FIRST + timedelta(days=1))


def test_a_plan_shrinks_from_its_end() -> None:
    parts = progress(PLAN, paid((40_00, FIRST)))
    smaller = repriced(PLAN, parts, Money(50_00))
    assert isinstance(smaller, InstalmentPlan)
    assert [part.amount for part in smaller.instalments] == [Money(40_00), Money(30_00)]
    assert [part.due for part in smaller.instalments] == [part.due for part in PLAN.instalments[:2]]


def test_a_plan_with_a_down_payment_may_shrink_to_it() -> None:
    down = DownPayment(Money(20_00), date(2026, 11, 25))
    plan = plan_by_count(Money(60_00), 2, first=FIRST, down=down)
    left = repriced(plan, progress(plan, ()), Money(45_00))
    assert isinstance(left, InstalmentPlan)
    assert (left.total, left.starts_apart, left.first) == (Money(15_00), False, down.due)


@given(AMOUNTS, st.integers(-50_00, 119_99))
def test_what_is_asked_for_is_what_is_open(minor: int, less: int) -> None:
    parts = progress(PLAN, paid((minor, FIRST)) if minor else ())
    left = Money(120_00 - min(minor, 120_00) - less)
    if left.minor <= 0:
        return
    assert unpriced(PLAN, parts, left) == Money(less)
    after = repriced(PLAN, parts, Money(less))
    assert after is not None
    assert after.total == PLAN.total - Money(less)
    for old, new in zip(parts, after.instalments, strict=False):
        assert new.amount >= old.paid


@pytest.mark.parametrize("terms", [Promise(Money(90_00), FIRST), Deferral(Money(90_00), FIRST)])
def test_a_single_day_asks_for_less(terms: Promise | Deferral) -> None:
    assert repriced(terms, progress(terms, ()), Money(30_00)) == replace(terms, amount=Money(60_00))


def test_a_settlement_keeps_what_is_let_go() -> None:
    terms = Settlement(Money(80_00), Money(20_00), FIRST)
    assert unpriced(terms, progress(terms, ()), Money(70_00)) == Money(30_00)
    assert repriced(terms, progress(terms, ()), Money(30_00)) == replace(terms, amount=Money(50_00))
    assert repriced(terms, progress(terms, ()), Money(80_00)) is None
