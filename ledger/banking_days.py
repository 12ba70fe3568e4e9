"""Banking days: the days on which a transfer can arrive (TARGET2, the euro system's calendar)."""

from datetime import date, timedelta
from functools import cache

import holidays

from ledger.schedule import SATURDAY


@cache
def _closed() -> holidays.HolidayBase:
    """1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December (ECB/2000/13)."""
    return holidays.financial_holidays("ECB")


def is_banking_day(day: date) -> bool:
    """Whether money moves between banks on that day."""
    return day.weekday() < SATURDAY and day not in _closed()


def next_banking_day(day: date) -> date:
    """The day itself, or the next banking day after it."""
    while not is_banking_day(day):
        day += timedelta(days=1)
    return day


def banking_days_after(day: date, count: int) -> date:
    """The ``count``-th banking day after ``day``.

    A day on which no money moves counts as the next banking day (§ 193 BGB): what was due on a
    Saturday can be ordered on Monday. Raises ``ValueError`` for a negative count.
    """
    if count < 0:
        raise ValueError("days are counted forward")
    day = next_banking_day(day)
    for _ in range(count):
        day = next_banking_day(day + timedelta(days=1))
    return day
