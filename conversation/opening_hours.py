"""When people answer, and the honest time to name for an answer. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from ledger.schedule import is_holiday
from negotiation.policy import WEEKDAYS, Policy
from negotiation.policy_data import LAENDER

SEARCH_DAYS_MAX: Final = 60
"""How far ahead an open day is looked for; no weekday is a holiday so many weeks in a row."""


class NeverOpen(LookupError):
    """No day within SEARCH_DAYS_MAX is open long enough to answer on."""


@dataclass(frozen=True)
class OpeningHours:
    """Opening and closing times by day of the week (Monday is 0), at one place."""

    windows: Mapping[int, tuple[time, time]]
    zone: ZoneInfo
    land: str | None
    """Whose public holidays are closed (ISO 3166-2 without ``DE-``); None: those of all."""
    answer_within: timedelta
    """What a person needs: later than so long before closing, the next open day counts."""
    _known: dict[date, tuple[datetime, datetime] | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Days that were asked for: a list asks for the same few again and again."""

    @classmethod
    def of(cls, policy: Policy, timezone: str, land: str) -> "OpeningHours":
        """The hours that a merchant's policy names; `timezone` is an IANA name."""
        windows = {}
        for day, hours in policy.opening_hours.items():
            opens, _, closes = hours.partition("-")
            windows[WEEKDAYS.index(day)] = time.fromisoformat(opens), time.fromisoformat(closes)
        within = timedelta(minutes=policy.answer_minutes)
        return cls(windows, ZoneInfo(timezone), land if land in LAENDER else None, within)

    def on(self, day: date) -> tuple[datetime, datetime] | None:
        """When the day opens and closes (aware UTC); None where it is closed.

        A time that the clocks skip lies behind the gap, of one they show twice the first counts.
        """
        if day not in self._known:
            self._known[day] = self._reckoned(day)
        return self._known[day]

    def _reckoned(self, day: date) -> tuple[datetime, datetime] | None:
        window = self.windows.get(day.weekday())
        if window is None or is_holiday(day, self.land):
            return None
        opens, closes = (datetime.combine(day, at, self.zone).astimezone(UTC) for at in window)
        return (opens, closes) if opens < closes else None

    def open_day(self, day: date) -> date:
        """The day itself where it is open, else the next one that is.

        Raises:
            NeverOpen: none of the next SEARCH_DAYS_MAX is.
        """
        for days in range(SEARCH_DAYS_MAX):
            if self.on(day + timedelta(days=days)) is not None:
                return day + timedelta(days=days)
        raise NeverOpen(f"closed for {SEARCH_DAYS_MAX} days from {day}")


@dataclass(frozen=True)
class AnswerTime:
    """The open period in which the answer comes; both aware UTC."""

    opens: datetime
    by: datetime

    def to_args(self, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
        """As an argument of a wording, in local days and times; an open desk has no ``opens``."""
        opens, by = self.opens.astimezone(zone), self.by.astimezone(zone)
        return {
            "today": now.astimezone(zone).date().isoformat(),
            "day": by.date().isoformat(),
            "opens": opens.strftime("%H:%M") if self.opens > now else None,
            "closes": by.strftime("%H:%M"),
        }


def answer_time(now: datetime, hours: OpeningHours) -> AnswerTime:
    """The first open period that leaves enough time for an answer; `now` is aware.

    A period that has not begun always counts, however short it is.

    Raises:
        NeverOpen: there is none.
    """
    first = now.astimezone(hours.zone).date()
    for days in range(SEARCH_DAYS_MAX):
        period = hours.on(first + timedelta(days=days))
        if period is None:
            continue
        opens, closes = period
        if now <= opens or (now < closes and now <= closes - hours.answer_within):
            return AnswerTime(opens, closes)
    raise NeverOpen(f"closed for {SEARCH_DAYS_MAX} days from {first}")


def answer_by(now: datetime, hours: OpeningHours) -> datetime:
    """Until when an answer can honestly be promised (aware UTC); raises ``NeverOpen``."""
    return answer_time(now, hours).by
