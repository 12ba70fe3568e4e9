"""What several values of one line are to each other, read from their places in the text.

"100 jetzt, dann 50 im Monat" names a first payment and regular ones, "am 15. statt am 1." a new
day and an old one. A value gets a role where it is not plainly what is wished for; in doubt it has
none, for nothing is posted before the plan was shown.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Entity = Mapping[str, Any]


class Role(StrEnum):
    """What a value is besides a wish."""

    OLD = "old"
    """Not wanted, or no longer: "statt am 1.", "80 ist zu viel"."""
    FIRST = "first"
    """Of a first payment, before the regular ones: its amount, its day."""
    LAST = "last"
    """The day by which instalments are to be done: "bis Ende März in Raten"."""


class Mark(StrEnum):
    """What a line says about its values without naming one."""

    REST = "rest"
    """All that a first payment leaves is meant, in one sum."""
    PAUSE = "pause"
    """The next instalment is to be left out."""
    EVERYTHING = "everything"
    """The whole sum is meant, no instalment."""
    FIRST_RATE = "first_rate"
    """The first payment is the plan's first instalment, on its day."""
    NOT_EVERYTHING = "not_everything"
    """The whole sum is what cannot be paid."""


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)


_PREPOSITIONS = re.compile(
    r"(?:(?:am|an|auf|ab|bis|vom|von|zum|zu|den|dem|der|des|on|the|by|from|to|until|at|in)\s+)*",
    re.IGNORECASE,
)
_SMALL = r"(?:(?:am|auf|den|dem|der|zum|mehr|um|nur|erst|on|the|in|for|only|by)\s+)*$"
_INSTEAD = re.compile(
    rf"\b(?:statt|anstatt|anstelle|instead\s+of|rather\s+than)\s+{_SMALL}", re.IGNORECASE
)
_NOT_BEFORE = re.compile(
    rf"\b(?:nicht|not|(?:can'?t|cannot|won'?t)\s+(?:do|pay|afford|manage))\s+{_SMALL}",
    re.IGNORECASE,
)
_NOT_AFTER = re.compile(
    r"^(?:(?!\b(?:mehr|more|fr(?:ü|ue)her|eher|vorher|earlier|sooner|oder|or)\b)[^,.;:!?\n])*?"
    r"\b(?:nicht(?!\s+auch)|nix|not|can'?t|cannot|won'?t|doesn'?t|zu\s+(?:viel|hoch|fr(?:ü|ue)h)|too\s+(?:much|high|early))\b",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"\b(?:mehr\s+als|(?:ü|ue)ber|vor|more\s+than|over|before|until|till)\s+(?:(?:den|dem|die|der|the|ein\w*)\s+)*$",
    re.IGNORECASE,
)
_WHY = _words(r"warum|wieso|weshalb|why")
_FROM = re.compile(r"\b(?:vom|von|from)\s+(?:(?:den|dem|the)\s+)*$", re.IGNORECASE)
_TO = re.compile(r"\b(?:auf|zum|to)\s+(?:(?:den|dem|the)\s+)*$", re.IGNORECASE)

