"""Parts of months, weeks, quarters and years, and stretches of time: "Ende Januar"."""
# ruff: noqa: E501 - a pattern is easier to read whole than in pieces

import re
from typing import Match, Optional

from pipeline import date_resolvers as on
from pipeline.date_rules import Reading, Rules
from pipeline.date_words import AFTER_NEXT, LAST, MONTH, MONTHS, NEXT, PAID_SO_OFTEN, THIS

RULES = Rules()


@RULES.of(
    r"\b(?:quartalsende|ende\s+(?:des|vom|dieses)\s+quartals?|end\s+of\s+(?:the|this)\s+quarter|quarter[\s-]end)\b"
)
def _end_of_quarter(match: Match[str]) -> Optional[Reading]:
    return Reading(on.end_of_quarter)


@RULES.of(
    rf"\b(?P<part>anfang|beginn|ende|start|beginning|end)\s+(?:des\s+|vom\s+|of\s+)?{NEXT}\s+(?:quartals?|quarter)\b"
)
def _part_of_next_quarter(match: Match[str]) -> Optional[Reading]:
    return Reading(on.next_quarter(is_end=match.group("part").lower() in ("ende", "end")))


_PART = r"(?P<part>anfangs?|beginn|mitte|ende|beginning|start|middle|mid|end|early|late)"
_OF = r"(?:\s*(?:-|of|des|der|dem|vom|von|im|in))?(?:\s+(?:the|dem|der|des))?"
_WHICH = rf"(?P<which>\s+(?:{AFTER_NEXT}|{NEXT}|{THIS}|{LAST}|laufende[nrsm]?))?"


@RULES.of(
    rf"\b{_PART}{_OF}{_WHICH}\s+(?:monats?|month)\b",
    r"\b(?P<which>)(?P<unit>monats)(?P<part>ende|anfang|mitte)\b|\b(?P<eom>eom)\b",
    r"\b(?P<which>)monatsletzte[nr]?\b|\b(?:am|zum|bis\s+zum)\s+letzten\s+(?:des|vom|im|dieses)\s+monats?\b",
    r"\b(?P<which>)(?:letzte[nr]?\s+tag\s+(?:des|im)\s+monats?|(?:the\s+)?last(?:\s+day)?\s+of\s+(?:the\s+)?month|month's\s+end|ultimo)\b",
    rf"\b(?P<which>{NEXT}|{THIS})\s+month(?:'?s)?\s+(?P<part>end|start)\b|\b(?:month)[\s-](?P<end>end)\b",
)
def _part_of_month(match: Match[str]) -> Optional[Reading]:
    groups = match.groupdict()
    step = (
        0
        if groups.get("which") and re.search(rf"{THIS}|laufende", groups["which"], re.I)
        else (on.step(groups.get("which") or ""))
    )
    return Reading(on.month_part(groups.get("part") or "end", None, step))


@RULES.of(rf"\b{_PART}{_OF}{_WHICH}[\s-]+{MONTH}")
def _part_of_named_month(match: Match[str]) -> Optional[Reading]:
    month = MONTHS[match.group("month").lower().rstrip(".")]
    return Reading(on.month_part(match.group("part"), month, None))


@RULES.of(
    rf"\b{_PART}{_OF}{_WHICH}\s+(?:woche|week)\b",
    r"\b(?P<which>)(?P<part>wochenende|weekend)\b",
    rf"\b(?P<which>{NEXT}|{THIS}|{LAST})\s+(?P<part>wochenende|weekend)\b",
)
def _part_of_week(match: Match[str]) -> Optional[Reading]:
    part = match.group("part").lower()
    number = (
        5
        if part.startswith("w")
        else 0
        if part.startswith(("anfang", "beg", "start", "early"))
        else (2 if part.startswith("mi") else 4)
    )
    step = on.step(match.group("which") or "")
    if step == -1:
        return Reading(on.weekday_in_week(number, -1))
    if step == 2:
        return Reading(on.weekday_in_week(number, 2))
    if step and part.startswith("w"):
        return Reading(on.weekday(number, skips_near=True))
    return Reading(on.weekday_in_week(number, 1) if step else on.in_this_week(number))


