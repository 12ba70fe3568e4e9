"""The days of a calendar: "30.11.", "am Ersten", "the 5th of next month"."""
# ruff: noqa: E501 - a pattern is easier to read whole than in pieces

from typing import Match, Optional

from pipeline import date_resolvers as on
from pipeline.date_rules import Reading, Rules
from pipeline.date_words import (
    AFTER_NEXT,
    CARDINAL,
    DAY,
    LAST,
    LONG_WEEKDAY,
    MONTH,
    MONTHS,
    NEXT,
    NOT_A_DAY,
    ORDINAL_DE,
    ORDINAL_EN,
    PAID_SO_OFTEN,
    THIS,
    YEAR,
)

RULES = Rules()


# "Montag, den 30.11.": one day, not two.
_ON_WEEKDAY = rf"(?:\b(?:{LONG_WEEKDAY}|mon|tues?|weds?|thu(?:rs?)?|fri|sat|sun|mo|di|mi|do|fr|sa|so)\b\.?,?\s+(?:den\s+|der\s+|dem\s+|the\s+)?)?"


@RULES.of(r"\b(?P<year>(?:19|20)\d\d)[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})\b")
def _iso(match: Match[str]) -> Optional[Reading]:
    year, month, day = (int(match.group(name)) for name in ("year", "month", "day"))
    return Reading(on.in_year(month, day, year), has_year=True) if month <= 12 else None


@RULES.of(
    _ON_WEEKDAY
    + r"(?<![\d.,/-])(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.(?:\s?(?P<year>(?:19|20)\d\d)|(?P<short_year>\d\d))?(?![\d])",
    _ON_WEEKDAY
    + r"(?<![\d.,/-])(?<!\d )(?P<day>\d{1,2}) (?P<month>\d{1,2}) (?P<year>(?:19|20)\d\d)(?![.,/-]?\d)",
    _ON_WEEKDAY
    + r"(?<![\d.,/-])(?P<day>\d{1,2})[/-](?P<month>\d{1,2})(?:[/-](?P<year>(?:19|20)\d\d|\d\d))?(?![\d/-]|\s?(?:davon|der\s|des\s|vom\s|of\s|jetzt|sofort|gleich|now\b|upfront))",
    _ON_WEEKDAY
    + r"(?<![\d.,/-])(?P<day>\d{1,2})\.(?P<month>\d{1,2})(?![.,/-]?\d)(?!\s?(?:€|eur|%|uhr|am\b|pm\b))",
)
def _numeric(match: Match[str]) -> Optional[Reading]:
    groups = match.groupdict()
    day, month = int(groups["day"]), int(groups["month"])
    if month > 12 >= day and "/" in match.group():
        day, month = month, day
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    year = on.full_year(groups.get("year") or groups.get("short_year"))
    return Reading(on.in_year(month, day, year), has_year=year is not None)


@RULES.of(
    rf"{_ON_WEEKDAY}(?<![\d.,]){DAY}\s?(?:of\s+)?{MONTH}{YEAR}",
    rf"\b(?P<day>{CARDINAL})\s+{MONTH}{YEAR}",
    rf"{_ON_WEEKDAY}\b{MONTH}\s+(?:(?:on\s+)?the\s+|am\s+)?{DAY}(?!\s?(?:€|eur))(?!{PAID_SO_OFTEN})(?![.,]?\d){YEAR}",
)
def _day_and_month(match: Match[str]) -> Optional[Reading]:
    day = on.day_of(match.group("day"))
    if day is None:
        return None
    year = on.full_year(
        match.group("year") or match.group("short_year") or match.group("spoken_year")
    )
    month = MONTHS[match.group("month").lower().rstrip(".")]
    return Reading(on.in_year(month, day, year), has_year=year is not None)


@RULES.of(
    rf"\b(?:(?:am|zum|bis|ab)\s+)?(?:zum\s+)?(?P<which>{AFTER_NEXT}|{NEXT}|{THIS})\s+(?P<day>{ORDINAL_DE}|\d{{1,2}}\.)(?!\w)"
    + NOT_A_DAY,
    r"\b(?:(?:am|zum|bis\s+zum)\s+)?(?P<which>)monats(?P<day>ersten?)\b",
    r"\b(?P<which>)monatswechsel\b",
    r"(?P<which>)(?<!the )\b(?P<day>first|1st)(?:\s+day)?\s+of\s+(?:the|next|each)\s+month\b",
)
def _first_of_month(match: Match[str]) -> Optional[Reading]:
    day = on.day_of(match.groupdict().get("day") or "1.")
    return None if day is None else Reading(on.day_of_month(day))


