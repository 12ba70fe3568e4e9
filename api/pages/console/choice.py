"""Which conversations somebody chose, as words in the address: read, written, and asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

import yaml

from channels.payload import storable
from conversation.finding import Behind, Place, Question
from conversation.overview_sql import TALKED
from conversation.sought import TYPED_CHARACTERS_MAX
from ledger.segment import Band
from outreach.overview_sql import STAGES

STATES = ("bot", "waiting", "agent", "closed")
CHANNELS = ("sms", "whatsapp", "telegram", "terminal")
WITH = ("unsure", "not_understood", "handoff", "dispute", "opt_out", "flagged")
OUTCOMES = ("promise", "deferral", "instalment_plan", "settlement")
RATINGS = ("1", "2", "3", "4", "5")
VALUE_CHARACTERS_MAX = 80
_DOMAIN = Path(__file__).parents[3] / "bot" / "domain" / "intents.yml"
_FREE = ("wording", "variant", "agent")
_ONE_OF = {"state": STATES, "channel": CHANNELS, "outcome": OUTCOMES, "rating": RATINGS}
_OF_OVERVIEW = {"figure": (*STAGES, *TALKED), "band": tuple(Band)}
"""What the overview's figures say when they lead here."""


@cache
def intents() -> tuple[str, ...]:
    """The names of all that the assistant understands."""
    domain = yaml.safe_load(_DOMAIN.read_text("utf-8"))
    return tuple(sorted(next(iter(one)) for one in domain["intents"]))


@cache
def entities() -> tuple[str, ...]:
    """The names of all values that the assistant looks for."""
    return tuple(sorted(yaml.safe_load(_DOMAIN.read_text("utf-8"))["entities"]))


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen; what nobody could have chosen is left out."""

    given: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, pairs: Iterable[tuple[str, Any]]) -> "Choice":
        """From the pairs of an address, or of a form that repeats one."""
        kept: dict[tuple[str, str], None] = {}
        for name, value in pairs:
            if isinstance(value, str) and (value := storable(value).strip()) and _fits(name, value):
                kept[name, value] = None
        return cls(tuple(kept))

    @classmethod
    def of_query(cls, query: str) -> "Choice":
        """From what `query` wrote."""
        return cls.read(parse_qsl(query))

    def __bool__(self) -> bool:
        return bool(self.given)

    def __getitem__(self, name: str) -> str:
        """What was chosen of this; empty: nothing."""
        return next((value for one, value in self.given if one == name), "")

    @property
    def marks(self) -> Sequence[str]:
        """All that has to be known of a conversation."""
        marks = [f"with:{value}" for name, value in self.given if name == "with"]
        for name in (*_ONE_OF, "intent", "wording", "agent"):
            # Of a figure it is where the contact went, not where the dialogue is.
            if self[name] and not (name == "channel" and self["figure"]):
                marks.append(f"{name}:{self[name]}")
        if self["wording"] and self["variant"]:
            marks.append(f"variant:{self['wording']}:{self['variant']}")
        return marks

    def question(self, zone: ZoneInfo) -> Question:
        """The same as conversations are asked for; days are those of the merchant."""
        since, until, figure = _day(self["since"]), _day(self["until"]), self["figure"]
        return Question(
            self["q"],
            tuple(self.marks),
            datetime.combine(since, time(), zone) if since else None,
            datetime.combine(until + timedelta(days=1), time(), zone) if until else None,
            Behind(figure, self["channel"], self["band"]) if figure else None,
        )

    def query(self, *, lang: str = "", before: Place | None = None, done: str = "") -> str:
        """The address's question mark and all behind it."""
        pairs = [*self.given, ("lang", lang), ("before", str(before or "")), ("done", done)]
        written = urlencode([pair for pair in pairs if pair[1]])
        return f"?{written}" if written else ""


def _fits(name: str, value: str) -> bool:
    if name == "q":
        return len(value) <= TYPED_CHARACTERS_MAX
    if name == "with":
        return value in WITH
    if name == "intent":
        return value in intents()
    if name in _FREE:
        return len(value) <= VALUE_CHARACTERS_MAX
    if name in ("since", "until"):
        return _day(value) is not None
    return value in (_ONE_OF | _OF_OVERVIEW).get(name, ())


def _day(given: str) -> date | None:
    try:
        day = date.fromisoformat(given)
    except ValueError:
        return None
    # The day after has to exist, in every zone.
    return day if 1970 <= day.year <= 9000 else None
