"""What a message said, as values: the entities of the language understanding, made safe to use."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from actions.happened import TOLD, says_what_happened
from actions.roles import Role, with_roles
from ledger.money import Money
from ledger.schedule import Period

DOCUMENT = "document"
"""The entity of a photo or a file that came with the message; its value is the kind."""
_NO_REFERENCE = frozenset(
    {"amount", "date", "count", "period", "phone", "email", "iban", "card_number", "birth_date"}
)
"""Entities whose digits are no invoice, order or customer number."""
_TOKEN = re.compile(r"[0-9A-Za-zÄÖÜäöü][0-9A-Za-z./_\-]*")
_DATE = re.compile(r"\b\d{1,2}\.\s?\d{1,2}\.\s?\d{2,4}\b|\b\d{1,2}/\d{1,2}/\d{2,4}\b")
_MASKED_IBAN = re.compile(r"\b[A-Z]{2}x{9,28}[0-9A-Z]{4}\b", re.IGNORECASE)
"""An account number as the inbox left it; its last four digits are no try."""
_SPELLED_OUT = re.compile(r"[A-Za-zÄÖÜäöü]{1,5}[\s./-]?\d{3,}(?:[\s./-]+\d+)+")
"""A whole message like ``RE 2026 500``: its groups of digits are no amounts."""
_DIGITS_MIN = 3
_SPELLED_OUT_MAX = 24
BIRTH_YEAR_MAX = 2015


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as understood: its intent, its entities and its text."""

    intent: str
    entities: Sequence[Mapping[str, Any]]
    text: str = ""
    ranking: Sequence[str] = ()
    marks: Collection[str] = ()

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Heard:
        """Read the tracker's latest message."""
        text = message.get("text") or ""
        entities, marks = with_roles(message.get("entities") or [], text)
        return cls(
            intent=(message.get("intent") or {}).get("name") or "out_of_scope",
            entities=entities,
            text=text,
            ranking=[reading["name"] for reading in message.get("intent_ranking") or []],
            marks=marks | {TOLD} if says_what_happened(text) else marks,
        )

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Heard:
        """Read what `to_data` wrote."""
        return cls(intent=data["intent"], entities=data["entities"], marks=data.get("marks") or ())

    def to_data(self) -> dict[str, Any]:
        """Intent, marks, and entities with their values and roles, without the customer's words."""
        kept = [
            {name: e[name] for name in ("entity", "value", "role") if name in e}
            for e in self.entities
        ]
        return {"intent": self.intent, "entities": kept, "marks": sorted(self.marks)}

    def values(self, entity: str) -> list[Any]:
        """The values of an entity that are not turned down."""
        return [
            e.get("value")
            for e in self.entities
            if e.get("entity") == entity and e.get("role") != Role.OLD
        ]

    def of_role(self, role: Role) -> Heard:
        """The part of the message that has this role."""
        return replace(self, entities=[e for e in self.entities if e.get("role") == role])

    def without_role(self, role: Role) -> Heard:
        """The message without what has this role."""
        return replace(self, entities=[e for e in self.entities if e.get("role") != role])

    def has(self, *entities: str) -> bool:
        return any(e.get("entity") in entities for e in self.entities)

    def one(self, entity: str) -> str | None:
        """The first value of a textual entity."""
        return next((value for value in self.values(entity) if isinstance(value, str)), None)

    def day(self) -> date | None:
        """The day that was named, if it could be resolved."""
        for value in self.values("date"):
            try:
                return date.fromisoformat(value)
            except (TypeError, ValueError):
                continue
        return None

    def count(self) -> int | None:
        """The number of instalments that was named."""
        counts = [v for v in self.values("count") if isinstance(v, int) and v > 0]
        return counts[0] if counts else None

    def period(self) -> Period | None:
        for value in self.values("period"):
            if isinstance(value, str) and value in set(Period):
                return Period(value)
        return None

    def other_rhythm(self) -> bool:
        """Whether a rhythm was named that no plan has, as "every three weeks"."""
        return self.has("period") and self.period() is None

    def same_words(self, one: str, other: str) -> bool:
        """Whether two entities were read out of the same words, as in a bare "15"."""
        spans = [
            {(e.get("start"), e.get("end")) for e in self.entities if e.get("entity") == entity}
            for entity in (one, other)
        ]
        return any(start is not None for start, _ in spans[0] & spans[1])

    def amount(self, whole: Money) -> Money | None:
        """The amount that was named; a share ("half", "everything") is taken of `whole`.

        An amount in another currency, or of nothing, is no amount.
        """
        for value in self.values("amount"):
            named = _money(value, whole)
            if named is not None and named.minor > 0:
                return named
        return None

    def amounts(self) -> list[Money]:
        """All amounts that were named as figures, in any currency."""
        return [
            Money(value["minor"], value["currency"])
            for value in self.values("amount")
            if isinstance(value, Mapping) and isinstance(value.get("minor"), int)
        ]


