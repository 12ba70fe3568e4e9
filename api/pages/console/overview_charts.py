"""Charts as plain geometry: shares of the width and pixels of the height, for a template to draw.

Lengths begin at zero. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

HEIGHT: Final = 140
"""Pixels of the columns' part."""
DAYS_APART_MAX: Final = 31
"""More days than these are drawn as weeks, more weeks than so many as months."""
WEEKS_APART_MAX: Final = 27
GAP: Final = 0.2
"""Of a column's place."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a whole, as per cent of the width."""

    name: str
    count: int
    share: float
    """Of the first one, between 0 and 100."""


@dataclass(frozen=True, slots=True)
class Column:
    """What came in from one day to another, as a rectangle."""

    first: date
    last: date
    minor: int
    left: float
    width: float
    middle: float
    """All three per cent of the width."""
    top: float
    height: float
    """Both pixels."""


def bars(counts: Sequence[tuple[str, int]]) -> list[Bar]:
    """Each count as a share of the largest one; the first of a funnel is that, but for paying."""
    most = max((count for _, count in counts), default=0)
    return [Bar(name, count, _share(count, most)) for name, count in counts]


def columns(days: Mapping[date, int], first: date, last: date) -> list[Column]:
    """One column for each day, week (from its Monday) or month of the period, in order."""
    spans = _spans(first, last)
    sums = [
        sum(minor for day, minor in days.items() if begins <= day <= ends) for begins, ends in spans
    ]
    top, bottom = max(*sums, 0, 0), min(*sums, 0, 0)
    reach = top - bottom or 1
    place = 100 / len(spans)
    return [
        Column(
            begins, ends, minor,
            left=place * (number + GAP / 2), width=place * (1 - GAP),
            middle=place * (number + 0.5),
            top=HEIGHT * (top - max(minor, 0)) / reach, height=HEIGHT * abs(minor) / reach,
        )
        for number, ((begins, ends), minor) in enumerate(zip(spans, sums, strict=True))
    ]  # fmt: skip


def zero(found: Sequence[Column]) -> float:
    """Where nothing is, in pixels from the top."""
    above = [one.top + one.height for one in found if one.minor > 0]
    below = [one.top for one in found if one.minor < 0]
    return max(above) if above else min(below, default=HEIGHT)


def _spans(first: date, last: date) -> list[tuple[date, date]]:
    count = (last - first).days + 1
    spans, begins = [], first
    while begins <= last:
        if count <= DAYS_APART_MAX:
            ends = begins
        elif count <= DAYS_APART_MAX + 7 * WEEKS_APART_MAX:
            ends = begins + timedelta(days=6 - begins.weekday())
        else:
            ends = (begins.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        spans.append((begins, min(ends, last)))
        begins = ends + timedelta(days=1)
    return spans


def _share(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
