"""The table of base rates (§ 247 BGB): half years, what is confirmed, what was added."""

from datetime import date
from decimal import Decimal

import pytest

from ledger.base_rate import (
    SHIPPED,
    BaseRate,
    BaseRateUnknown,
    NoHalfYear,
    base_rate_on,
    half_years,
    not_confirmed,
    with_added,
)


@pytest.mark.parametrize(
    ("day", "percent"),
    [
        (date(2002, 1, 1), "2.57"),
        (date(2005, 6, 30), "1.21"),
        (date(2009, 6, 30), "1.62"),
        (date(2009, 7, 1), "0.12"),
        (date(2011, 6, 30), "0.12"),
        (date(2011, 12, 31), "0.37"),
        (date(2013, 1, 1), "-0.13"),
        (date(2014, 7, 1), "-0.73"),
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
    rate = base_rate_on(day)
    assert (rate.percent, rate.confirmed) == (Decimal(percent), True)


def test_the_table_has_every_half_year_from_2002_on_and_says_where_each_is_from() -> None:
    assert [rate.since for rate in SHIPPED] == half_years(date(2002, 1, 1), SHIPPED[-1].since)
    assert all(rate.source for rate in SHIPPED)
    assert [rate.since for rate in SHIPPED if not rate.confirmed] == [date(2026, 7, 1)]


def test_a_rate_that_is_not_confirmed_never_costs_more() -> None:
    rate = base_rate_on(date(2026, 7, 1))
    assert (rate.percent, rate.confirmed) == (Decimal("1.27"), False)


def test_a_half_year_without_entry_is_not_confirmed() -> None:
    rates = with_added([BaseRate(date(2026, 7, 1), Decimal("1.52"))])
    assert base_rate_on(date(2026, 12, 31), rates).confirmed
    following = base_rate_on(date(2027, 1, 1), rates)
    assert (following.percent, following.confirmed) == (Decimal("1.52"), False)
    late = with_added([*rates, BaseRate(date(2028, 1, 1), Decimal("2.00"))])
    assert not base_rate_on(date(2027, 12, 31), late).confirmed
    assert base_rate_on(date(2028, 1, 1), late).confirmed
    assert not_confirmed(date(2026, 6, 1), date(2028, 1, 1), late) == (
        date(2027, 1, 1),
        date(2027, 7, 1),
    )


def test_of_one_half_year_the_last_entry_counts() -> None:
    rates = with_added(
        [
            BaseRate(date(2026, 7, 1), Decimal("1.52"), confirmed=False),
            BaseRate(date(2026, 7, 1), Decimal("1.50")),
        ]
    )
    assert base_rate_on(date(2026, 8, 1), rates) == BaseRate(date(2026, 7, 1), Decimal("1.50"))


def test_a_rate_begins_with_a_half_year() -> None:
    with pytest.raises(NoHalfYear):
        with_added([BaseRate(date(2026, 7, 2), Decimal("1.52"))])


def test_days_before_the_table_are_refused() -> None:
    with pytest.raises(BaseRateUnknown):
        base_rate_on(date(2001, 12, 31))
