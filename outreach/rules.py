"""Contact rules: at which times, and how often, a customer may be written to first.

Pure. The rules themselves are data (``contact_rules.toml``, one table per country); a merchant
can tighten them. They bind outreach messages only: an answer to a customer goes out at any time.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

SEARCH_DAYS_MAX: Final = 60
"""How far ahead a permitted moment is looked for; no country has that many rest days in a row."""

WEEK: Final = timedelta(days=7)


class InvalidContactRules(ValueError):
    """The rules are incomplete or contradict themselves."""


class UnknownCountry(LookupError):
    """No contact rules are written down for this country."""


class UnknownTimezone(ValueError):
    """The name is not one of the IANA time zone database."""


class WaitReason(StrEnum):
    """Why a customer may not be written to at a moment."""

    QUIET_HOURS = "quiet_hours"
    REST_DAY = "rest_day"
    PUBLIC_HOLIDAY = "public_holiday"
    SPACING = "spacing"
    WEEK_FULL = "week_full"


@dataclass(frozen=True)
class Allowed:
    """The customer may be written to now."""


@dataclass(frozen=True)
class NotBefore:
    """The customer may be written to at ``at`` (aware UTC) at the earliest."""

    at: datetime
    reason: WaitReason


@dataclass(frozen=True)
class Window:
    """The part of a local day in which writing is permitted; the end is exclusive."""

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.opens >= self.closes:
            raise InvalidContactRules(f"a window must open before it closes: {self}")

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """Read ``"09:00-20:00"``; an empty text is no window at all.

        Raises:
            InvalidContactRules: for any other text.
        """
        if not isinstance(text, str):
            raise InvalidContactRules(f"not a time window: {text!r}")
        if not text:
            return None
        opens, dash, closes = text.partition("-")
        try:
            if not dash:
                raise ValueError(text)
            return cls(time.fromisoformat(opens.strip()), time.fromisoformat(closes.strip()))
        except ValueError as error:
            raise InvalidContactRules(f"not a time window: {text!r}") from error

    def overlap(self, other: Self) -> Self | None:
        """The time that lies in both windows."""
        opens, closes = max(self.opens, other.opens), min(self.closes, other.closes)
        return type(self)(opens, closes) if opens < closes else None


@dataclass(frozen=True)
class ContactRules:
    """When and how often customers of a country (or of one merchant) may be written to first."""

    country: str
    """ISO 3166-1 alpha-2; decides whose public holidays count."""
    weekday: Window | None
    saturday: Window | None
    sunday: Window | None
    holidays: frozenset[str]
    """Categories of the ``holidays`` library on which nothing goes out."""
    spacing_hours_min: int
    per_week_max: int

    def __post_init__(self) -> None:
        if not (self.weekday or self.saturday or self.sunday):
            raise InvalidContactRules("no day of the week is open")
        if self.spacing_hours_min < 0 or self.per_week_max < 1:
            raise InvalidContactRules("spacing must not be negative, per_week_max at least 1")

    @classmethod
    def from_data(cls, country: str, data: Mapping[str, Any]) -> Self:
        """Read the table of one country.

        Raises:
            InvalidContactRules: a value is missing, unknown or contradicts another.
        """
        _refuse_unknown_keys(data)
        try:
            return cls(
                country=country,
                weekday=Window.from_text(data["weekday"]),
                saturday=Window.from_text(data["saturday"]),
                sunday=Window.from_text(data["sunday"]),
                holidays=_names(data["holidays"]),
                spacing_hours_min=_whole(data["spacing_hours_min"]),
                per_week_max=_whole(data["per_week_max"]),
            )
        except KeyError as error:
            raise InvalidContactRules(f"{country}: {error.args[0]} is missing") from error

    def tightened_by(self, own: Mapping[str, Any]) -> Self:
        """These rules and a merchant's own: of each value the one that protects the customer more.

        ``own`` has the keys of a country's table, all optional.

        Raises:
            InvalidContactRules: an unknown key, or no permitted time is left.
        """
        _refuse_unknown_keys(own)
        return type(self)(
            country=self.country,
            weekday=_overlap(self.weekday, own.get("weekday")),
            saturday=_overlap(self.saturday, own.get("saturday")),
            sunday=_overlap(self.sunday, own.get("sunday")),
            holidays=self.holidays | _names(own.get("holidays", [])),
            spacing_hours_min=max(self.spacing_hours_min, _whole(own.get("spacing_hours_min", 0))),
            per_week_max=min(self.per_week_max, _whole(own.get("per_week_max", self.per_week_max))),
        )

    def kept_to(self, earliest: time | None, latest: time | None) -> Self | None:
        """These rules inside the hours that a customer wishes; None where no time is left.

        A wish narrows what is permitted and never widens it; ``latest`` is exclusive.
        """
        opens, closes = earliest or time.min, latest or time.max
        if opens >= closes:
            return None
        wished = Window(opens, closes)
        weekday, saturday, sunday = (
            window.overlap(wished) if window else None
            for window in (self.weekday, self.saturday, self.sunday)
        )
        if not (weekday or saturday or sunday):
            return None
        return replace(self, weekday=weekday, saturday=saturday, sunday=sunday)

    def window_on(self, day: date) -> Window | None:
        """The window of a day of the week, holidays not looked at."""
        match day.weekday():
            case 5:
                return self.saturday
            case 6:
                return self.sunday
            case _:
                return self.weekday


def countries() -> tuple[str, ...]:
    """The countries that rules are written down for."""
    return tuple(_rules_by_country())


def rules_of(country: str, own: Mapping[str, Any] | None = None) -> ContactRules:
    """The rules of a country, tightened by a merchant's own where it has any.

    Raises:
        UnknownCountry: nothing is written down for the country.
        InvalidContactRules: the merchant's own rules cannot be read.
    """
    rules = _rules_by_country().get(country)
    if rules is None:
        raise UnknownCountry(country)
    return rules.tightened_by(own) if own else rules


def may_contact(
    now: datetime,
    timezone: str,
    land: str | None,
    rules: ContactRules,
    history: Sequence[datetime],
) -> Allowed | NotBefore:
    """Whether a customer may be written to first, at ``now``, and if not: when and why.

    Args:
        now: aware.
        timezone: the customer's, an IANA name.
        land: ISO 3166-2 subdivision (``BY``) whose holidays count. Where it is unknown, a holiday
            of any part of the country counts.
        rules: of the country and merchant.
        history: aware moments of the outreach messages this customer had.

    The moment in ``NotBefore`` is itself permitted, as long as nothing is sent until then. Its
    reason is the first one met: too many messages, then the day, then the hour.

    Raises:
        UnknownTimezone: ``timezone`` is not an IANA name.
    """
    zone = _zone(timezone)
    now = now.astimezone(UTC)
    rested, frequency_reason = _rested_at(now, rules, history)
    reason = frequency_reason or _closed_reason(now, zone, land, rules)
    if reason is None:
        return Allowed()
    return NotBefore(_next_opening(rested, zone, land, rules), reason)


def _rested_at(
    now: datetime, rules: ContactRules, history: Sequence[datetime]
) -> tuple[datetime, WaitReason | None]:
    """The earliest moment that keeps the spacing and the weekly maximum, and what moved it."""
    moments = sorted((at.astimezone(UTC) for at in history), reverse=True)
    earliest, reason = now, None
    if moments and moments[0] + timedelta(hours=rules.spacing_hours_min) > earliest:
        earliest = moments[0] + timedelta(hours=rules.spacing_hours_min)
        reason = WaitReason.SPACING
    if len(moments) >= rules.per_week_max:
        # When the n-th newest message is a week old, at most n - 1 are left within the week.
        week_free = moments[rules.per_week_max - 1] + WEEK
        if week_free > earliest:
            earliest, reason = week_free, WaitReason.WEEK_FULL
    return earliest, reason


def _next_opening(
    earliest: datetime, zone: ZoneInfo, land: str | None, rules: ContactRules
) -> datetime:
    """The first permitted moment (UTC) at or after ``earliest``."""
    if _closed_reason(earliest, zone, land, rules) is None:
        return earliest
    first_day = earliest.astimezone(zone).date()
    for days in range(SEARCH_DAYS_MAX):
        day = first_day + timedelta(days=days)
        window = rules.window_on(day)
        if window is None:
            continue
        for fold in (0, 1):
            # The clocks may skip the opening time (then UTC moves it behind the gap) or show it
            # twice; converting there and back lets _closed_reason judge what is really on them.
            opens = datetime.combine(day, window.opens.replace(fold=fold), zone).astimezone(UTC)
            if opens >= earliest and _closed_reason(opens, zone, land, rules) is None:
                return opens
    raise InvalidContactRules(f"no permitted time within {SEARCH_DAYS_MAX} days of {earliest}")


def _closed_reason(
    at: datetime, zone: ZoneInfo, land: str | None, rules: ContactRules
) -> WaitReason | None:
    local = at.astimezone(zone)
    window = rules.window_on(local.date())
    if window is None:
        return WaitReason.REST_DAY
    if local.date() in _public_holidays(
        rules.country, _known_land(rules.country, land), rules.holidays, local.year
    ):
        return WaitReason.PUBLIC_HOLIDAY
    # A time taken from an aware datetime may carry fold=1; comparing times ignores it.
    if not window.opens <= local.time() < window.closes:
        return WaitReason.QUIET_HOURS
    return None


@cache
def _public_holidays(
    country: str, land: str | None, categories: frozenset[str], year: int
) -> frozenset[date]:
    """The rest days of a Land; without one those of the country and of all its parts."""
    known = categories & set(holidays.country_holidays(country).supported_categories)
    if not known:
        return frozenset()
    subdivisions = [land] if land else [None, *_land_codes(country).values()]
    return frozenset(
        day
        for subdivision in subdivisions
        for day in holidays.country_holidays(
            country, subdiv=subdivision, years=year, expand=False, categories=sorted(known)
        )
    )


@cache
def _land_codes(country: str) -> Mapping[str, str]:
    """Codes and names of a country's parts (``BY``, ``Bayern``), each to its code."""
    aliases = holidays.country_holidays(country).get_subdivision_aliases()
    return {name: code for code, names in aliases.items() for name in (code, *names)}


def _known_land(country: str, land: str | None) -> str | None:
    return _land_codes(country).get(land.removeprefix(f"{country}-")) if land else None


@cache
def _rules_by_country() -> Mapping[str, ContactRules]:
    text = files("outreach").joinpath("contact_rules.toml").read_text(encoding="utf-8")
    return {
        country: ContactRules.from_data(country, data)
        for country, data in tomllib.loads(text).items()
    }


@cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownTimezone(name) from error


def _overlap(rule: Window | None, own: str | None) -> Window | None:
    if rule is None or own is None:
        return rule
    own_window = Window.from_text(own)
    return rule.overlap(own_window) if own_window else None


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise InvalidContactRules(f"not a whole number: {value!r}")
    return value


def _names(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidContactRules(f"not a list of names: {value!r}")
    return frozenset(value)


def _refuse_unknown_keys(data: Mapping[str, Any]) -> None:
    unknown = set(data) - {
        "weekday",
        "saturday",
        "sunday",
        "holidays",
        "spacing_hours_min",
        "per_week_max",
    }
    if unknown:
        raise InvalidContactRules(f"unknown contact rules: {', '.join(sorted(unknown))}")