@RULES.of(
    rf"\b(?P<which>{AFTER_NEXT}|{NEXT})\s+(?:monat|month),?\s+(?:am|zum|on\s+the|by\s+the|the|den)\s+(?P<day>\d{{1,2}}(?:\.|st|nd|rd|th|ten)|{ORDINAL_DE}|{ORDINAL_EN})(?!\w)",
)
def _day_of_next_month(match: Match[str]) -> Optional[Reading]:
    day = on.day_of(match.group("day"))
    return (
        None if day is None else Reading(on.day_in_month(day, on.step(match.group("which")) or 0))
    )


@RULES.of(
    _ON_WEEKDAY
    + r"(?:\b(?:am|zum|bis|den|dem|ab|vom|seit|der|wieder)\s+)(?P<day>\d{1,2}(?:\s?\.(?!\d)|ten\b|er\b))"
    + NOT_A_DAY
    + rf"(?P<which>\s*(?:(?:des|vom|von|im)\s+)?(?:{AFTER_NEXT}|{NEXT}|{THIS}|{LAST})\s+monats?)?",
    rf"(?:\b(?:am|zum|bis|den|dem|ab|vom|seit)\s+)(?P<day>{ORDINAL_DE})\b"
    + NOT_A_DAY
    + rf"(?P<which>\s*(?:(?:des|vom|von|im)\s+)?(?:{AFTER_NEXT}|{NEXT}|{THIS}|{LAST})\s+monats?)?",
    rf"{_ON_WEEKDAY}(?:\bthe\s+|\bon\s+|\bby\s+)(?P<day>\d{{1,2}}(?:st|nd|rd|th)|(?:{ORDINAL_EN})\b)"
    + NOT_A_DAY
    + rf"(?P<which>\s*(?:of\s+)?(?:the\s+)?(?:{NEXT}|{THIS}|{LAST})\s+month)?",
    r"^\W*(?P<day>\d{1,2}(?:\.|st|nd|rd|th|ten))\W*$",
    rf"^\W*der\s+(?P<day>{ORDINAL_DE})\W*$",
)
@RULES.of(
    # "zwischen dem 3. und 5.", "am 3. oder am 4.": the second of two days.
    r"(?:(?<=\d\. und )|(?<=\d\. oder )|(?<=\d\. bis )|(?<=\d\.-)|(?<=\d\. - ))(?:zum\s+)?(?P<day>\d{1,2}\.)(?![\d\w])"
    + NOT_A_DAY,
)
def _day_alone(match: Match[str]) -> Optional[Reading]:
    groups = match.groupdict()
    day = on.day_of(groups["day"])
    if day is None:
        return None
    if groups.get("which"):
        return Reading(on.day_in_month(day, on.step(groups["which"]) or 0))
    return Reading(on.day_of_month(day))


@RULES.of(
    rf"(?:^\W*|\b(?:am|bis\s+zum|zum|bis|den|der|vom|seit\s+dem|geboren)\s+)(?P<day>{ORDINAL_DE})\s+(?P<month>{ORDINAL_DE})\b"
    + YEAR
    + NOT_A_DAY,
)
def _two_ordinals(match: Match[str]) -> Optional[Reading]:
    day, month = on.day_of(match.group("day")), on.day_of(match.group("month"))
    if day is None or month is None or month > 12:
        return None
    year = on.full_year(match.group("year") or match.group("spoken_year"))
    return Reading(on.in_year(month, day, year), has_year=year is not None)


@RULES.of(
    rf"\b(?:{LAST}\s+monat|last\s+month),?\s+(?:am|on\s+the)\s+(?P<day>\d{{1,2}}(?:\.|st|nd|rd|th)|{ORDINAL_DE})"
)
def _day_last_month(match: Match[str]) -> Optional[Reading]:
    day = on.day_of(match.group("day"))
    return None if day is None else Reading(on.day_in_month(day, -1))


@RULES.of(
    rf"\b(?:(?:{NEXT})\s+(?:monat|month)),?\s+(?:am|on\s+the|the|zum)\s+(?P<day>\d{{1,2}}(?:\.|st|nd|rd|th|ten)|{ORDINAL_DE})"
)
def _day_next_month(match: Match[str]) -> Optional[Reading]:
    day = on.day_of(match.group("day"))
    return None if day is None else Reading(on.day_in_month(day, 1))
