"""Whatever arrives in whatever order: the account is what the law makes of it, day by day.

The reckoning it is held against knows nothing of postings: it goes through the calendar one day at
a time, with rates and lengths of years of its own.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import posting as movements
from ledger import rebooking
from ledger.base_rate import BaseRate
from ledger.chain import chained, first_broken
from ledger.errors import LedgerError
from ledger.interest import Span
from ledger.itemised import asked_for, charges, credits
from ledger.money import Money, total
from ledger.posting import Account, Marking, Posting, account_balance, effective, open_amount
from ledger.rebooking import InterestTerms
from ledger.value_order import MovementsFor, in_value_order

BOOKED = datetime(2026, 11, 23, tzinfo=UTC)
START = date(2023, 11, 1)
DEFAULT = date(2023, 11, 20)
END = date(2024, 12, 31)
RATES = {(2023, 2): 312, (2024, 1): 362, (2024, 2): 337}
"""Hundredths of a percent, by half year."""
ORDERS = {
    Marking.BY_LAW: ("costs", "interest", "principal"),
    Marking.CONSUMER_LOAN: ("costs", "principal", "interest"),
    Marking.PRINCIPAL_FIRST: ("principal", "costs", "interest"),
    Marking.INTEREST_FIRST: ("interest", "costs", "principal"),
}


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def terms(rates: dict[tuple[int, int], int], stopped: tuple[Span, ...] = ()) -> InterestTerms:
    table = tuple(
        BaseRate(date(year, 1 if half == 1 else 7, 1), Decimal(percent) / 100)
        for (year, half), percent in rates.items()
    )
    return InterestTerms(DEFAULT, Decimal(5), stopped, table)


@dataclass
class Step:
    """Something that happened; ``target`` is the number of the step that it undoes."""

    kind: str
    minor: int
    day: date
    marking: Marking = Marking.BY_LAW
    target: int | None = None


@dataclass
class HandAccount:
    """The account of a claim as somebody would keep it by hand."""

    costs: int
    interest: int
    principal: int
    overpaid: int = 0
    taken: dict[int, list[tuple[str, int]]] = field(default_factory=dict)

    def take(self, step: int, minor: int, order: tuple[str, ...], rest: bool) -> None:
        parts = self.taken.setdefault(step, [])
        for name in order:
            part = min(minor, getattr(self, name))
            if part:
                setattr(self, name, getattr(self, name) - part)
                parts.append((name, part))
                minor -= part
        if rest and minor:
            self.overpaid += minor
            parts.append(("overpaid", minor))

    def give_back(self, step: int, minor: int | None) -> None:
        left: list[tuple[str, int]] = []
        for name, part in reversed(self.taken[step]):
            back = part if minor is None else min(part, minor)
            minor = None if minor is None else minor - back
            if name == "overpaid":
                self.overpaid -= back
            else:
                setattr(self, name, getattr(self, name) + back)
            if part - back:
                left.insert(0, (name, part - back))
        self.taken[step] = left

    def even_out(self) -> None:
        for name in ("costs", "interest", "principal"):
            if getattr(self, name) < 0:
                self.overpaid -= getattr(self, name)
                setattr(self, name, 0)
        if self.overpaid < 0:
            self.principal -= self.overpaid
            self.overpaid = 0
        for name in ("costs", "interest", "principal"):
            part = min(getattr(self, name), self.overpaid)
            setattr(self, name, getattr(self, name) - part)
            self.overpaid -= part


def by_hand(
    principal: int,
    costs: int,
    opened: int,
    steps: list[tuple[int, Step]],
    rates: dict[tuple[int, int], int],
    stopped: tuple[Span, ...],
) -> HandAccount:
    """One day after the other: interest of the day, then what happened on it."""
    account = HandAccount(costs, opened, principal)
    exact, charged = Fraction(0), 0
    day = START
    while day <= END:
        rests = any(span.first <= day <= span.last for span in stopped)
        if day >= DEFAULT and not rests and account.principal > 0:
            percent = Fraction(rates[day.year, 1 if day.month <= 6 else 2] + 500, 100)
            exact += account.principal * percent / 100 / (366 if day.year == 2024 else 365)
        due = max(0, floor(exact + Fraction(1, 2)) - opened) - charged
        today = [(number, step) for number, step in steps if step.day == day]
        if today or day == END:
            account.interest += due
            charged += due
        for number, step in today:
            apply(account, number, step)
            account.even_out()
        day += timedelta(days=1)
    account.even_out()
    return account


def apply(account: HandAccount, number: int, step: Step) -> None:
    if step.kind == "payment":
        account.take(number, step.minor, ORDERS[step.marking], rest=True)
    elif step.kind == "credit_note":
        account.take(number, step.minor, ("principal", "costs", "interest"), rest=True)
    elif step.kind == "waiver":
        account.take(number, step.minor, ("interest", "costs", "principal"), rest=False)
    elif step.target is not None:
        account.give_back(step.target, step.minor if step.kind == "return" else None)


def movements_of(step: Step, key_of: str) -> MovementsFor:
    amount = eur(step.minor)

    def made(postings: object) -> object:
        held: list[Posting] = list(postings)  # type: ignore[call-overload]
        open_ = open_amount(held, "EUR")
        standing = effective(held)
        undone = movements.undone_amounts(standing)
        if step.kind == "payment":
            return movements.payment(amount, open_, step.marking)
        if step.kind == "credit_note":
            return movements.credit_note(amount, open_)
        if step.kind == "waiver":
            return movements.waiver(amount, open_)
        paid = rebooking.made_by(key_of, held)
        if step.kind == "return":
            return movements.returned_payment(amount, paid, undone)
        if not paid or any(posting.number in undone for posting in paid):
            raise LedgerError("nothing to undo")
        return movements.reversal(paid)

    return made  # type: ignore[return-value]


class Ledger:
    """A claim's chain, posted the way of the book."""

    def __init__(self, principal: int, costs: int, interest: int) -> None:
        opening = movements.opening(eur(principal), eur(costs), eur(interest))
        self.postings: list[Posting] = []
        self.append(opening, "open", START)

    def append(self, moved: object, key: str, day: date) -> None:
        last = self.postings[-1] if self.postings else None
        self.postings += chained(
            7,
            last,
            moved,  # type: ignore[arg-type]
            value_date=day,
            booked_at=BOOKED,
            key=key,
            input_hash="x",
        )

    def run(
        self, make: MovementsFor, held: InterestTerms, key: str, day: date, **how: bool
    ) -> date:
        """Post a command; return the day on which it takes effect."""
        number = len(self.postings)
        moved = in_value_order(
            self.postings, make, held, claim_id=7, value_date=day, currency="EUR", key=key, **how
        )
        self.append(moved, key, day)
        own = [
            posting.value_date
            for posting in self.postings[number:]
            if posting.kind not in rebooking.DERIVED and posting.rebooks is None
        ]
        return own[0] if own else day


