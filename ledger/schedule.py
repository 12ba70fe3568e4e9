"""The days and amounts of a payment in instalments."""

import calendar
from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

import holidays

from ledger.money import Money

SATURDAY = 5


class Period(StrEnum):
    """How often an instalment falls due."""

    WEEKLY = "weekly"
    BIWEEKLY = "biweekly"
    MONTHLY = "monthly"


def add_months(day: date, months: int) -> date:
    """The same day of a later month; where it has no such day, its last one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


@lru_cache(maxsize=64)
def _holidays(land: str | None) -> holidays.HolidayBase:
    return holidays.country_holidays("DE", subdiv=land)


def is_holiday(day: date, land: str | None) -> bool:
    """Whether the day is a public holiday of the Land; without one: of the whole country."""
    return day in _holidays(land)


def next_working_day(day: date, land: str | None) -> date:
    """The day itself, or the next one that is no Saturday, Sunday or holiday of the Land.

    ``land`` is the ISO 3166-2 code without ``DE-``; without it the whole country's holidays
    count. Source: § 193 BGB.
    """
    while day.weekday() >= SATURDAY or is_holiday(day, land):
        day += timedelta(days=1)
    return day


def due_days(
    first: date, period: Period, count: int, *, shift_land: str | None = None
) -> tuple[date, ...]:
    """The due days of ``count`` instalments from ``first`` on.

    Monthly ones keep the day of the month of ``first`` (the 31st becomes the last day of a
    shorter month and is the 31st again after it). With ``shift_land`` each day moves off
    weekends and that Land's holidays by itself. Raises ``ValueError`` below one instalment.
    """
    if count < 1:
        raise ValueError("a schedule has at least one instalment")
    if period is Period.MONTHLY:
        days = [add_months(first, n) for n in range(count)]
    else:
        step = timedelta(weeks=1 if period is Period.WEEKLY else 2)
        days = [first + step * n for n in range(count)]
    if shift_land is None:
        return tuple(days)
    return tuple(next_working_day(day, shift_land) for day in days)


def amounts_by_count(owed: Money, count: int) -> tuple[Money, ...]:
    """``count`` equal amounts; the last one takes the remaining cents.

    Raises ``ValueError`` when there is less than one minor unit for each.
    """
    if count < 1 or owed.minor < count:
        raise ValueError("each instalment needs at least one minor unit")
    regular = Money(owed.minor // count, owed.currency)
    return (*[regular] * (count - 1), owed - regular * (count - 1))


def amounts_by_regular(owed: Money, regular: Money) -> tuple[Money, ...]:
    """As many amounts of ``regular`` as are needed; the last one takes what remains.

    A remainder of a few cents, fewer than there are instalments, joins the last one instead of
    becoming one of its own. Raises ``ValueError`` unless 0 < ``regular`` <= ``owed``.
    """
    if not Money.zero(owed.currency) < regular <= owed:
        raise ValueError("an instalment is more than nothing and at most what is owed")
    count, rest = divmod(owed.minor, regular.minor)
    if rest < count:
        return (*[regular] * (count - 1), regular + Money(rest, owed.currency))
    return (*[regular] * count, Money(rest, owed.currency))


def is_even(amounts: Sequence[Money]) -> bool:
    """Whether all amounts but the last are equal, and the last hides no balloon.

    The last may be smaller, or larger by the cents that do not divide.
    """
    *others, last = amounts
    if not others:
        return last.minor > 0
    regular = others[0]
    return (
        all(amount == regular for amount in others)
        and regular.minor > 0
        and 0 < last.minor <= regular.minor + len(amounts) - 1
    )