_AFTER_THAT = r"dann|danach|anschlie(?:ß|ss)end|then|after\s+that|afterwards"
_BREAK = re.compile(
    rf"[,;\n]|\.\s|\b(?:und|and|plus|sowie|{_AFTER_THAT})\b"
    r"|\s(?=(?:(?:den|der|the)\s+)?(?:rest|remain\w*)\b)",
    re.IGNORECASE,
)
_THEN = _words(_AFTER_THAT)
_DOWN = re.compile(
    r"\b(?:an(?:ge|zu)?zahl(?:ung|en|e|t)|down\s+payment|deposit|up\s?front)\b|\bzahl\w*\b.*\ban\W*$",
    re.IGNORECASE,
)
_NOW = _words(
    r"jetzt|sofort|gleich|direkt|heute|vorab|vorweg|zuerst|zun(?:ä|ae)chst|erst\s?mal|anfangs|zum\s+(?:anfang|einstieg|start)|auf\s+die\s+hand"
    r"|now|today|right\s+away|straight\s+away|immediately|first|initially|to\s+start(?:\s+with)?|for\s+a\s+start|down"
)
_REST = _words(
    r"rest(?:betrag|summe|lich\w*)?(?!\s+(?:vom|des|of\s+the)\s+(?:monat|jahr|month|year))|(?:ü|ue)brige[nrs]?|remain\w*|the\s+other\s+half|die\s+andere\s+h(?:ä|ae)lfte"
)
_LET_GO = _words(
    r"(?:er|nach)lass\w*|ihr\s+lasst|streich\w*|vergess\w*|vergiss|forget|forgive|waive|drop|write\s+off"
)
_IN_PARTS = _words(
    r"\w*raten|abzahl\w*|abstotter\w*|instal?l?ments?|st(?:ü|ue)ck\w*|parts|monthly|\w*weekly|fortnightly|monatlich|\w*w(?:ö|oe)chentlich"
)
_DONE = _words(r"(?:be|ge)zahlt|(?:ü|ue)berwiesen|bereits|already|paid|sent|transferred")
_BY = re.compile(
    r"\b(?:bis|by|until|till)\s+(?:(?:zum|zu|den|dem|the|sp(?:ä|ae)testens)\s+)*$", re.I
)
_FIRST_RATE = _words(
    r"(?:erste[nr]?|1\.)\s(?:\w*rate|zahlung)|first\s(?:one|rate|instal?l?ment|payment)"
)
_EACH = _words(r"je|jede[nrs]?|jeweils|alle|auch\s+die\s+anderen|each|every|all")
_AT_ONCE = _words(r"jetzt|sofort|gleich|direkt|heute|now|today|right\s+away|immediately")
_FIRST_ONE = _words(r"erste[nrs]?|first|n(?:ä|ae)chste[nrs]?|next")
_NEGATED = re.compile(
    r"(?:\bnicht|\bnot|n['’]?t\b|\bcannot)(?!\s(?:nur|only)\b)[^,.;?!]{0,25}$", re.IGNORECASE
)
_ASKS_WHETHER = re.compile(
    r"\b(?:kann|k(?:ö|oe)nnte|darf|can['’]?t|couldn['’]?t|why)\s(?:ich|wir|i|we|not)\b[^,.;]*\?",
    re.I,
)
_OR = _words(r"oder|or|bis|zwischen|between|bzw|beziehungsweise")

_MARKS = {
    Mark.PAUSE: _words(
        r"aus(?:zu)?setz\w*|ausgesetzt|pausier\w*|\w*pause[ds]?|(?:ü|ue)berspring\w*|auslassen|ausfallen|skip\w*"
        r"|payment\s+(?:holiday|break)|miss\s+(?:a|one|the\s+next)\s+(?:payment|instal?lment|month)"
    ),
    Mark.EVERYTHING: _words(
        r"alles(?!\s+(?:klar|gut|ok))|das\s+ganze|(?:ganze|gesamte|komplette|volle)[nrs]?\s+(?:betrag|summe|rechnung)"
        r"|everything|all\s+of\s+it|it\s+all|(?:whole|full|entire|total)\s+(?:amount|sum|bill|invoice|balance|thing)"
    ),
}


def with_roles(entities: Sequence[Entity], text: str) -> tuple[list[Entity], frozenset[str]]:
    """The entities with their roles, and the marks of the line.

    Values without a place in the text, as of a pressed button, get no role.
    """
    values = [
        entity
        for entity in entities
        if entity.get("entity") in ("amount", "date", "count", "period")
        and isinstance(entity.get("start"), int)
        and isinstance(entity.get("end"), int)
    ]
    roles = {id(value): Role.OLD for value in _old(values, text)}
    first, rest = _first_payment([value for value in values if id(value) not in roles], text)
    roles |= {id(value): Role.FIRST for value in first}
    plain = [value for value in values if id(value) not in roles]
    roles |= {id(value): Role.LAST for value in _last(plain, values, text)}
    marks = {mark.value for mark, pattern in _MARKS.items() if pattern.search(text)}
    if Mark.EVERYTHING.value in marks and _turns_down_everything(text):
        marks = marks - {Mark.EVERYTHING.value} | {Mark.NOT_EVERYTHING.value}
    if first and _FIRST_RATE.search(text) and not _AT_ONCE.search(text):
        marks.add(Mark.FIRST_RATE.value)
    if rest:
        marks.add(Mark.REST.value)
    marked = [
        {**entity, "role": roles[id(entity)].value} if id(entity) in roles else entity
        for entity in entities
    ]
    return marked, frozenset(marks)


