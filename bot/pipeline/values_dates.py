"""Dates as people write them: where they stand in a text, and how to resolve them."""

from dataclasses import dataclass
from typing import Dict, List, Optional, Pattern, Tuple

from pipeline.date_resolvers import Resolver
from pipeline.date_rules import Rule
from pipeline.date_rules_calendar import RULES as CALENDAR
from pipeline.date_rules_events import RULES as EVENTS
from pipeline.date_rules_parts import RULES as PARTS
from pipeline.date_rules_shifts import RULES as SHIFTS
from pipeline.date_rules_weekdays import RULES as WEEKDAYS
from pipeline.values_numbers import in_small_letters

RULES: List[Rule] = [*CALENDAR, *WEEKDAYS, *SHIFTS, *PARTS, *EVENTS]
BY_NEEDS: Dict[Optional[Pattern[str]], List[Tuple[int, Rule]]] = {}
"""The rules by what a text must have for them, each with its rank."""
for _order, _rule in enumerate(RULES):
    BY_NEEDS.setdefault(_rule.needs, []).append((_order, _rule))


@dataclass(frozen=True)
class DateSpan:
    """A time at a place of the text; `resolve(today, past)` gives its day or None.

    `is_duration`: only a length of time ("zwei Wochen"), a date if someone asks for more time.
    `is_event`: some event ("wenn der Umzug geschafft ist"), which may as well be a condition.
    """

    start: int
    end: int
    resolve: Resolver
    has_year: bool = False
    is_duration: bool = False
    is_event: bool = False


def find_dates(text: str) -> List[DateSpan]:
    """Return the times in the text, in order, without overlaps; the longer reading wins."""
    text = in_small_letters(text)
    found: List[Tuple[int, DateSpan]] = []
    for needs, rules in BY_NEEDS.items():
        if needs is not None and needs.search(text) is None:
            continue
        for order, rule in rules:
            for match in rule.pattern.finditer(text):
                reading = rule.build(match)
                if reading is not None and match.end() > match.start():
                    span = DateSpan(
                        match.start(),
                        match.end(),
                        reading.resolve,
                        reading.has_year,
                        reading.is_duration,
                        reading.is_event,
                    )
                    found.append((order, span))
    found.sort(key=lambda one: (one[1].is_duration, one[1].start - one[1].end, one[0]))
    kept: List[DateSpan] = []
    for _, span in found:
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)
