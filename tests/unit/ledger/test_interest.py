"""Default interest against a slow reckoning, one day at a time."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.interest import (
    BASE_RATES,
    BaseRateUnknown,
    PrincipalChange,
    Span,
    base_rate_on,
    default_interest,
)
from ledger.money import Money


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def opened(minor: int, day: date = date(2020, 1, 1)) -> PrincipalChange:
    return PrincipalChange(day, eur(minor))


def test_no_interest_without_default() -> None:
    interest = default_interest(
        [opened(1000_00)], default_since=None, through=date(2026, 1, 1), business=False
    )
    assert interest.amount == eur(0)


@pytest.mark.parametrize(
    ("business", "minor"),
    # 1,000.00 for the 181 days of the first half of 2026 at 6.27 % and at 10.27 %
    [(False, 31_09), (True, 50_93)],
)
def test_half_a_year(business: bool, minor: int) -> None:
    interest = default_interest(
        [opened(1000_00)],
        default_since=date(2026, 1, 1),
        through=date(2026, 6, 30),
        business=business,
    )
    assert interest.amount == eur(minor)
    assert interest.confirmed


@pytest.mark.parametrize(
    ("day", "percent"),
    [
        (date(2015, 1, 1), "-0.83"),
        (date(2016, 6, 30), "-0.83"),
        (date(2022, 12, 31), "-0.88"),
        (date(2023, 1, 1), "1.62"),
        (date(2023, 12, 31), "3.12"),
        (date(2024, 1, 1), "3.62"),
        (date(2024, 7, 1), "3.37"),
        (date(2025, 6, 30), "2.27"),
        (date(2026, 6, 30), "1.27"),
    ],
)
def test_base_rates(day: date, percent: str) -> None:
    assert base_rate_on(day).percent == Decimal(percent)


def test_a_rate_that_is_not_confirmed_never_costs_more() -> None:
    rate = base_rate_on(date(2026, 7, 1))
    assert rate.percent == Decimal("1.27")
    assert not rate.confirmed
    interest = default_interest(
        [opened(1000_00)],
        default_since=date(2026, 6, 30),
        through=date(2026, 7, 1),
        business=False,
    )
    assert not interest.confirmed


def test_days_before_the_table_are_refused() -> None:
    with pytest.raises(BaseRateUnknown):
        base_rate_on(date(2014, 12, 31))


def test_deferral_stops_interest_and_its_end_lets_it_go_on() -> None:
    days = {"default_since": date(2026, 1, 1), "through": date(2026, 3, 31)}
    deferred = default_interest(
        [opened(1000_00)],
        business=False,
        stopped=[Span(date(2026, 2, 1), date(2026, 2, 28))],
        **days,  # type: ignore[arg-type]
    )
    assert [(part.first, part.last) for part in deferred.segments] == [
        (date(2026, 1, 1), date(2026, 1, 31)),
        (date(2026, 3, 1), date(2026, 3, 31)),
    ]
    assert deferred.amount == eur(10_65)


def slow(
    changes: list[PrincipalChange],
    since: date,
    through: date,
    business: bool,
    stopped: list[Span],
) -> Money:
    exact = Fraction(0)
    day = since
    while day <= through:
        principal = sum(change.amount.minor for change in changes if change.day < day)
        rest = any(span.first <= day <= span.last for span in stopped)
        known = [rate for rate in BASE_RATES if rate.since <= day]
        rate = known[-1].percent
        if not known[-1].confirmed:
            rate = min(rate, known[-2].percent)
        if principal > 0 and not rest:
            exact += principal * Fraction(rate + (9 if business else 5)) / 36500
        day += timedelta(days=1)
    return eur(floor(exact + Fraction(1, 2)))


near = st.dates(date(2022, 6, 1), date(2026, 12, 31))


@given(
    st.lists(st.builds(PrincipalChange, near, st.integers(-900_00, 900_00).map(eur)), max_size=5),
    near,
    st.integers(0, 900),
    st.booleans(),
    st.lists(
        st.builds(
            lambda day, days: Span(day, day + timedelta(days=days)), near, st.integers(0, 90)
        ),
        max_size=3,
    ),
)
def test_same_as_one_day_at_a_time(
    changes: list[PrincipalChange],
    since: date,
    days: int,
    business: bool,
    stopped: list[Span],
) -> None:
    changes = [opened(1000_00), *changes]
    through = since + timedelta(days=days)
    fast = default_interest(
        changes, default_since=since, through=through, business=business, stopped=stopped
    )
    assert fast.amount == slow(changes, since, through, business, stopped)


@given(st.integers(1, 10**8), st.integers(0, 365))
def test_no_interest_on_interest(minor: int, days: int) -> None:
    """Twice the time at one rate is twice the interest, but for rounding."""
    since = date(2025, 7, 1)
    middle = since + timedelta(days=days // 2)
    whole = default_interest(
        [opened(minor)], default_since=since, through=since + timedelta(days=days), business=False
    )
    first = default_interest([opened(minor)], default_since=since, through=middle, business=False)
    second = default_interest(
        [opened(minor)],
        default_since=middle + timedelta(days=1),
        through=since + timedelta(days=days),
        business=False,
    )
    assert abs(whole.amount.minor - first.amount.minor - second.amount.minor) <= 1
