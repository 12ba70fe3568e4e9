"""How often an instalment is paid, as people write it: "im Monat", "every other Friday"."""
# ruff: noqa: E501 - a pattern is easier to read whole than in pieces

import re
from typing import List, Optional, Sequence

from pipeline.values_numbers import ValueSpan, small_number

# Behind an amount.
PERIOD_AFTER = (
    r"(?:(?:im|pro|je|jede[nrs]?|per|a|each|every|every single|/|am|in the|p\.?)\s?(?:monat|month|mo\b|mon\b|m\b|woche|week|wk)"
    r"|(?:in der|die|jede|each|every|per|a)\s(?:woche|week)|/\s?(?:monat|mon|month|mo|m|week|woche)\b"
    r"|monatlich|w(?:ö|oe)chentlich|monthly|weekly|mtl\.?|mntl\.?|p\.?\s?m\.?(?!\w)|pm\b)"
)
OTHER = "other"
"""A rhythm that is none of weekly, biweekly and monthly: "alle drei Wochen"."""
_STANDS_FOR_RHYTHM = "monthly"
_NUMBER = r"(?:\d{1,2}|zwei|zwo|drei|vier|f(?:ü|ue)nf|sechs|sieben|acht|zehn|vierzehn|dreißig|dreissig|two|three|four|five|six|seven|eight|ten|fourteen|thirty)"
_DAY = r"(?:(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|sonnabend|(?:mon|tues|wednes|thurs|fri|satur|sun)day)s?\b"
_NOT_OF_MONTH = r"(?!\s(?:im|in|des|vom|of)\b)"
_SO_MANY_UNITS = re.compile(
    rf"\b(?:alle|aller|jede[nrs]?|every|once every|once in)\s(?P<count>{_NUMBER})[\s-]?(?P<unit>tage?|days?|wochen?|weeks?|wks?|wo|monate?|months?)\b"
    rf"|\b(?:im|in einem)\s(?P<beats>{_NUMBER})[\s-]?(?P<beat>tages?|wochen|monats?)[\s-]?(?:takt|rhythmus|abstand)\w*"
)
_SECOND = r"(?:jede[nrs]?\s(?:zweite[nrs]?|2\.)|every\s(?:other|second|2nd)|each\s(?:second|other)|every\scouple\sof)"
_TWO_WEEKLY = re.compile(
    rf"\b{_SECOND}(?:\s(?:woche|weeks?|wk)\b|(?=\s{_DAY}{_NOT_OF_MONTH}))"
    r"|\b(?:(?:zwei|zwo|2)[\s-]?w(?:ö|oe)ch(?:entlich|ig|ent)\w*|(?:vierzehn|14)[\s-]?t(?:ä|ae)g(?:ig|lich)\w*)"
    r"|\b(?:bi|two|2)[\s-]?weekly\b|\bfortnightly\b|\b(?:per|every|each|once (?:a|every|per))\sfortnight\b"
    r"|\b(?:(?:zwei|2)\s?(?:mal|x)|twice)\s(?:im|pro|a|per|each|every|in the|in einem)\s(?:monat|month)\b|\bhalbmonatlich\w*|\b(?:twice|semi)[\s-]monthly\b"
)
# After a sum only: "delay it by a fortnight" and "a fortnight today" are times.
_A_FORTNIGHT = re.compile(r"\ba\sfortnight\b(?!['’]?s?\s(?:time|ago|today|later|from|on)\b)")
_SUM_BEFORE = re.compile(
    r"(?:\d|€|\beur(?:os?)?|(?:ten|fteen|ty|ty[\s-](?:one|two|three|four|five|six|seven|eight|nine)|hundred))\s$"
)
_OTHER = re.compile(
    rf"\b{_SECOND}\s(?:monat|month)s?\b|\bzwei[\s-]?monatlich\w*|\bquarterly\b|\bviertelj(?:ä|ae)hrlich\w*|\b(?:pro|im|jedes|per|every|each)\s(?:quartal|quarter)\b"
)
_WEEKLY = re.compile(
    r"\b(?:w(?:ö|oe)chentlich\w*|(?:pro|jede[nrs]?|per|every|each|every single)\s(?:woche|week)|in der woche|/\s?(?:woche|week)\b|(?:ein\s?mal|once)\s(?:die|pro|in der|a|per)\s(?:woche|week)|weekly|wochenraten?)"
    rf"|\b(?:jede[nr]?|every|each)(?=\s{_DAY}{_NOT_OF_MONTH})"
)
_MONTHLY = re.compile(
    r"\b(?:monatlich\w*|monatsraten?|mtl|mntl|(?:im|pro|jede[nrs]?|jedes|je|per|every|each|(?<!\bin )(?<!\bwithin )(?<!\babout )(?<!\bafter )(?<!\bfor )(?<!\bover )a|am)\s(?:monat|month)\b(?!['’]?s?\stime)|monthly|per calendar month|pcm|in'?n monat|p\.m\.)|/\s?(?:monat|mon|month|mo|m)\b"
    rf"|\bjede[ns]\s(?:monats|(?:ersten|letzten|f(?:ü|ue)nfzehnten|\d{{1,2}}\.?)(?=\s(?:des|im)\smonats?|\s?[,.!?]|$))|\b{_SECOND}(?=\s{_DAY}\s(?:im|in|des|vom|of)\b)"
)
_WEEKLY_AFTER_SUM = re.compile(r"[\s.,]*(?:in der woche|die woche|a week|the week)\b")
_BY_DAYS = {7: "weekly", 14: "biweekly", 28: "monthly", 30: "monthly"}
_UNIT_DAYS = {"t": 1, "d": 1, "w": 7, "m": 30}