_MONTH = re.compile(
    r"\b(?:(jan)|(feb)|(m(?:ä|ae|a)r)|(apr)|(ma[iy])|(jun)|(jul)|(aug)|(sep)|(o[kc]t)|(nov)|(de[zc]))",
    re.IGNORECASE,
)


def month_without_day(heard: Heard) -> int | None:
    """The month (1-12) of a date that names no day, as "in May"."""
    for entity in heard.entities:
        if entity.get("entity") == "date" and entity.get("value") is None:
            found = _MONTH.search(heard.text[entity.get("start", 0) : entity.get("end", 0)])
            if found is not None and found.lastindex is not None:
                return found.lastindex
    return None


def _money(value: Any, whole: Money) -> Money | None:
    if not isinstance(value, Mapping):
        return None
    if isinstance(value.get("minor"), int) and value.get("currency") == whole.currency:
        return Money(value["minor"], whole.currency)
    share = value.get("share")
    if isinstance(share, int | float) and 0 < share <= 1:
        return whole.percent(round(share * 100))
    return None


@dataclass(frozen=True, slots=True)
class Proof:
    """What a message offers as proof of identity."""

    numbers: tuple[str, ...]
    birth_date: str | None
    postal_code: str | None


def proof_in(
    heard: Heard, earlier: Mapping[str, str] | None = None, *, asked: bool = True
) -> Proof:
    """Find numbers, birth date and postal code; halves given earlier are added.

    A bare day long past answers the question for a birth date. Numbers come as entities and, where
    they were `asked` for, as the whole short message (customers type ``RE 2026 1044``) or as
    single words with digits: a year in another sentence is no try.
    """
    halves = dict(earlier or {})
    birth_date = heard.one("birth_date")
    day = heard.day()
    if birth_date is None and day is not None and day.year <= BIRTH_YEAR_MAX:
        birth_date = day.isoformat()
    return Proof(
        numbers=_numbers(heard, asked),
        birth_date=birth_date or halves.get("birth_date"),
        postal_code=heard.one("postal_code") or halves.get("postal_code"),
    )


def _numbers(heard: Heard, asked: bool) -> tuple[str, ...]:
    named = [
        value
        for value in heard.values("invoice_number")
        if isinstance(value, str) and not _MASKED_IBAN.fullmatch(value)
    ]
    if is_reference(heard.text):
        return (heard.text.strip(),)
    if not asked:
        return tuple(named)
    rest = heard.text
    for entity in heard.entities:
        start, end = entity.get("start"), entity.get("end")
        if not isinstance(start, int) or not isinstance(end, int):
            continue
        if entity.get("entity") in _NO_REFERENCE:
            rest = rest[:start] + " " * (end - start) + rest[end:]
    rest = _MASKED_IBAN.sub(" ", _DATE.sub(" ", rest))
    words = [word for word in _TOKEN.findall(rest) if _digits(word) >= _DIGITS_MIN]
    whole = rest.strip()
    if len(whole) <= _SPELLED_OUT_MAX and _digits(whole) >= _DIGITS_MIN:
        words.insert(0, whole)
    return tuple(dict.fromkeys([*named, *words]))


def is_reference(text: str) -> bool:
    """Whether a message is a reference in groups of digits, and nothing besides."""
    whole = text.strip()
    return len(whole) <= _SPELLED_OUT_MAX and _SPELLED_OUT.fullmatch(whole) is not None


def _digits(word: str) -> int:
    return sum(character.isdigit() for character in word)
