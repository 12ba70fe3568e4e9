"""The ways to say a day, German and English: patterns, and what each makes of its match.

A stretch of time without a day ("nächste Woche", "wenn mein Gehalt kommt") is found too: it
has no day, and the customer is asked for one.
"""
# ruff: noqa: E501 - a pattern is easier to read whole than in pieces

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Callable, List, Match, Optional, Pattern, Tuple

from pipeline import date_resolvers as on
from pipeline.date_resolvers import Resolver
from pipeline.date_words import (
    AFTER_NEXT,
    CARDINAL,
    COUNT,
    DAY,
    LAST,
    LONG_WEEKDAY,
    MONTH,
    MONTHS,
    NEXT,
    NEXT_WEEK,
    NOT_A_DAY,
    ORDINAL_DE,
    ORDINAL_EN,
    THIS,
    UNIT,
    WEEKDAY,
    WEEKDAYS,
    YEAR,
)
from pipeline.values_numbers import small_number


@dataclass(frozen=True)
class Reading:
    """What a rule makes of its match."""

    resolve: Resolver
    has_year: bool = False
    is_duration: bool = False
    is_event: bool = False


Build = Callable[[Match[str]], Optional[Reading]]


@dataclass(frozen=True)
class Rule:
    """A pattern, what it makes of a match, and what a text must have for it to match at all."""

    pattern: Pattern[str]
    build: Build
    needs: Optional[Pattern[str]]


RULES: List[Rule] = []
_SHORT_WEEKDAYS = r"\b(?:mo|di|mi|do|fr|fri|sa|sat|so|sun|mon|tue|tues|wed|weds|thu|thur|thurs)\b"
# A group of this beginning is in every match of its pattern. Most texts have no weekday and no
# month: looking once for any of them is cheaper than for each of the ways to say it.
_NEEDS: Tuple[Tuple[str, Pattern[str]], ...] = tuple(
    (group, re.compile(need, re.IGNORECASE))
    for group, need in (
        ("(?P<weekday>", rf"{LONG_WEEKDAY}|{_SHORT_WEEKDAYS}"),
        (f"{MONTH[:20]}", rf"(?<![^\W\d_]){MONTH}"),
        ("(?P<unit>", r"t[aä]g|tg|woch|wo\b|monat|jahr|day|week|wk|mon|fortnight|year|quartal|eom"),
        (r"(?P<day>\d{1,2})", r"\d"),
        (r"(?P<day>\d{1,2}(?:\s?\.(?!\d)", r"\d"),
        (r"\bon\s+|\bby\s+)(?P<day>", r"\b(?:the|on|by)\b"),
        (r"(?:bank)?(?:arbeits|", r"tag|day"),
    )
)


def _need_of(pattern: str) -> Optional[Pattern[str]]:
    return next((need for group, need in _NEEDS if group in pattern), None)


def _rule(*patterns: str) -> Callable[[Build], Build]:
    def register(build: Build) -> Build:
        for pattern in patterns:
            RULES.append(Rule(re.compile(pattern, re.IGNORECASE), build, _need_of(pattern)))
        return build

    return register


# "Montag, den 30.11.": one day, not two.
# "ab Februar 30 monatlich": a sum, no day of the month.
_PAID_SO_OFTEN = (
    r"\s(?:monatlich|monthly|weekly|im monat|pro|per|alle|every|jede[nrs]?|a month|a week)\b"
)
_ON_WEEKDAY = rf"(?:\b(?:{LONG_WEEKDAY}|mon|tues?|weds?|thu(?:rs?)?|fri|sat|sun|mo|di|mi|do|fr|sa|so)\b\.?,?\s+(?:den\s+|der\s+|dem\s+|the\s+)?)?"


def _weekday_of(match: Match[str]) -> int:
    groups = match.groupdict()
    for group in ("weekday", "short", "timed", "after_am", "after_by"):
        if groups.get(group):
            return WEEKDAYS[groups[group].lower()]
    raise ValueError(match.group())


