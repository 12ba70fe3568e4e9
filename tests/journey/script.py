"""Dialogues as data: who writes what, which wordings answer, and what must stand at the end.

``dialogues/README.md`` describes the format. Days are relative to the day of the run: ``+9`` is in
nine days, ``-6`` was six days ago.
"""

import calendar
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import yaml
from babel.dates import format_date

from channels.message import Channel
from conversation.wording import load_catalogue

FOLDER = Path(__file__).parent / "dialogues"
LOCALES = {"de": "de_DE", "en": "en_GB"}
_PATTERNS = {
    ("de", ""): "d.M.",
    ("en", ""): "d MMMM",
    ("de", "long"): "d. MMMM",
    ("en", "long"): "MMMM d",
    ("de", "shown"): "d. MMMM yyyy",
    ("en", "shown"): "d MMMM yyyy",
    ("de", "sms"): "dd.MM.yyyy",
    ("en", "sms"): "d MMM yyyy",
    ("de", "weekday"): "EEEE",
    ("en", "weekday"): "EEEE",
}
"""How a day is written into a line, by language and style: ``{+9}``, ``{+9 weekday}``."""
_SLOT = re.compile(r"\{([+-]\d+)(?: (\w+))?\}|\{(\w+)\}")
_ACTS = ("say", "press", "quickly", "swapped", "twice", "edit", "media", "later", "paid")


@dataclass(frozen=True)
class Who:
    """The customer as the merchant knows them. `profile` is the language of their Telegram."""

    channel: Channel
    language: str | None = "de"
    form: str = "sie"
    profile: str | None = None
    born: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True)
class Invoice:
    """One open claim; amounts in minor units, `due` in days from today."""

    price: int
    costs: int = 0
    interest: int = 0
    due: int = -40
    what: str = "Laufschuhe"
    costs_reason: str | None = None

    @property
    def total(self) -> int:
        return self.price + self.costs + self.interest


@dataclass(frozen=True)
class Act:
    """One thing that happens, and what answers it. `answers` is None where anything may."""

    kind: str
    what: Any
    answers: tuple[tuple[frozenset[str], ...], ...] | None
    never: frozenset[str] = frozenset()
    shows: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        known = {*_ACTS, "answers", "either", "never", "shows", "hides"}
        kinds = [kind for kind in _ACTS if kind in data]
        if len(kinds) != 1 or data.keys() - known or ("answers" in data and "either" in data):
            raise ValueError(f"not one act: {data}")
        readings = data.get("either") or ([data["answers"]] if "answers" in data else None)
        return cls(
            kind=kinds[0],
            what=data[kinds[0]],
            answers=None if readings is None else tuple(map(_wordings, readings)),
            never=frozenset(data.get("never", ())),
            shows=tuple(data.get("shows", ())),
            hides=tuple(data.get("hides", ())),
        )

    def answered_by(self, said: list[str]) -> bool:
        """Whether these wordings, in this order, are one of the right answers."""
        if self.never & set(said):
            return False
        return self.answers is None or any(
            len(reading) == len(said)
            and all(word in allowed for word, allowed in zip(said, reading, strict=True))
            for reading in self.answers
        )

    def answered_on_a_phone_by(self, said: list[str]) -> bool:
        """The same where what leads up to the next wording stands in its message."""
        if self.never & set(said):
            return False
        whole = [{name} for name in said]
        return self.answers is None or any(
            len(wanted := _without_leads(reading)) == len(found := _without_leads(whole))
            and all(word <= allowed for word, allowed in zip(found, wanted, strict=True))
            for reading in self.answers
        )


def _without_leads(reading: Sequence[Set[str]]) -> list[Set[str]]:
    wordings = load_catalogue().wordings
    return [
        names
        for place, names in enumerate(reading, 1)
        if place == len(reading) or not all(wordings[name].leads for name in names)
    ]


def _wordings(names: list[str]) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(name.split("|")) for name in names)


@dataclass(frozen=True)
class Script:
    """One dialogue. `defect` says why it is known to fail; `number` makes its customer unique.

    What the customer types comes from `digits` instead, which stay when dialogues are added: how
    a line is understood may depend on them.
    """

    name: str
    number: int
    who: Who
    invoices: tuple[Invoice, ...]
    acts: tuple[Act, ...]
    ends: Mapping[str, Any]
    defect: str | None = None
    situation: str = field(default="", compare=False)

    def digits(self, place: int) -> int:
        """Six digits of this dialogue's own, for the number of its `place`-th invoice."""
        return 100_000 + zlib.crc32(f"{self.name}:{place}".encode()) % 900_000

    @classmethod
    def read(cls, data: Mapping[str, Any], number: int, situation: str) -> Self:
        """Raises ValueError, TypeError or KeyError for data that are no dialogue."""
        extra = data.keys() - {"name", "who", "invoices", "acts", "ends", "defect"}
        if extra:
            raise ValueError(f"{data['name']}: {extra}")
        who = data["who"]
        return cls(
            name=data["name"],
            number=number,
            who=Who(**{**who, "channel": Channel(who["channel"])}),
            invoices=tuple(_invoice(one) for one in data["invoices"]),
            acts=tuple(Act.read(act) for act in data["acts"]),
            ends=data["ends"],
            defect=data.get("defect"),
            situation=situation,
        )


def _invoice(data: Mapping[str, Any]) -> Invoice:
    amounts = {name: minor(data[name]) for name in ("price", "costs", "interest") if name in data}
    return Invoice(**{**data, **amounts})


def minor(euros: float | int | str) -> int:
    """Euros as written in the data, in minor units."""
    return int(Decimal(str(euros)) * 100)


def scripts() -> Iterator[Script]:
    """All dialogues, file by file. Raises ValueError for a name or number that is there twice."""
    taken: set[str | int] = set()
    number = 0
    for path in sorted(FOLDER.glob("*.yml")):
        for data in yaml.safe_load(path.read_text(encoding="utf-8")):
            number += 1
            script = Script.read(data, number, path.stem)
            own = {script.name, *map(script.digits, range(len(script.invoices) + 1))}
            if own & taken:
                raise ValueError(f"{script.name}: another dialogue has that already")
            taken |= own
            yield script


def day(offset: str | int, today: date) -> date:
    """``+9`` as a day."""
    return today + timedelta(days=int(offset))


def days(written: str | list[Any], count: int, today: date) -> list[date]:
    """``[+9]``, or ``monthly from +14`` for so many instalments."""
    if isinstance(written, list):
        return [day(one, today) for one in written]
    period, _, offset = written.partition(" from ")
    first = day(offset, today)
    if period == "monthly":
        return [_months_after(first, number) for number in range(count)]
    weeks = {"weekly": 1, "biweekly": 2}[period]
    return [first + timedelta(weeks=weeks * number) for number in range(count)]


def _months_after(first: date, months: int) -> date:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(first.day, last))


def filled(line: str, facts: Mapping[str, str], language: str, today: date) -> str:
    """A line with its days and facts put in; other braces stay. Raises KeyError for an unknown."""

    def value(match: re.Match[str]) -> str:
        offset, style, fact = match.groups()
        if fact is not None:
            return facts[fact]
        pattern = _PATTERNS[language, style or ""]
        return format_date(day(offset, today), pattern, locale=LOCALES[language])

    return _SLOT.sub(value, line)