days = st.dates(START, END - timedelta(days=1))
plain = st.builds(
    Step,
    st.sampled_from(["payment", "payment", "payment", "credit_note", "waiver"]),
    st.integers(1, 400_00),
    days,
    st.sampled_from([*ORDERS]),
)
undoing = st.builds(
    lambda kind, minor, day, target: Step(kind, minor, day, target=target),
    st.sampled_from(["return", "reversal"]),
    st.integers(1, 200_00),
    days,
    st.integers(0, 5),
)
spans = st.lists(
    st.builds(
        lambda day, length: Span(day, day + timedelta(days=length)), days, st.integers(0, 60)
    ),
    max_size=2,
).map(tuple)


@settings(max_examples=300)
@given(
    st.integers(1, 900_00),
    st.integers(0, 20_00),
    st.integers(0, 20_00),
    st.lists(plain | undoing, max_size=8),
    spans,
    st.none() | st.integers(-88, 500),
)
def test_the_account_is_what_the_law_makes_of_it_day_by_day(
    principal: int,
    costs: int,
    opened: int,
    wanted: list[Step],
    stopped: tuple[Span, ...],
    corrected: int | None,
) -> None:
    """Any order of arrival; at last a base rate turns out to have been another one."""
    ledger = Ledger(principal, costs, opened)
    held = terms(RATES, stopped)
    done: list[tuple[int, Step]] = []
    for number, step in enumerate(wanted):
        if step.target is not None:
            target = next((one for at, one in done if at == step.target), None)
            if target is None or target.target is not None:
                continue
            if step.kind == "return" and target.kind != "payment":
                continue
        try:
            day = ledger.run(
                movements_of(step, f"c{step.target}"),
                held,
                f"c{number}",
                step.day,
                undoes=step.target is not None,
            )
        except LedgerError:
            continue
        done.append((number, replace(step, day=day)))
        assert_sound(ledger.postings)
    rates = dict(RATES)
    if corrected is not None:
        rates[2024, 1] = corrected
    held = terms(rates, stopped)
    ledger.run(lambda postings: (), held, "end", END, charges_only=True)
    assert_sound(ledger.postings)
    open_ = open_amount(ledger.postings, "EUR")
    # Stable: of one day what arrived first comes first.
    by_day = sorted(done, key=lambda one: one[1].day)
    expected = by_hand(principal, costs, opened, by_day, rates, stopped)
    assert (
        open_.costs.minor,
        open_.interest.minor,
        open_.principal.minor,
        open_.overpaid.minor,
    ) == (expected.costs, expected.interest, expected.principal, expected.overpaid)
    count = len(ledger.postings)
    ledger.run(lambda postings: (), held, "again", END, charges_only=True)
    assert len(ledger.postings) == count


