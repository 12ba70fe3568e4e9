"""Weekdays: "nächsten Freitag", "Tuesday week", "der letzte Montag im Monat"."""

from datetime import timedelta
from typing import Match, Optional

from pipeline import date_resolvers as on
from pipeline.date_rules import Reading, Rules
from pipeline.date_words import (
    AFTER_NEXT,
    LAST,
    LONG_WEEKDAY,
    MONTH,
    MONTHS,
    NEXT,
    NEXT_WEEK,
    THIS,
    WEEKDAY,
    WEEKDAYS,
)
from pipeline.values_numbers import small_number

RULES = Rules()


def _weekday_of(match: Match[str]) -> int:
    groups = match.groupdict()
    for group in ("weekday", "short", "timed", "after_am", "after_by"):
        if groups.get(group):
            return WEEKDAYS[groups[group].lower()]
    raise ValueError(match.group())


@RULES.of(rf"(?:\b(?P<which>{AFTER_NEXT}|{NEXT}|{THIS}|{LAST})\s+)?\b{WEEKDAY}")
def _weekday(match: Match[str]) -> Optional[Reading]:
    number = _weekday_of(match)
    step = on.step(match.group("which") or "")
    if step == -1:
        return Reading(lambda today, past: on.weekday(number)(today, True))
    if step == 2:
        return Reading(on.weekday(number, weeks=1))
    return Reading(on.weekday(number, skips_near=step == 1 and "kommend" not in match.group()))


@RULES.of(
    rf"\bin\s+(?P<count>[^\W_]+)\s+(?:wochen|weeks)\s+(?:am|on|den)\s+{WEEKDAY}",
)
def _weekday_weeks_ahead(match: Match[str]) -> Optional[Reading]:
    weeks = small_number(match.group("count"))
    return None if weeks is None else Reading(on.weekday_in_week(_weekday_of(match), weeks))


@RULES.of(
    rf"\b{NEXT_WEEK},?\s+(?:am\s+|on\s+)?{WEEKDAY}",
    rf"\b{WEEKDAY},?\s+(?:in\s+der\s+|der\s+|of\s+|in\s+)?{NEXT_WEEK}",
)
def _weekday_next_week(match: Match[str]) -> Optional[Reading]:
    return Reading(on.weekday_in_week(_weekday_of(match), 1))


@RULES.of(
    rf"\b(?:{AFTER_NEXT}\s+woche|(?:the\s+)?week\s+after\s+next),?\s+(?:am\s+|on\s+)?{WEEKDAY}",
    rf"\b{WEEKDAY},?\s+(?:in\s+der\s+|der\s+|of\s+|in\s+)?(?:{AFTER_NEXT}\s+woche|(?:the\s+)?week\s+after\s+next)",
)
def _weekday_after_next_week(match: Match[str]) -> Optional[Reading]:
    return Reading(on.weekday_in_week(_weekday_of(match), 2))


@RULES.of(
    rf"\b{LAST}\s+(?:woche|week),?\s+(?:am\s+|on\s+)?{WEEKDAY}",
    rf"\b{WEEKDAY},?\s+(?:der\s+|of\s+)?{LAST}\s+(?:woche|week)",
)
def _weekday_last_week(match: Match[str]) -> Optional[Reading]:
    return Reading(on.weekday_in_week(_weekday_of(match), -1))


@RULES.of(rf"\b(?:vorletzte[nrsm]?|(?:the\s+)?(?P<en>\b))\s*{WEEKDAY}(?P<before>\s+before\s+last)?")
def _weekday_before_last(match: Match[str]) -> Optional[Reading]:
    if not match.group("before") and not match.group().lower().startswith("vorletzt"):
        return None
    return Reading(
        lambda today, past: on.weekday(_weekday_of(match))(today - timedelta(days=7), True)
    )


@RULES.of(
    rf"\b{WEEKDAY}\s+in\s+(?P<count>\w+)\s+(?P<unit>wochen?|weeks?|tagen|days)\b",
    rf"\b{WEEKDAY}\s+(?P<fortnight>fortnight)\b",
    rf"\b(?P<fortnight>fortnight)\s+(?:on\s+)?{WEEKDAY}",
)
def _weekday_in_weeks(match: Match[str]) -> Optional[Reading]:
    groups = match.groupdict()
    if groups.get("fortnight"):
        return Reading(on.weekday(_weekday_of(match), weeks=2))
    weeks = small_number(groups["count"])
    if groups["unit"].lower().startswith(("t", "d")):
        # "in acht Tagen", as people say it, is a week.
        weeks = {7: 1, 8: 1, 14: 2, 15: 2, 21: 3}.get(weeks or 0)
    return None if weeks is None else Reading(on.weekday(_weekday_of(match), weeks=weeks))


@RULES.of(
    rf"\b(?P<which>erste[nrsm]?|zweite[nrsm]?|dritte[nrsm]?|vierte[nrsm]?|letzte[nrsm]?|first|second|third|fourth|last)\s+{WEEKDAY}\s+(?:im|in|of|des|vom)\s+(?:the\s+)?"
    rf"(?:(?P<next>{NEXT}\s+)?(?:monats?|month)\b|{MONTH})"
)
def _nth_weekday(match: Match[str]) -> Optional[Reading]:
    which = match.group("which").lower()
    day = -1 if which.startswith(("letzt", "last")) else on.day_of(which)
    if day is None:
        return None
    name = match.group("month")
    month = MONTHS[name.lower().rstrip(".")] if name else None
    number = _weekday_of(match)
    return Reading(on.nth_weekday(number, day, month, 1 if match.group("next") else 0))


@RULES.of(
    rf"\b{WEEKDAY}\s+after\s+next\b",
    r"\b(?P<weekday>" + LONG_WEEKDAY + r")\s+week\b",
)
def _weekday_after_next(match: Match[str]) -> Optional[Reading]:
    return Reading(on.weekday(_weekday_of(match), weeks=1))


@RULES.of(rf"\b(?:{LAST}\s+)?(?:{WEEKDAY})\s+vor\s+(?P<count>\w+)\s+wochen?\b")
def _weekday_weeks_ago(match: Match[str]) -> Optional[Reading]:
    weeks = small_number(match.group("count"))
    if weeks is None:
        return None
    number = _weekday_of(match)
    return Reading(
        lambda today, past: on.weekday(number)(today - timedelta(days=7 * (weeks - 1)), True)
    )
