"""Dates as people write them: where they stand in a text, and how to resolve them."""

from dataclasses import dataclass
from typing import Dict, List, Optional, Pattern

from pipeline.date_resolvers import Resolver
from pipeline.date_rules import Rule
from pipeline.date_rules_calendar import RULES as CALENDAR
from pipeline.date_rules_events import RULES as EVENTS
from pipeline.date_rules_parts import RULES as PARTS
from pipeline.date_rules_shifts import RULES as SHIFTS
from pipeline.date_rules_weekdays import RULES as WEEKDAYS

RULES: List[Rule] = [*CALENDAR, *WEEKDAYS, *SHIFTS, *PARTS, *EVENTS]


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
    found: List[DateSpan] = []
    has: Dict[Optional[Pattern[str]], bool] = {None: True}
    for rule in RULES:
        if rule.needs not in has:
            has[rule.needs] = rule.needs is not None and rule.needs.search(text) is not None
        if not has[rule.needs]:
            continue
        for match in rule.pattern.finditer(text):
            reading = rule.build(match)
            if reading is not None and match.end() > match.start():
                found.append(
                    DateSpan(
                        match.start(),
                        match.end(),
                        reading.resolve,
                        reading.has_year,
                        reading.is_duration,
                        reading.is_event,
                    )
                )
    found.sort(key=lambda span: (span.is_duration, span.start - span.end))
    kept: List[DateSpan] = []
    for span in found:
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)