def _old(values: Sequence[Entity], text: str) -> Iterator[Entity]:
    """The values that the line turns down, or moves away from."""
    named = [value for value in values if value["entity"] != "period"]
    for value in named:
        before, after = _around(value, named, text)
        others = [
            other
            for other in named
            if other["entity"] == value["entity"] and other["start"] != value["start"]
        ]
        moved = _FROM.search(before) and any(
            other["start"] > value["start"] and _TO.search(_around(other, named, text)[0])
            for other in others
        )
        limits = _LIMIT.search(before) or _WHY.search(text)  # "more than 30 is not possible"
        refused = _NOT_AFTER.search(after) and not limits
        if _INSTEAD.search(before) or refused or moved or (others and _NOT_BEFORE.search(before)):
            yield value


def _last(plain: Sequence[Entity], values: Sequence[Entity], text: str) -> Iterator[Entity]:
    """The day by which instalments end: no other line calls the day of a payment so."""
    named = any(value["entity"] in ("period", "count") for value in values)
    if not (named or _IN_PARTS.search(text)) or _FIRST_ONE.search(text):
        return
    for value in plain:
        if value["entity"] == "date" and _BY.search(_around(value, values, text)[0]):
            yield value


def _turns_down_everything(text: str) -> bool:
    """Whether the whole sum is negated wherever it is named: "nicht alles"; a question whether it
    could not be paid is none."""
    return not _ASKS_WHETHER.search(text) and all(
        _NEGATED.search(text[: found.start()]) or _NOT_AFTER.search(text[found.end() :])
        for found in _MARKS[Mark.EVERYTHING].finditer(text)
    )


def _around(value: Entity, values: Sequence[Entity], text: str) -> tuple[str, str]:
    """What stands before the value, with its own prepositions, and after it: up to the values
    beside it."""
    start, end = value["start"], value["end"]
    own = _PREPOSITIONS.match(text[start:end])
    begin = max((other["end"] for other in values if other["end"] <= start), default=0)
    stop = min((other["start"] for other in values if other["start"] >= end), default=len(text))
    return text[begin:start] + (own.group() if own else ""), text[end:stop]


@dataclass(slots=True)
class _Part:
    """A stretch of the line between two breaks, the values in it, and the break before it."""

    text: str
    values: list[Entity]
    follows: str

    def has(self, *kinds: str) -> bool:
        return any(value["entity"] in kinds for value in self.values)


def _first_payment(values: Sequence[Entity], text: str) -> tuple[list[Entity], bool]:
    """The values of a first payment; whether what it leaves is to be paid in one sum."""
    parts = list(_parts(values, text))
    if _REST.search(text) and _LET_GO.search(text):
        return [], False  # "I pay 75 and you forget the rest"
    for place, part in enumerate(parts):
        one_amount = len({v["start"] for v in part.values if v["entity"] == "amount"}) == 1
        if not one_amount or part.has("period", "count") or _OR.search(part.text):
            continue
        if _REST.search(part.text) or _DONE.search(part.text):
            continue
        others = [other for other in parts if other is not part]
        rest = next((other for other in others if _REST.search(other.text)), None)
        starts = (
            _NOW.search(part.text)
            or part.has("date")
            or any(_THEN.search(other.follows) for other in parts[place + 1 :])
        )
        goes_on = any(
            other.has("amount") and (other.has("period", "date") or _THEN.search(other.follows))
            for other in others
        )
        alone = _FIRST_RATE.search(part.text) and not _EACH.search(text)
        if rest or (starts and goes_on) or _DOWN.search(part.text) or alone:
            at_once = rest is not None and not (
                rest.has("amount", "count", "period") or _IN_PARTS.search(rest.text)
            )
            return part.values, at_once
    return [], False


def _parts(values: Sequence[Entity], text: str) -> Iterator[_Part]:
    """The line cut at commas and words like "und" and "dann", but not inside a value; stretches
    without a value belong to what comes before them."""
    breaks = [
        match
        for match in _BREAK.finditer(text)
        if not any(v["start"] < match.end() and match.start() < v["end"] for v in values)
    ]
    part, start, lead = _Part("", [], ""), 0, ""
    for stop, resume in [*((found.start(), found.end()) for found in breaks), (len(text),) * 2]:
        stretch = text[start:stop]
        inside = [value for value in values if start <= value["start"] < stop]
        if part.values and (inside or _REST.search(stretch)):
            yield part
            part, lead = _Part("", [], lead), ""
        part.text += f" {stretch}"
        part.values += inside
        lead += f" {text[stop:resume]}"
        start = resume
    yield part
