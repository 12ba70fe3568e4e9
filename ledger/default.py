"""When default begins (§ 286 BGB), and the earliest day that may bear interest."""

from datetime import date, timedelta
from enum import StrEnum

from ledger.schedule import next_working_day

NOTICE_DAYS = 30


class DefaultGround(StrEnum):
    """What puts a customer in default; without one of these no interest is counted."""

    REMINDER = "reminder"
    """A reminder after the due day (§ 286 I)."""
    CALENDAR_DATE = "calendar_date"
    """A day of the calendar that the contract names (§ 286 II No. 1)."""
    NOTICED_30_DAYS = "noticed_30_days"
    """30 days after due day and invoice, where the invoice said so to a consumer (§ 286 III)."""


def last_day_to_pay(due: date, land: str | None) -> date:
    """The due day, moved off Saturdays, Sundays and the Land's holidays (§ 193 BGB)."""
    return next_working_day(due, land)


def default_earliest(
    due: date,
    land: str | None,
    *,
    ground: DefaultGround | None = None,
    received: date | None = None,
) -> date:
    """The first day that can bear default interest; the event's own day is not counted (§ 187 I).

    ``received`` is the day on which the reminder, or with a 30-day notice the invoice, reached
    the customer. A reminder before the due day has passed is none, so the due day is awaited.
    """
    last = last_day_to_pay(due, land)
    if ground is DefaultGround.NOTICED_30_DAYS:
        start = max(due, received or due)
        last = next_working_day(start + timedelta(days=NOTICE_DAYS), land)
    elif ground is DefaultGround.REMINDER and received is not None:
        last = max(last, received)
    return last + timedelta(days=1)