def find_rhythm(text: str) -> Optional[ValueSpan]:
    """Return the rhythm that is no plain "a week" or "a month", whose words may hold a number."""
    every = _SO_MANY_UNITS.search(text)
    if every:
        count = small_number(every.group("count") or every.group("beats")) or 0
        unit = (every.group("unit") or every.group("beat"))[0].lower()
        name = _BY_DAYS.get(count * _UNIT_DAYS[unit], OTHER)
        return ValueSpan("period", every.start(), every.end(), name)
    for name, pattern in (("biweekly", _TWO_WEEKLY), (OTHER, _OTHER)):
        match = pattern.search(text)
        if match:
            return ValueSpan("period", match.start(), match.end(), name)
    fortnight = _A_FORTNIGHT.search(text)
    if fortnight and _SUM_BEFORE.search(text[: fortnight.start()]):
        return ValueSpan("period", fortnight.start(), fortnight.end(), "biweekly")
    return None


def without_rhythm(text: str, rhythm: Optional[ValueSpan]) -> str:
    """Return the text, as long as it was, with a word for any rhythm in place of this one.

    So its "14" or "zwei" is no figure, and a figure beside it is still said to be paid so often;
    not one before a comma ("make it 4, every two weeks").
    """
    if rhythm is None:
        return text
    before, length = text[: rhythm.start], rhythm.end - rhythm.start
    word = "" if before.rstrip().endswith(",") else _STANDS_FOR_RHYTHM
    return before + word.ljust(length)[:length] + text[rhythm.end :]


def find_periods(text: str, others: Sequence[ValueSpan]) -> List[ValueSpan]:
    """Return the period that is named plainly; `others` are the values found before."""
    for name, pattern in (("weekly", _WEEKLY), ("monthly", _MONTHLY)):
        match = pattern.search(text)
        if match:
            return [ValueSpan("period", match.start(), match.end(), name)]
    for span in others:
        match = _WEEKLY_AFTER_SUM.match(text[span.end :])
        if span.entity == "amount" and match:
            return [ValueSpan("period", span.end, span.end + match.end(), "weekly")]
    return []
