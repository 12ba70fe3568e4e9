"""How soon a person is to answer, counted while the desk is open. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from conversation.handoff_urgency import Urgency, known_as
from conversation.opening_hours import SEARCH_DAYS_MAX, OpeningHours

MINUTES_MAX: Final = 60 * 24 * 30


@dataclass(frozen=True, slots=True)
class Target:
    """Within how much open time a person answers: at first, and later on."""

    first: timedelta
    next: timedelta


DEFAULTS: Final[Mapping[Urgency, Target]] = {
    Urgency.CRISIS: Target(timedelta(minutes=10), timedelta(minutes=10)),
    Urgency.URGENT: Target(timedelta(hours=1), timedelta(minutes=30)),
    Urgency.NORMAL: Target(timedelta(hours=4), timedelta(hours=2)),
}
"""Where the merchant has said nothing."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What a merchant has set by reason; all else as in `DEFAULTS`."""

    of_reason: Mapping[str, Target] = field(default_factory=dict)

    def of(self, reason: str) -> Target:
        """The target for a handoff with this main reason."""
        return self.of_reason.get(known_as(reason)) or DEFAULTS[Urgency.of(reason)]


class Awaited(StrEnum):
    """Which answer a customer waits for."""

    FIRST = "first"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Clock:
    """An answer that somebody waits for; without ``due`` the desk is never open long enough."""

    awaited: Awaited
    since: datetime
    due: datetime | None


def clock(
    target: Target,
    hours: OpeningHours,
    *,
    requested_at: datetime,
    answer_by: datetime | None,
    answered_at: datetime | None,
    asked_at: datetime | None,
) -> Clock | None:
    """The clock that runs; None while it is the customer's turn. All times are aware.

    `answer_by` is the time that could honestly be named: it stands where it is earlier.
    `answered_at` is when a person last answered, `asked_at` when the customer first wrote after.
    """
    if answered_at is None:
        due = due_after(requested_at, target.first, hours)
        known = [at for at in (due, answer_by) if at is not None]
        return Clock(Awaited.FIRST, requested_at, min(known, default=None))
    if asked_at is None:
        return None
    return Clock(Awaited.NEXT, asked_at, due_after(asked_at, target.next, hours))


def due_after(start: datetime, within: timedelta, hours: OpeningHours) -> datetime | None:
    """When so much open time has passed since `start`; None where it never does in time."""
    left, day = within, start.astimezone(hours.zone).date()
    for days in range(SEARCH_DAYS_MAX):
        period = hours.on(day + timedelta(days=days))
        if period is None or period[1] <= start:
            continue
        begins = max(period[0], start)
        if period[1] - begins >= left:
            return begins + left
        left -= period[1] - begins
    return None


def open_between(start: datetime, end: datetime, hours: OpeningHours) -> timedelta:
    """How much open time lies between two moments; zero where `end` is not after `start`."""
    total, day = timedelta(), start.astimezone(hours.zone).date()
    last = end.astimezone(hours.zone).date()
    while day <= last:
        period = hours.on(day)
        if period is not None:
            total += max(min(period[1], end) - max(period[0], start), timedelta())
        day += timedelta(days=1)
    return total


def opens_next(now: datetime, hours: OpeningHours) -> datetime | None:
    """When the desk opens; None while it is open, or where it never is."""
    day = now.astimezone(hours.zone).date()
    for days in range(SEARCH_DAYS_MAX):
        period = hours.on(day + timedelta(days=days))
        if period is None or period[1] <= now:
            continue
        return period[0] if period[0] > now else None
    return None
