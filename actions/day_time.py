"""The time of day that a message names, as far as a person who calls back needs it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time

_NUMBERS = (
    ("eins", "ein", "one"), ("zwei", "two"), ("drei", "three"), ("vier", "four"),
    ("fünf", "five"), ("sechs", "six"), ("sieben", "seven"), ("acht", "eight"), ("neun", "nine"),
    ("zehn", "ten"), ("elf", "eleven"), ("zwölf", "twelve"),
)  # fmt: skip
_HOUR_OF = {word: number for number, words in enumerate(_NUMBERS, 1) for word in words}
_HOUR = rf"(?:\d{{1,2}}|{'|'.join(_HOUR_OF)})"
_NO_CLOCK = (
    r"(?!\d|\.\s?[\da-zä]|\s*(?:€|euro|tag|woch|monat|jahr|min|stund|rate|mal\b|day|week|month|year"
    r"|hour|time))"
)
_MINUTES = r"(?:(?::|\.(?=\d\d(?!\d?\.)))(\d{2}))?"  # "10.30", but not the day of "1.12."
_CLOCK = rf"({_HOUR})\b{_MINUTES}{_NO_CLOCK}\s*(uhr|h\b|o'?clock|[ap]\.?m\b\.?)?"
_BOUNDS = {
    "between": r"zwischen|von|between|from",
    "from": r"ab|nach|after|from",
    "until": r"bis|vor|until|till|before|by",
    "at": r"um|gegen|so\sgegen|at|around|about|kurz\snach",
}
_SPAN = re.compile(rf"\b(?:{_BOUNDS['between']})\s+{_CLOCK}\s*(?:und|bis|and|to|-|–)\s*{_CLOCK}")
_BOUND = {name: re.compile(rf"\b(?:{words})\s+{_CLOCK}") for name, words in _BOUNDS.items()}
_HALF = re.compile(rf"\bhalb\s+({_HOUR})\b")
_BARE = re.compile(
    r"\b(\d{1,2})(?:[:.](\d{2}))?\s*(uhr|o'?clock|[ap]\.?m\b\.?)|\b(\d{1,2}):(\d{2})\b"
)
_PARTS = {
    "morning": r"vormittags?|morgens|am\smorgen|(?:morgen|heute|der)\sfrüh|morning",
    "noon": r"mittags?|lunch\s?time|noon",
    "afternoon": r"nachmittags?|afternoons?",
    "evening": r"abends?|feierabend|evenings?|tonight",
}
_PART = {name: re.compile(rf"\b(?:{words})\b") for name, words in _PARTS.items()}
_WORKING_DAY_BEGINS = 7


@dataclass(frozen=True, slots=True)
class DayTime:
    """A wish like "after 6 pm": a code of what `start` is, the clock, the part of the day."""

    bound: str | None = None
    """``at``, ``from``, ``until`` or ``between``; None: only a part of the day."""
    start: time | None = None
    end: time | None = None
    part: str | None = None
    """``morning``, ``noon``, ``afternoon`` or ``evening``."""

    def to_data(self) -> dict[str, str]:
        """What was named, as codes and ``HH:MM``."""
        clock = {"time": self.start, "time_end": self.end}
        named = {name: f"{at:%H:%M}" for name, at in clock.items() if at is not None}
        codes = {"time_bound": self.bound, "day_part": self.part}
        return {**named, **{name: code for name, code in codes.items() if code is not None}}


def day_time(text: str) -> DayTime | None:
    """The time of day in a text, German or English; None where none is named.

    Hours from 1 to 6 without "am" are those of the afternoon: nobody asks to be called at night.
    """
    said = " ".join(text.casefold().split())
    part = next((name for name, words in _PART.items() if words.search(said)), None)
    if found := _SPAN.search(said):
        hour, minute, half, last, minutes, half_end = found.groups()
        start = _clock(hour, minute, half or half_end, part)
        end = _clock(last, minutes, half_end, part)
        if start and end and start < end:
            return DayTime("between", start, end, part)
    if found := _HALF.search(said):
        start = _clock(_hour(found[1]) - 1 or 12, "30", None, part)
        return DayTime("at", start, None, part) if start else None
    for bound, pattern in _BOUND.items():
        if bound != "between" and (found := pattern.search(said)):
            start = _clock(found[1], found[2], found[3], part)
            if start is not None:
                return DayTime(bound, start, None, part)
    if found := _BARE.search(said):
        start = _clock(found[1] or found[4], found[2] or found[5], found[3], part)
        if start is not None:
            return DayTime("at", start, None, part)
    return DayTime(part=part) if part else None


def _hour(said: str | int) -> int:
    return _HOUR_OF.get(str(said)) or int(said)


def _clock(hour: str | int, minute: str | None, half: str | None, part: str | None) -> time | None:
    hours, minutes = _hour(hour), int(minute or 0)
    if hours > 24 or minutes > 59:
        return None
    marked = (half or "").replace(".", "")
    later = marked == "pm" or (part in ("afternoon", "evening") and marked != "am")
    if marked == "am" and hours == 12:
        hours = 0
    elif hours < 12 and (later or (marked != "am" and hours < _WORKING_DAY_BEGINS)):
        hours += 12
    return time(hours % 24, minutes)
