"""Days and amounts of instalments."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.agreements import (
    Deferral,
    DownPayment,
    InstalmentPlan,
    Promise,
    Settlement,
    plan_by_amount,
    plan_by_count,
    terms_from_data,
    terms_to_data,
)
from ledger.money import Money, total
from ledger.schedule import (
    Period,
    add_months,
    amounts_by_count,
    amounts_by_regular,
    due_days,
    is_even,
    next_working_day,
)

first_days = st.dates(date(2024, 1, 1), date(2030, 12, 31))


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def test_month_ends_come_back() -> None:
    assert due_days(date(2027, 1, 31), Period.MONTHLY, 4) == (
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
        date(2027, 4, 30),
    )


def test_leap_day() -> None:
    assert add_months(date(2027, 12, 31), 2) == date(2028, 2, 29)


def test_weeks() -> None:
    assert due_days(date(2026, 12, 28), Period.WEEKLY, 2)[1] == date(2027, 1, 4)
    assert due_days(date(2026, 12, 28), Period.BIWEEKLY, 2)[1] == date(2027, 1, 11)


def test_days_move_off_weekends_and_holidays_only_where_stated() -> None:
    christmas = date(2026, 12, 25)
    assert due_days(christmas, Period.MONTHLY, 1) == (christmas,)
    # 25 and 26 December are holidays, the 26th a Saturday, the 27th a Sunday.
    assert due_days(christmas, Period.MONTHLY, 2, shift_land="BE") == (
        date(2026, 12, 28),
        date(2027, 1, 25),
    )


def test_holidays_are_those_of_the_land() -> None:
    epiphany = date(2027, 1, 6)
    assert next_working_day(epiphany, "BE") == epiphany
    assert next_working_day(epiphany, "BY") == date(2027, 1, 7)


@given(first_days, st.sampled_from(Period), st.integers(1, 120))
def test_due_days_rise_and_months_are_not_skipped(first: date, period: Period, count: int) -> None:
    days = due_days(first, period, count)
    assert days[0] == first
    assert list(days) == sorted(set(days))
    if period is Period.MONTHLY:
        months = [day.year * 12 + day.month for day in days]
        assert months == list(range(months[0], months[0] + count))


@given(st.integers(1, 10**9), st.integers(1, 200))
def test_equal_amounts_add_up(minor: int, count: int) -> None:
    if minor < count:
        with pytest.raises(ValueError, match="at least one minor unit"):
            amounts_by_count(eur(minor), count)
        return
    amounts = amounts_by_count(eur(minor), count)
    assert len(amounts) == count
    assert total(amounts, "EUR") == eur(minor)
    assert is_even(amounts)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_regular_amounts_add_up(minor: int, regular: int) -> None:
    if regular > minor:
        with pytest.raises(ValueError, match="at most what is owed"):
            amounts_by_regular(eur(minor), eur(regular))
        return
    if minor // regular > 2_000:
        return
    amounts = amounts_by_regular(eur(minor), eur(regular))
    assert total(amounts, "EUR") == eur(minor)
    assert is_even(amounts)
    assert all(amount == eur(regular) for amount in amounts[:-1])


def test_an_instalment_is_more_than_nothing() -> None:
    with pytest.raises(ValueError, match="more than nothing"):
        amounts_by_regular(eur(100), eur(0))
    assert not is_even([eur(50), eur(50), eur(0)])
    assert not is_even([eur(0)])
    assert not is_even([eur(50), eur(40), eur(50)])
    assert is_even([eur(33), eur(33), eur(35)])
    assert not is_even([eur(33), eur(33), eur(36)])


@given(st.integers(100, 10**8), st.integers(1, 60), first_days, st.sampled_from(Period))
def test_plans_keep_total_and_numbers(minor: int, count: int, first: date, period: Period) -> None:
    plan = plan_by_count(eur(minor), count, first=first, period=period, charge=eur(7))
    assert plan.total == eur(minor + 7)
    assert [part.number for part in plan.instalments] == list(range(1, count + 1))
    assert terms_from_data(terms_to_data(plan)) == plan


@given(st.integers(200, 10**6), st.integers(1, 60), st.integers(1, 100), first_days)
def test_a_down_payment_stands_before_the_regular_instalments(
    minor: int, count: int, down: int, first: date
) -> None:
    paid = DownPayment(eur(down), first - timedelta(days=3))
    plan = plan_by_count(eur(minor), count, first=first, down=paid)
    assert plan.total == eur(minor)
    assert plan.down_payment == paid
    assert len(plan.regulars) == count
    assert plan.regular == plan.instalments[1].amount
    assert terms_from_data(terms_to_data(plan)) == plan


def test_plans_from_before_there_were_down_payments_can_be_read() -> None:
    plan = plan_by_count(eur(100), 2, first=date(2026, 12, 1))
    data = terms_to_data(plan)
    del data["starts_apart"]
    assert terms_from_data(data) == plan


@pytest.mark.parametrize(
    "terms",
    [
        Promise(eur(5), date(2026, 12, 1)),
        Deferral(eur(5), date(2026, 12, 1)),
        Settlement(eur(5), eur(1), date(2026, 12, 1)),
        plan_by_amount(eur(100), eur(30), first=date(2026, 12, 1), shift_land="BE"),
    ],
)
def test_terms_survive_storage(terms: Promise | Deferral | Settlement | InstalmentPlan) -> None:
    assert terms_from_data(terms_to_data(terms)) == terms
