"""Days counted from another one: "morgen", "in drei Wochen", "vor 5 Werktagen", "two weeks"."""
# ruff: noqa: E501 - a pattern is easier to read whole than in pieces

from datetime import date
from typing import Match, Optional

from pipeline import date_resolvers as on
from pipeline.date_rules import Build, Reading, Rules
from pipeline.date_words import COUNT, LONG_WEEKDAY, UNIT, WEEKDAYS
from pipeline.values_numbers import small_number

RULES = Rules()


_WORKING = r"(?:bank)?(?:arbeits|werk|gesch(?:ä|ae)fts|banking|business|working|bank)[\s-]?(?:arbeits)?(?:tage?n?|days?)\b"


@RULES.of(rf"\b(?:heute|today)\s+vor\s+{COUNT}\s+{UNIT}")
def _ago_from_today(match: Match[str]) -> Optional[Reading]:
    count = small_number(match.group("count"))
    return None if count is None else Reading(on.shifted(match.group("unit").lower(), -count))


@RULES.of(
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


@RULES.of(
    r"\b(?:(?:am|bis\s+zum|zum|by|the|on|den|n(?:ä|ae)chste[nr])\s+)*(?:n(?:ä|ae)chste[nr]?|next)\s+(?:bankarbeits|werk|arbeits|bank\s?)(?:tag|day)\b|\bnext\s+(?:business|working)\s+day\b"
)
def _next_working_day(match: Match[str]) -> Optional[Reading]:
    return Reading(on.working_days(1))


@RULES.of(
    r"\b(?:in|innerhalb\s+von|binnen|within)\s+(?:den\s+n(?:ä|ae)chsten\s+|the\s+next\s+)?(?P<hours>24|48|72|96)\s?(?:stunden|std\.?|hours|hrs?|h)\b"
)
def _hours(match: Match[str]) -> Optional[Reading]:
    return Reading(on.shifted("day", int(match.group("hours")) // 24))


@RULES.of(
    r"\b(?:this\s+time|heute|today|same\s+day)\s+(?:next\s+week|n(?:ä|ae)chste\s+woche)\b|\bin\s+a\s+week'?s\s+time\b|\ba\s+week\s+today\b|\btoday\s+week\b"
)
def _in_a_week(match: Match[str]) -> Optional[Reading]:
    return Reading(on.shifted("day", 7))


@RULES.of(
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
    RULES.of(rf"\b(?:{_pattern})\b")(_near_rule(_days))


@RULES.of(
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


@RULES.of(
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


@RULES.of(r"\bin\s+a\s+(?P<unit>day|week|month)\s+or\s+two\b")
def _one_or_two(match: Match[str]) -> Optional[Reading]:
    return Reading(on.shifted(match.group("unit").lower(), 2))


@RULES.of(rf"\bin\s+(?:anderthalb|eineinhalb|one\s+and\s+a\s+half)\s+{UNIT}")
def _one_and_a_half(match: Match[str]) -> Optional[Reading]:
    is_weeks = match.group("unit").lower().startswith("w")
    return Reading(on.shifted("day", 11 if is_weeks else 45))


@RULES.of(
    rf"\b(?:in|vor|within)\s+(?:the\s+next\s+|den\s+n(?:ä|ae)chsten\s+)?(?:ein\s+|a\s+)?(?:paar|few|couple(?:\s+of)?|einigen|wenigen|several)\s+{UNIT}",
)
def _vague_shift(match: Match[str]) -> Optional[Reading]:
    return Reading(on.nothing)


@RULES.of(
    r"\bin\s+(?:einer|ner|'ner|a)\s+halben\s+(?P<unit>woche)\b",
    r"\bin\s+(?:einem|nem|'nem)\s+(?:viertel\s?(?P<quarter>jahr)|quartal)\b",
    r"\bin\s+(?:einem|nem|'nem)\s+halben\s+(?P<unit>jahr)\b|\bin\s+half\s+a\s+(?P<unit_en>year)\b",
)
def _half(match: Match[str]) -> Optional[Reading]:
    said = match.group().lower()
    if "woche" in said:
        return Reading(on.shifted("day", 4))
    return Reading(on.shifted("mon", 3 if "viertel" in said or "quartal" in said else 6))


@RULES.of(
    rf"(?<!\bin )(?<!\bseit )(?<!\bfor )(?<!\bsince )\b{COUNT}(?:\s+more|\s+weitere)?\s*{UNIT}"
    r"(?!\s*(?:alt|old|lang\s+keine|vorher|zuvor|davor|fr(?:ü|ue)her|before|earlier)\b)"
)
def _duration(match: Match[str]) -> Optional[Reading]:
    count = small_number(match.group("count"))
    if count is None:
        return None
    return Reading(on.shifted(match.group("unit").lower(), count), is_duration=True)
