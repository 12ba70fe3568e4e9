"""Two banking days after a missed day: weekends and the euro system's holidays do not count."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.banking_days import banking_days_after, is_banking_day

DAYS = st.dates(date(2024, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("due", "second"),
    [
        (date(2026, 11, 23), date(2026, 11, 25)),  # Monday
        (date(2026, 11, 27), date(2026, 12, 1)),  # Friday
        (date(2026, 11, 28), date(2026, 12, 2)),  # Saturday: as if it were Monday
        (date(2026, 12, 23), date(2026, 12, 28)),  # Christmas; 26 December is a Saturday
        (date(2026, 12, 31), date(2027, 1, 5)),
        (date(2027, 3, 25), date(2027, 3, 31)),  # before Good Friday and Easter Monday
        (date(2027, 4, 30), date(2027, 5, 4)),  # 1 May is a Saturday
        (date(2029, 4, 30), date(2029, 5, 3)),  # 1 May is a Tuesday
    ],
)
def test_two_banking_days_after(due: date, second: date) -> None:
    assert banking_days_after(due, 2) == second


@pytest.mark.parametrize(
    "day", [date(2026, 10, 3), date(2026, 10, 31), date(2027, 5, 6), date(2026, 12, 24)]
)
def test_a_holiday_of_a_country_is_none_of_the_banks(day: date) -> None:
    assert is_banking_day(day) is (day.weekday() < 5)


@given(DAYS, st.integers(0, 30))
def test_so_many_banking_days_lie_between(day: date, count: int) -> None:
    found = banking_days_after(day, count)
    start = banking_days_after(day, 0)
    between = (start + timedelta(days=n) for n in range(1, (found - start).days + 1))
    assert is_banking_day(found)
    assert sum(map(is_banking_day, between)) == count


def test_days_are_counted_forward() -> None:
    with pytest.raises(ValueError, match="forward"):
        banking_days_after(date(2026, 11, 23), -1)