def assert_sound(postings: list[Posting]) -> None:
    """The books add up, nothing is negative or on both sides, and the chain verifies."""
    assert sum(account_balance(postings, account, "EUR").minor for account in Account) == 0
    open_ = open_amount(postings, "EUR")
    assert min(open_.costs, open_.interest, open_.principal, open_.overpaid) >= eur(0)
    assert not (open_.total and open_.overpaid)
    assert first_broken(7, postings) is None
    assert_items_add_up(postings)


def assert_items_add_up(postings: list[Posting]) -> None:
    """What was asked for less what was set off is what is open, part by part."""
    open_, asked, taken = open_amount(postings, "EUR"), charges(postings), credits(postings, "EUR")
    for part, left in (
        (Account.COSTS, open_.costs),
        (Account.INTEREST, open_.interest),
        (Account.PRINCIPAL, open_.principal),
    ):
        set_off = [getattr(one.parts, part.value.partition(":")[2]) for one in taken]
        assert asked_for(asked, part, "EUR") - total(set_off, "EUR") == left
    assert total((one.parts.overpaid for one in taken), "EUR") == open_.overpaid


def test_a_payment_with_an_earlier_value_date_is_booked_in_its_place() -> None:
    """1,000.00 bear 8.62 % in 2024: the later payment of 500.00 is allocated anew."""
    ledger = Ledger(1000_00, 0, 0)
    held = InterestTerms(date(2024, 1, 1), Decimal(5), (), terms(RATES).rates)

    def pay(minor: int, day: date, key: str) -> None:
        step = Step("payment", minor, day)
        ledger.run(movements_of(step, ""), held, key, day)

    pay(500_00, date(2024, 3, 31), "p1")
    # 91 days
    assert open_amount(ledger.postings, "EUR").principal == eur(1000_00 + 21_43 - 500_00)
    before = list(ledger.postings)
    pay(400_00, date(2024, 1, 31), "p2")
    assert ledger.postings[: len(before)] == before
    open_ = open_amount(ledger.postings, "EUR")
    # 31 days on 1,000.00 make 7.30; 60 on the 607.30 that remain, 8.58 more.
    assert open_.principal == eur(1000_00 + 7_30 - 400_00 + 8_58 - 500_00)
    assert open_.interest == eur(0)
    kinds = [posting.kind.value for posting in ledger.postings[len(before) :]]
    assert kinds == [
        *["rebooking"] * 3,
        "interest",
        "payment",
        "payment",
        "interest",
        "payment",
        "payment",
    ]
    assert [
        (one.day, one.amount, one.parts.interest) for one in credits(ledger.postings, "EUR")
    ] == [
        (date(2024, 1, 31), eur(400_00), eur(7_30)),
        (date(2024, 3, 31), eur(500_00), eur(8_58)),
    ]
