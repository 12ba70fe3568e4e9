"""Interest that is still to come is what the account shows once everything was paid to the day."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ledger import posting as movements
from ledger import rebooking
from ledger.agreements import Deferral, InstalmentPlan, Promise, Settlement, plan_by_count
from ledger.chain import chained, input_hash
from ledger.interest import Span
from ledger.interest_ahead import interest_ahead
from ledger.money import Money
from ledger.posting import Movement, Posting, open_amount
from ledger.rebooking import InterestTerms

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
TODAY = date(2026, 3, 1)
SINCE = date(2025, 11, 20)
TERMS = InterestTerms(SINCE, Decimal(5))


def post(postings: list[Posting], made: tuple[Movement, ...], day: date) -> None:
    key, last = f"c{len(postings)}", postings[-1] if postings else None
    postings += chained(
        7, last, made, value_date=day, booked_at=NOW, key=key, input_hash=input_hash(key)
    )


def charge(postings: list[Posting], day: date) -> Money:
    """Charge what has accrued, as every command does first."""
    due = rebooking.interest_due(postings, TERMS, day, "EUR")
    if due.minor > 0:
        post(postings, movements.interest_charge(due), day)
    return due


def opened(principal: int = 1000_00, costs: int = 5_00, interest: int = 0) -> list[Posting]:
    postings: list[Posting] = []
    made = movements.opening(Money(principal), Money(costs), Money(interest))
    post(postings, made, date(2025, 11, 1))
    charge(postings, TODAY)
    return postings


def one_rate(day: date) -> InstalmentPlan:
    """A plan of one rate that does not stop interest."""
    return plan_by_count(Money(1022_52), 1, first=day, stops_interest=False)


def ahead(postings: list[Posting], agreed: object, terms: InterestTerms = TERMS) -> Money:
    owed = open_amount(postings, "EUR")
    return interest_ahead(postings, owed, terms, agreed, TODAY)  # type: ignore[arg-type]


@given(
    st.integers(1_00, 9000_00),
    st.integers(0, 40_00),
    st.integers(0, 200_00),
    st.integers(1, 12),
    st.integers(1, 60),
)
def test_it_is_what_the_account_shows_afterwards(
    principal: int, costs: int, interest: int, count: int, days: int
) -> None:
    postings = opened(principal, costs, interest)
    owed = open_amount(postings, "EUR").total
    first = TODAY + timedelta(days=days)
    plan = plan_by_count(owed, min(count, owed.minor), first=first, stops_interest=False)
    told = ahead(postings, plan)
    added = Money(0)
    for part in plan.instalments:
        added += charge(postings, part.due)
        post(postings, movements.payment(part.amount, open_amount(postings, "EUR")), part.due)
    assert told == added


def test_thirty_days_on_a_thousand() -> None:
    """1,000.00 at 1.27 + 5 percent: 22.68 for 132 days, less 17.52 for the 102 until today."""
    assert ahead(opened(), one_rate(TODAY + timedelta(days=30))) == Money(5_16)


def test_nothing_comes_where_it_is_stopped_let_go_or_never_ran() -> None:
    postings, until = opened(), TODAY + timedelta(days=30)
    everything = Money(1000_00)
    assert not ahead(postings, Deferral(everything, until))
    assert not ahead(postings, Settlement(everything, Money(10_00), until))
    assert not ahead(postings, plan_by_count(everything, 3, first=until))
    assert not ahead(postings, Promise(everything, until))
    assert not ahead(postings, one_rate(until), rebooking.NO_INTEREST)


def test_a_deferral_that_is_replaced_stops_nothing_any_more() -> None:
    until = TODAY + timedelta(days=30)
    deferred = InterestTerms(SINCE, Decimal(5), (Span(TODAY, until),))
    postings = opened()
    # Today stays free: 22.50 for 131 days, less 17.35 for 101.
    assert ahead(postings, one_rate(until), deferred) == Money(5_15)