@RULES.of(
    r"\b(?P<where>nach|vor)\s+(?:dem\s+)?(?:n(?:ä|ae)chsten\s+)?wochenende\b",
    r"\b(?P<where>after|before)\s+(?:the\s+)?(?:next\s+)?weekend\b",
)
def _around_weekend(match: Match[str]) -> Optional[Reading]:
    return Reading(on.weekday(0 if match.group("where").lower() in ("nach", "after") else 4))


@RULES.of(rf"\b{_PART}(?:\s+(?:des\s+jahres|of))?\s+(?P<year>20\d\d)\b")
def _part_of_numbered_year(match: Match[str]) -> Optional[Reading]:
    part, year = match.group("part").lower(), int(match.group("year"))
    if part.startswith("mi"):
        return Reading(on.in_year(6, 30, year))
    return Reading(on.in_year(*((12, 31) if part in ("ende", "end", "late") else (1, 1)), year))


@RULES.of(
    rf"\b{_PART}{_OF}(?:\s+(?:neuen|new))\s+(?:jahr(?:es)?|year)\b",
)
def _start_of_new_year(match: Match[str]) -> Optional[Reading]:
    return Reading(on.in_year(1, 1, None))


@RULES.of(
    rf"\b{_PART}{_OF}{_WHICH}\s+(?:jahr(?:es)?|year)\b|\bjahresende\b|\byear[\s-]end\b",
    r"\bjahres(?P<part>anfang)(?P<which>)\b",
)
def _part_of_year(match: Match[str]) -> Optional[Reading]:
    part = (match.groupdict().get("part") or "ende").lower()
    if part.startswith(("anfang", "beg", "start", "early")):
        return Reading(on.in_year(1, 1, None))
    return None if part.startswith("mi") else Reading(on.in_year(12, 31, None))


_FROM = r"(?:ab|von|from|starting(?:\s+(?:in|from))?|beginning(?:\s+(?:in|from))?|beginnend(?:\s+(?:ab|im|mit))?)"


@RULES.of(rf"\b{_FROM}\s+{MONTH}(?!\s*\d(?!\d?\d?{PAID_SO_OFTEN}))")
def _from_month(match: Match[str]) -> Optional[Reading]:
    return Reading(on.from_month(MONTHS[match.group("month").lower().rstrip(".")]))


@RULES.of(
    rf"\b{_FROM}\s+(?:dem\s+|der\s+)?(?P<which>{AFTER_NEXT}|{NEXT})\s+(?P<unit>monat|month|woche|week)\b"
)
def _from_next(match: Match[str]) -> Optional[Reading]:
    step = on.step(match.group("which")) or 1
    if match.group("unit").lower().startswith("mo"):
        return Reading(on.day_in_month(1, step))
    return Reading(on.weekday_in_week(0, step))


@RULES.of(
    r"\b(?:letzte[nrm]?|last)\s+(?:bank(?:arbeits)?|werk|arbeits|gesch(?:ä|ae)fts|working|business|bank(?:ing)?)\s?(?:tag|day)\s+(?:im|des|in|of)\s+(?:(?:diese[sn]?|the|this)\s+)?(?:monats?|month)\b"
)
def _last_working_day(match: Match[str]) -> Optional[Reading]:
    return Reading(on.last_working_day)


@RULES.of(r"\beow\b")
def _end_of_week(match: Match[str]) -> Optional[Reading]:
    return Reading(on.in_this_week(4))


@RULES.of(
    rf"\b(?:{AFTER_NEXT}|{NEXT}|{THIS}|{LAST})\s+(?:woche|week|monats?|month|jahr|year)\b",
    r"\b(?:im|in)\s+(?:the\s+)?(?:neuen\s+jahr|new\s+year)\b",
    rf"\b(?:im|in)\s+(?:{THIS}\s+|{NEXT}\s+)?{MONTH}(?!\s*\d)",
)
def _stretch(match: Match[str]) -> Optional[Reading]:
    if on.step(match.group()) == -1:
        return None
    return Reading(on.nothing)
