"""What a way to say a time is made of: a pattern, and what becomes of its match.

The ways themselves lie beside it: `date_rules_calendar.py` (days of months), `_weekdays`, `_shifts`
("in drei Wochen"), `_parts` ("Ende Januar") and `_events` ("wenn mein Gehalt kommt"). A stretch of
time without a day is found too: it has no day, and the customer is asked for one.
"""

import re
from dataclasses import dataclass
from typing import Callable, List, Match, Optional, Pattern, Tuple

from pipeline.date_resolvers import FEASTS, Resolver
from pipeline.date_words import LONG_WEEKDAY, MONTH


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


_SHORT_WEEKDAYS = r"\b(?:mo|di|mi|do|fr|fri|sa|sat|so|sun|mon|tue|tues|wed|weds|thu|thur|thurs)\b"
# A group of this beginning is in every match of its pattern. Most texts have no weekday and no
# month: looking once for any of them is cheaper than for each of the ways to say it.
_NEEDS: Tuple[Tuple[str, Pattern[str]], ...] = tuple(
    (group, re.compile(need))
    for group, need in (
        ("(?P<weekday>", rf"{LONG_WEEKDAY}|{_SHORT_WEEKDAYS}"),
        (f"{MONTH[:20]}", rf"(?<![^\W\d_]){MONTH}"),
        ("(?P<unit>", r"t[aä]g|tg|woch|wo\b|monat|jahr|day|week|wk|mon|fortnight|year|quartal|eom"),
        (r"(?P<day>\d{1,2})", r"\d"),
        (r"(?P<day>\d{1,2}(?:\s?\.(?!\d)", r"\d"),
        (r"\bon\s+|\bby\s+)(?P<day>", r"\b(?:the|on|by)\b"),
        (r"(?:bank)?(?:arbeits|", r"tag|day"),
        (r"(?P<where>nach|vor|after|before)\s+)?(?:", "|".join(FEASTS)),
        ("(?P<part>", r"anfang|beginn|mi[td]|end|start|early|late"),
    )
)


def _need_of(pattern: str) -> Optional[Pattern[str]]:
    return next((need for group, need in _NEEDS if group in pattern), None)


class Rules(List[Rule]):
    """Ways to say one kind of time; where two match the same words, the first one holds."""

    def of(self, *patterns: str) -> Callable[[Build], Build]:
        """Return the decorator that adds these patterns with what it decorates."""

        def register(build: Build) -> Build:
            for pattern in patterns:
                self.append(Rule(re.compile(pattern), build, _need_of(pattern)))
            return build

        return register