@_rule(r"\b(?P<year>(?:19|20)\d\d)[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})\b")
def _iso(match: Match[str]) -> Optional[Reading]:
    year, month, day = (int(match.group(name)) for name in ("year", "month", "day"))
    return Reading(on.in_year(month, day, year), has_year=True) if month <= 12 else None


@_rule(
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


@_rule(
    rf"{_ON_WEEKDAY}(?<![\d.,]){DAY}\s?(?:of\s+)?{MONTH}{YEAR}",
    rf"\b(?P<day>{CARDINAL})\s+{MONTH}{YEAR}",
    rf"{_ON_WEEKDAY}\b{MONTH}\s+(?:(?:on\s+)?the\s+|am\s+)?{DAY}(?!\s?(?:€|eur))(?!{_PAID_SO_OFTEN})(?![.,]?\d){YEAR}",
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


@_rule(
    rf"\b(?:(?:am|zum|bis|ab)\s+)?(?:zum\s+)?(?P<which>{AFTER_NEXT}|{NEXT}|{THIS})\s+(?P<day>{ORDINAL_DE}|\d{{1,2}}\.)(?!\w)"
    + NOT_A_DAY,
    r"\b(?:(?:am|zum|bis\s+zum)\s+)?(?P<which>)monats(?P<day>ersten?)\b",
    r"\b(?P<which>)monatswechsel\b",
    r"(?P<which>)(?<!the )\b(?P<day>first|1st)(?:\s+day)?\s+of\s+(?:the|next|each)\s+month\b",
)
def _first_of_month(match: Match[str]) -> Optional[Reading]:
    day = on.day_of(match.groupdict().get("day") or "1.")
    return None if day is None else Reading(on.day_of_month(day))


@_rule(
    rf"\b(?P<which>{AFTER_NEXT}|{NEXT})\s+(?:monat|month),?\s+(?:am|zum|on\s+the|by\s+the|the|den)\s+(?P<day>\d{{1,2}}(?:\.|st|nd|rd|th|ten)|{ORDINAL_DE}|{ORDINAL_EN})(?!\w)",
)
def _day_of_next_month(match: Match[str]) -> Optional[Reading]:
    day = on.day_of(match.group("day"))
    return (
        None if day is None else Reading(on.day_in_month(day, on.step(match.group("which")) or 0))
    )


@_rule(
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
@_rule(
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


@_rule(rf"(?:\b(?P<which>{AFTER_NEXT}|{NEXT}|{THIS}|{LAST})\s+)?\b{WEEKDAY}")
def _weekday(match: Match[str]) -> Optional[Reading]:
    number = _weekday_of(match)
    step = on.step(match.group("which") or "")
    if step == -1:
        return Reading(lambda today, past: on.weekday(number)(today, True))
    if step == 2:
        return Reading(on.weekday(number, weeks=1))
    return Reading(on.weekday(number, skips_near=step == 1 and "kommend" not in match.group()))


@_rule(
    rf"\bin\s+(?P<count>[^\W_]+)\s+(?:wochen|weeks)\s+(?:am|on|den)\s+{WEEKDAY}",
)
def _weekday_weeks_ahead(match: Match[str]) -> Optional[Reading]:
    weeks = small_number(match.group("count"))
    return None if weeks is None else Reading(on.weekday_in_week(_weekday_of(match), weeks))


@_rule(
    rf"\b{NEXT_WEEK},?\s+(?:am\s+|on\s+)?{WEEKDAY}",
    rf"\b{WEEKDAY},?\s+(?:in\s+der\s+|der\s+|of\s+|in\s+)?{NEXT_WEEK}",
)
def _weekday_next_week(match: Match[str]) -> Optional[Reading]:
    return Reading(on.weekday_in_week(_weekday_of(match), 1))


@_rule(
    rf"\b(?:{AFTER_NEXT}\s+woche|(?:the\s+)?week\s+after\s+next),?\s+(?:am\s+|on\s+)?{WEEKDAY}",
    rf"\b{WEEKDAY},?\s+(?:in\s+der\s+|der\s+|of\s+|in\s+)?(?:{AFTER_NEXT}\s+woche|(?:the\s+)?week\s+after\s+next)",
)
def _weekday_after_next_week(match: Match[str]) -> Optional[Reading]:
    return Reading(on.weekday_in_week(_weekday_of(match), 2))


@_rule(
    rf"\b{LAST}\s+(?:woche|week),?\s+(?:am\s+|on\s+)?{WEEKDAY}",
    rf"\b{WEEKDAY},?\s+(?:der\s+|of\s+)?{LAST}\s+(?:woche|week)",
)
def _weekday_last_week(match: Match[str]) -> Optional[Reading]:
    return Reading(on.weekday_in_week(_weekday_of(match), -1))


@_rule(rf"\b(?:vorletzte[nrsm]?|(?:the\s+)?(?P<en>\b))\s*{WEEKDAY}(?P<before>\s+before\s+last)?")
def _weekday_before_last(match: Match[str]) -> Optional[Reading]:
    if not match.group("before") and not match.group().lower().startswith("vorletzt"):
        return None
    return Reading(
        lambda today, past: on.weekday(_weekday_of(match))(today - timedelta(days=7), True)
    )


@_rule(
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


_WORKING = r"(?:bank)?(?:arbeits|werk|gesch(?:ä|ae)fts|banking|business|working|bank)[\s-]?(?:arbeits)?(?:tage?n?|days?)\b"


@_rule(rf"\b(?:heute|today)\s+vor\s+{COUNT}\s+{UNIT}")
def _ago_from_today(match: Match[str]) -> Optional[Reading]:
    count = small_number(match.group("count"))
    return None if count is None else Reading(on.shifted(match.group("unit").lower(), -count))


@_rule(
    rf"\b(?P<where>in|innerhalb\s+(?:von)?|binnen|within|after|nach|in\s+the\s+next)?\s*(?:sp(?:ä|ae)testens\s+|etwa\s+|about\s+|den\s+n(?:ä|ae)chsten\s+|the\s+next\s+)?"
    rf"\b(?:(?P<to>\d+)\s?(?:-|–|bis|to)\s?)?{COUNT}\s+{_WORKING}(?P<ago>\s+ago)?",
    rf"\b(?P<where>vor)\s+{COUNT}\s+{_WORKING}",
)
def _working_days(match: Match[str]) -> Optional[Reading]:
    groups = match.groupdict()
    count = small_number(groups["count"])
    if count is None or count > 60:
        return None
    is_past = bool(groups.get("ago")) or (groups["where"] or "").lower() == "vor"
    return Reading(on.working_days(-count if is_past else count))


@_rule(
    r"\b(?:(?:am|bis\s+zum|zum|by|the|on|den|n(?:ä|ae)chste[nr])\s+)*(?:n(?:ä|ae)chste[nr]?|next)\s+(?:bankarbeits|werk|arbeits|bank\s?)(?:tag|day)\b|\bnext\s+(?:business|working)\s+day\b"
)
def _next_working_day(match: Match[str]) -> Optional[Reading]:
    return Reading(on.working_days(1))


@_rule(
    r"\b(?:in|innerhalb\s+von|binnen|within)\s+(?:den\s+n(?:ä|ae)chsten\s+|the\s+next\s+)?(?P<hours>24|48|72|96)\s?(?:stunden|std\.?|hours|hrs?|h)\b"
)
def _hours(match: Match[str]) -> Optional[Reading]:
    return Reading(on.shifted("day", int(match.group("hours")) // 24))


@_rule(
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


@_rule(
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


@_rule(
    rf"\b{WEEKDAY}\s+after\s+next\b",
    r"\b(?P<weekday>" + LONG_WEEKDAY + r")\s+week\b",
)
def _weekday_after_next(match: Match[str]) -> Optional[Reading]:
    return Reading(on.weekday(_weekday_of(match), weeks=1))


_SOMEBODY = r"(?:ich|wir|er|sie|man|mein\w*|unser\w*|der|die|das|dem|den|i|i'm|i've|we|we've|my|our|he|she|they|the|it)"
# "wenn das geht", "wenn ich in Raten zahlen könnte": a condition or a wish, no time.
_NO_TIME = r"(?![^.?!,]{0,40}\b(?:geht|ginge|m(?:ö|oe)glich|passt|ok|okay|recht|in\s+raten|fine|possible|works|nicht|kann|k(?:ö|oe)nnten?|darf|d(?:ü|ue)rften?|could|can)\b)"


@_rule(
    rf"\b(?:sobald|bis|nachdem|erst\s+wenn|once|as\s+soon\s+as|until|till|til)\s+{_SOMEBODY}\b",
    rf"\b(?:wenn|when){_NO_TIME}\s+{_SOMEBODY}\b",
    r"\b(?:erst\s+nach|bis\s+nach|nach|after)\s+(?:dem|der|den|meine[mrn]|unsere[mrn]|the|my|our)\s+(?!\d)[^\W\d_]{3,}",
)
def _event(match: Match[str]) -> Optional[Reading]:
    """An event without a name that is known: a day only where one is asked for."""
    return Reading(on.nothing, is_duration=True, is_event=True)


@_rule(
    r"\b(?:quartalsende|ende\s+(?:des|vom|dieses)\s+quartals?|end\s+of\s+(?:the|this)\s+quarter|quarter[\s-]end)\b"
)
def _end_of_quarter(match: Match[str]) -> Optional[Reading]:
    return Reading(on.end_of_quarter)


@_rule(
    rf"\b(?P<part>anfang|beginn|ende|start|beginning|end)\s+(?:des\s+|vom\s+|of\s+)?{NEXT}\s+(?:quartals?|quarter)\b"
)
def _part_of_next_quarter(match: Match[str]) -> Optional[Reading]:
    return Reading(on.next_quarter(is_end=match.group("part").lower() in ("ende", "end")))


@_rule(
    r"\b(?:this\s+time|heute|today|same\s+day)\s+(?:next\s+week|n(?:ä|ae)chste\s+woche)\b|\bin\s+a\s+week'?s\s+time\b|\ba\s+week\s+today\b|\btoday\s+week\b"
)
def _in_a_week(match: Match[str]) -> Optional[Reading]:
    return Reading(on.shifted("day", 7))


@_rule(
    rf"\b(?:{LAST}\s+monat|last\s+month),?\s+(?:am|on\s+the)\s+(?P<day>\d{{1,2}}(?:\.|st|nd|rd|th)|{ORDINAL_DE})"
)
def _day_last_month(match: Match[str]) -> Optional[Reading]:
    day = on.day_of(match.group("day"))
    return None if day is None else Reading(on.day_in_month(day, -1))


@_rule(
    rf"\b(?:(?:{NEXT})\s+(?:monat|month)),?\s+(?:am|on\s+the|the|zum)\s+(?P<day>\d{{1,2}}(?:\.|st|nd|rd|th|ten)|{ORDINAL_DE})"
)
def _day_next_month(match: Match[str]) -> Optional[Reading]:
    day = on.day_of(match.group("day"))
    return None if day is None else Reading(on.day_in_month(day, 1))


@_rule(rf"\b(?:{LAST}\s+)?(?:{WEEKDAY})\s+vor\s+(?P<count>\w+)\s+wochen?\b")
def _weekday_weeks_ago(match: Match[str]) -> Optional[Reading]:
    weeks = small_number(match.group("count"))
    if weeks is None:
        return None
    number = _weekday_of(match)
    return Reading(
        lambda today, past: on.weekday(number)(today - timedelta(days=7 * (weeks - 1)), True)
    )


@_rule(
    rf"\b(?P<base>heute|morgen|today|tomorrow|{LONG_WEEKDAY})\s+(?:in|auf\s+in)\s+{COUNT}\s+{UNIT}",
    rf"\b(?:in\s+)?{COUNT}\s+{UNIT}\s+(?:from|after|on|ab|nach)\s+(?P<base>heute|morgen|today|tomorrow|{LONG_WEEKDAY})\b",
    rf"\b(?P<count>an?|one|two|three)\s+(?P<unit>weeks?|fortnight)\s+(?P<base>today|tomorrow|{LONG_WEEKDAY})\b",
    r"\b(?P<base>tomorrow)\s+(?P<unit>week|fortnight)(?P<count>)\b",
)
def _shift_from(match: Match[str]) -> Optional[Reading]:
    count = small_number(match.group("count") or "1")
    if count is None:
        return None
    base = match.group("base").lower()
    shift = on.shifted(match.group("unit").lower(), count)
    if base in WEEKDAYS:
        start = on.weekday(WEEKDAYS[base])
    else:
        start = on.shifted("day", 1 if base in ("morgen", "tomorrow") else 0)

    def resolve(today: date, past: bool) -> Optional[date]:
        first = start(today, past)
        return None if first is None else shift(first, past)

    return Reading(resolve)


_NEAR = (
    (r"(?:ü|ue|u)bermorgen|day\s+after\s+(?:tomorrow|tmrw|tmr|2moro)", 2),
    (r"(?<!guten )(?<!gudn )(?<!schönen )(?<!am )(?<!jeden )(?<!heute )(?<!good )\b(?:morgen|morgn|mrgn|moagn)(?:\s+(?:fr(?:ü|ue)h|abend|mittag))?", 1),
    (r"tomorrow|tomorow|2moz|2mrw|tomoz|tommorow|tommorrow|tmrw|tmr|2moro|2morrow", 1),
    (r"heute(?:\s+(?:morgen|abend|nacht|noch))?|heut|today|tonight|tonite|this\s+(?:evening|afternoon|morning)|(?<!day )(?:eod|end\s+of\s+(?:the\s+)?day|close\s+of\s+business|cob)(?!\s+(?:on\s+)?(?:\w+day|tomorrow))", 0),
    (r"vorgestern|day\s+before\s+yesterday", -2),
    (r"gestern|yesterday|last\s+night|letzte\s+nacht", -1),
)  # fmt: skip


def _near_rule(days: int) -> Build:
    return lambda match: Reading(on.shifted("day", days))


for _pattern, _days in _NEAR:
    _rule(rf"\b(?:{_pattern})\b")(_near_rule(_days))


@_rule(
    rf"\b(?P<where>in|innerhalb\s+(?:von|der\s+n(?:ä|ae)chsten)|binnen|within|vor)\s+(?:about\s+|around\s+|roughly\s+|ca\.?\s+|circa\s+|zirka\s+|etwa\s+|ungef(?:ä|ae)hr\s+|gut\s+|knapp\s+|rund\s+|so\s+|sp(?:ä|ae)testens\s+|the\s+next\s+|den\s+n(?:ä|ae)chsten\s+)?{COUNT}\s*{UNIT}",
    rf"\b{COUNT}\s+{UNIT}\s+(?P<where>from\s+(?:now|today)|ago|back|sp(?:ä|ae)ter|later|her\b)",
)
def _shift(match: Match[str]) -> Optional[Reading]:
    where, unit = match.group("where").lower(), match.group("unit").lower()
    count = small_number(match.group("count"))
    if count is None:
        vague = match.group("count").lower() in ("paar", "few", "couple", "einigen", "wenigen")
        return Reading(on.nothing) if vague and where != "vor" else None
    return Reading(on.shifted(unit, -count if where in ("vor", "ago", "back", "her") else count))


@_rule(
    rf"\bin\s+(?:etwa\s+|ca\.?\s+|about\s+)?\w+\s?(?:-|–|,|bis|to|or|oder)\s?{COUNT}\s+{UNIT}",
    rf"\b\d+\s?(?:-|–|bis|to)\s?{COUNT}\s+{UNIT}",
)
def _range(match: Match[str]) -> Optional[Reading]:
    count = small_number(match.group("count"))
    if count is None:
        return None
    return Reading(
        on.shifted(match.group("unit").lower(), count),
        is_duration=not match.group().lower().startswith("in"),
    )


@_rule(r"\bin\s+a\s+(?P<unit>day|week|month)\s+or\s+two\b")
def _one_or_two(match: Match[str]) -> Optional[Reading]:
    return Reading(on.shifted(match.group("unit").lower(), 2))


@_rule(rf"\bin\s+(?:anderthalb|eineinhalb|one\s+and\s+a\s+half)\s+{UNIT}")
def _one_and_a_half(match: Match[str]) -> Optional[Reading]:
    is_weeks = match.group("unit").lower().startswith("w")
    return Reading(on.shifted("day", 11 if is_weeks else 45))


@_rule(
    rf"\b(?:in|vor|within)\s+(?:the\s+next\s+|den\s+n(?:ä|ae)chsten\s+)?(?:ein\s+|a\s+)?(?:paar|few|couple(?:\s+of)?|einigen|wenigen|several)\s+{UNIT}",
)
def _vague_shift(match: Match[str]) -> Optional[Reading]:
    return Reading(on.nothing)


@_rule(
    r"\bin\s+(?:einer|ner|'ner|a)\s+halben\s+(?P<unit>woche)\b",
    r"\bin\s+(?:einem|nem|'nem)\s+(?:viertel\s?(?P<quarter>jahr)|quartal)\b",
    r"\bin\s+(?:einem|nem|'nem)\s+halben\s+(?P<unit>jahr)\b|\bin\s+half\s+a\s+(?P<unit_en>year)\b",
)
def _half(match: Match[str]) -> Optional[Reading]:
    said = match.group().lower()
    if "woche" in said:
        return Reading(on.shifted("day", 4))
    return Reading(on.shifted("mon", 3 if "viertel" in said or "quartal" in said else 6))


@_rule(
    rf"(?<!\bin )(?<!\bseit )(?<!\bfor )(?<!\bsince )\b{COUNT}(?:\s+more|\s+weitere)?\s*{UNIT}"
    r"(?!\s*(?:alt|old|lang\s+keine|vorher|zuvor|davor|fr(?:ü|ue)her|before|earlier)\b)"
)
def _duration(match: Match[str]) -> Optional[Reading]:
    count = small_number(match.group("count"))
    if count is None:
        return None
    return Reading(on.shifted(match.group("unit").lower(), count), is_duration=True)


_PART = r"(?P<part>anfangs?|beginn|mitte|ende|beginning|start|middle|mid|end|early|late)"
_OF = r"(?:\s*(?:-|of|des|der|dem|vom|von|im|in))?(?:\s+(?:the|dem|der|des))?"
_WHICH = rf"(?P<which>\s+(?:{AFTER_NEXT}|{NEXT}|{THIS}|{LAST}|laufende[nrsm]?))?"


@_rule(
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


@_rule(rf"\b{_PART}{_OF}{_WHICH}[\s-]+{MONTH}")
def _part_of_named_month(match: Match[str]) -> Optional[Reading]:
    month = MONTHS[match.group("month").lower().rstrip(".")]
    return Reading(on.month_part(match.group("part"), month, None))


@_rule(
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


@_rule(
    r"\b(?P<where>nach|vor)\s+(?:dem\s+)?(?:n(?:ä|ae)chsten\s+)?wochenende\b",
    r"\b(?P<where>after|before)\s+(?:the\s+)?(?:next\s+)?weekend\b",
)
def _around_weekend(match: Match[str]) -> Optional[Reading]:
    return Reading(on.weekday(0 if match.group("where").lower() in ("nach", "after") else 4))


@_rule(rf"\b{_PART}(?:\s+(?:des\s+jahres|of))?\s+(?P<year>20\d\d)\b")
def _part_of_numbered_year(match: Match[str]) -> Optional[Reading]:
    part, year = match.group("part").lower(), int(match.group("year"))
    if part.startswith("mi"):
        return Reading(on.in_year(6, 30, year))
    return Reading(on.in_year(*((12, 31) if part in ("ende", "end", "late") else (1, 1)), year))


@_rule(
    rf"\b{_PART}{_OF}(?:\s+(?:neuen|new))\s+(?:jahr(?:es)?|year)\b",
)
def _start_of_new_year(match: Match[str]) -> Optional[Reading]:
    return Reading(on.in_year(1, 1, None))


@_rule(
    rf"\b{_PART}{_OF}{_WHICH}\s+(?:jahr(?:es)?|year)\b|\bjahresende\b|\byear[\s-]end\b",
    r"\bjahres(?P<part>anfang)(?P<which>)\b",
)
def _part_of_year(match: Match[str]) -> Optional[Reading]:
    part = (match.groupdict().get("part") or "ende").lower()
    if part.startswith(("anfang", "beg", "start", "early")):
        return Reading(on.in_year(1, 1, None))
    return None if part.startswith("mi") else Reading(on.in_year(12, 31, None))


_FROM = r"(?:ab|von|from|starting(?:\s+(?:in|from))?|beginning(?:\s+(?:in|from))?|beginnend(?:\s+(?:ab|im|mit))?)"


@_rule(rf"\b{_FROM}\s+{MONTH}(?!\s*\d(?!\d?\d?{_PAID_SO_OFTEN}))")
def _from_month(match: Match[str]) -> Optional[Reading]:
    return Reading(on.from_month(MONTHS[match.group("month").lower().rstrip(".")]))


@_rule(
    rf"\b{_FROM}\s+(?:dem\s+|der\s+)?(?P<which>{AFTER_NEXT}|{NEXT})\s+(?P<unit>monat|month|woche|week)\b"
)
def _from_next(match: Match[str]) -> Optional[Reading]:
    step = on.step(match.group("which")) or 1
    if match.group("unit").lower().startswith("mo"):
        return Reading(on.day_in_month(1, step))
    return Reading(on.weekday_in_week(0, step))


@_rule(
    r"\b(?:letzte[nrm]?|last)\s+(?:bank(?:arbeits)?|werk|arbeits|gesch(?:ä|ae)fts|working|business|bank(?:ing)?)\s?(?:tag|day)\s+(?:im|des|in|of)\s+(?:(?:diese[sn]?|the|this)\s+)?(?:monats?|month)\b"
)
def _last_working_day(match: Match[str]) -> Optional[Reading]:
    return Reading(on.last_working_day)


@_rule(r"\beow\b")
def _end_of_week(match: Match[str]) -> Optional[Reading]:
    return Reading(on.in_this_week(4))


@_rule(
    rf"\b(?:{AFTER_NEXT}|{NEXT}|{THIS}|{LAST})\s+(?:woche|week|monats?|month|jahr|year)\b",
    r"\b(?:im|in)\s+(?:the\s+)?(?:neuen\s+jahr|new\s+year)\b",
    rf"\b(?:im|in)\s+(?:{THIS}\s+|{NEXT}\s+)?{MONTH}(?!\s*\d)",
)
def _stretch(match: Match[str]) -> Optional[Reading]:
    if on.step(match.group()) == -1:
        return None
    return Reading(on.nothing)


_INCOME = (
    r"(?:gehalt|gehälter|lohn|löhnung|rente|geld|kohle|bafög|bafoeg|kindergeld|bürgergeld|"
    r"arbeitslosengeld|krankengeld|elterngeld|weihnachtsgeld|urlaubsgeld|steuererstattung|steuerr(?:ü|ue)ckzahlung|provision|"
    r"wohngeld|unterhalt|stipendium|honorar|erbe|erbschaft|stütze|auftrag|vorschuss|zahlung|sozialhilfe|alg|hartz|"
    r"salary|wages?|pay ?che(?:ck|que)|payday|paid|pension|benefits?|money|bonus|tax refund|refund|universal credit|loan|invoice paid|inheritance|student loan|giro)"
)
_PAYER = (
    r"(?:sozialamt|jobcenter|arbeitsamt|arbeitsagentur|finanzamt|amt|chef|arbeitgeber|firma|krankenkasse|kasse|"
    r"versicherung|rentenkasse|kunde|kunden|mieter|familienkasse|bank|boss|employer|insurance|client|council|tenant|jobcentre|hmrc)"
)
_PAYS = r"(?:zahlt|gezahlt|bezahlt|(?:ü|ue)berweist|(?:ü|ue)berwiesen|auszahlt|ausgezahlt|bewilligt|genehmigt|durch|freigibt|pays|paid|transfers|sends|coughs|settles|approved)"
_EVENT = (
    r"(?:urlaub|ferien|ernte|umzug|hochzeit|op|operation|reha|kur|pr(?:ü|ue)fung(?:en)?|saison|geburt|scheidung|"
    r"krankenhaus|entlassung|probezeit|messe|erntezeit|elternzeit|taufe|beerdigung|inventur|"
    r"holidays?|vacation|harvest|move|wedding|surgery|exams?|season|birth|divorce|funeral|trip|shift)"
)
_ABLE = r"(?:gesund|arbeit(?:e|en)?|(?:ne|eine|einen)\s+(?:neuen?\s+)?(?:job|arbeit|stelle)|job|verkauft|fl(?:ü|ue)ssig|better|working|sold|back\s+(?:on\s+my\s+feet|at\s+work|from))"


@_rule(
    rf"\b(?:wenn|sobald|nachdem|when|once|after|as soon as|until|till|bis|nach)\b[^.?!,]{{0,40}}?\b{_INCOME}\b(?:\s+(?:wieder\s+)?(?:kommt|da\s+ist|drauf\s+ist|habe|hab|bekomme|kriege|eingeht|comes(?:\s+in)?|arrives|is\s+(?:in|here|there)))?",
    r"\b(?:am|zum|n(?:ä|ae)chsten|on|next|by)\s+(?:zahltag|payday|pay\s+day)\b|\bpay\s?day\b",
)
@_rule(
    rf"\b(?:warte[nt]?|waiting)\b[^.?!]{{0,20}}?\b(?:auf|for|on)\b[^.?!,]{{0,25}}?\b{_INCOME}\b",
    rf"\b(?:wenn|sobald|nachdem|bis|when|once|after|as\s+soon\s+as|until|till|before)\b[^.?!,]{{0,30}}?\b{_PAYER}\b[^.?!,]{{0,25}}?\b{_PAYS}\b",
    rf"\b(?:nach|after|bis\s+nach|erst\s+nach|bis\s+zu[mr]?|until)\s+(?:dem|der|den|meine[mr]|unsere[mr]|the|my|our)?\s*(?:n(?:ä|ae)chste[nr]\s+)?{_EVENT}\b",
    rf"\b(?:wenn|sobald|when|once|as\s+soon\s+as)\s+(?:ich|wir|i|i'm|we|we're)\b[^.?!,]{{0,25}}?\b{_ABLE}\b",
    r"\b(?:sobald|nach|bis|until|after)\s+(?:der\s+|the\s+)?(?:gehaltseingang|lohneingang|geldeingang|gehaltszahlung|lohnzahlung|lohnabrechnung|auszahlung|rentenzahlung|payout|pay\s?out)\b",
)
def _income(match: Match[str]) -> Optional[Reading]:
    return Reading(on.nothing)


for _name, (_first, _last) in on.FEASTS.items():

    def _feast_rule(match: Match[str], first=_first, last=_last) -> Optional[Reading]:
        return Reading(on.feast(first, last, (match.group("where") or "").lower()))

    _rule(rf"\b(?:(?P<where>nach|vor|after|before)\s+)?(?:{_name})\b")(_feast_rule)
