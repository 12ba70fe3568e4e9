"""How often an amount is paid: every week, every month."""
# ruff: noqa: E501 - a pattern is easier to read whole than in pieces

import re
from typing import List

from pipeline.values_numbers import ValueSpan

# Behind an amount.
PERIOD_AFTER = (
    r"(?:(?:im|pro|je|jede[nrs]?|per|a|each|every|every single|/|am|in the|p\.?)\s?(?:monat|month|mo\b|mon\b|m\b|woche|week|wk)"
    r"|(?:in der|die|jede|each|every|per|a)\s(?:woche|week)|/\s?(?:monat|mon|month|mo|m|week|woche)\b"
    r"|monatlich|w(?:ö|oe)chentlich|monthly|weekly|mtl\.?|mntl\.?|p\.?\s?m\.?(?!\w)|pm\b)"
)
_PERIODS = (
    ("weekly", re.compile(r"\b(?:w(?:ö|oe)chentlich\w*|(?:pro|jede[nrs]?|per|every|each)\s(?:woche|week)|in der woche|/\s?(?:woche|week)\b|weekly|wochenraten?)", re.I)),
    ("monthly", re.compile(r"\b(?:monatlich\w*|monatsraten?|mtl|mntl|(?:im|pro|jede[nrs]?|jedes|je|per|every|each|(?<!\bin )(?<!\bwithin )(?<!\babout )(?<!\bafter )(?<!\bfor )(?<!\bover )a|am)\s(?:monat|month)\b(?!['’]?s?\stime)|monthly|per calendar month|pcm|in'?n monat|p\.m\.)|/\s?(?:monat|mon|month|mo|m)\b", re.I)),
)  # fmt: skip
_WEEKLY_AFTER_AMOUNT = re.compile(
    r"[\s.,]*(?:in der woche|die woche|a week|the week)\b", re.IGNORECASE
)


def find_periods(text: str, others: List[ValueSpan]) -> List[ValueSpan]:
    """Return the period that the text names; `others` are its amounts."""
    for name, pattern in _PERIODS:
        match = pattern.search(text)
        if match:
            return [ValueSpan("period", match.start(), match.end(), name)]
    for span in others:
        match = _WEEKLY_AFTER_AMOUNT.match(text[span.end :])
        if span.entity == "amount" and match:
            return [ValueSpan("period", span.end, span.end + match.end(), "weekly")]
    return []
