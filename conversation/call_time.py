"""When a call is most likely welcome: in the hours that were named, or when messages usually come.

Pure; all times are the customer's place's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median_low
from zoneinfo import ZoneInfo

USUAL = (time(9), time(19))
"""When a call is welcome where nothing else is known: on workdays, not at night."""
HABIT_MESSAGES_MIN = 3
HABIT_HOURS = 1
REST_MAX = timedelta(days=7)
_DAYS_MAX = 8
_SUNDAY = 6


@dataclass(frozen=True, slots=True)
class CallTime:
    """A good time, with the code of why; ``now`` tells whether it has begun."""

    start: datetime
    end: datetime
    why: str
    now: bool


def best_call_time(
    now: datetime,
    zone: ZoneInfo,
    *,
    hours: tuple[time | None, time | None] = (None, None),
    written: Sequence[datetime] = (),
    rests_until: datetime | None = None,
) -> CallTime | None:
    """The next good time; None where contact rests for longer than a week.

    `hours` are those that the customer named, `written` the moments of their messages: around the
    middle of those, if there are enough, but never outside the usual hours.
    """
    if rests_until is not None and rests_until > now + REST_MAX:
        return None
    local = max(now, rests_until or now).astimezone(zone)
    begin, end, why = USUAL[0], USUAL[1], "usual"
    if hours[0] or hours[1]:
        begin, end, why = hours[0] or time(), hours[1] or time(23, 59), "hours"
    elif len(written) >= HABIT_MESSAGES_MIN:
        middle = median_low([one.astimezone(zone).hour for one in written])
        low, high = middle - HABIT_HOURS, middle + HABIT_HOURS
        if USUAL[0].hour <= low and high < USUAL[1].hour:
            begin, end, why = time(low), time(high), "habit"
    for days in range(_DAYS_MAX):
        day = local.date() + timedelta(days=days)
        if day.weekday() == _SUNDAY:
            continue
        start, stop = _at(day, begin, zone), _at(day, end, zone)
        if stop > local:
            begun = start <= now < stop and (rests_until is None or rests_until <= now)
            return CallTime(max(start, local), stop, why, begun)
    return None


def _at(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone)
