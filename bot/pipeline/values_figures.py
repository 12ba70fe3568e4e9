"""Figures in digits and in words, where they stand in a text and what they are worth.

"1.234,56", "zwanzig fünfzig", "2k", "nen 50er": what each is a figure of, its surroundings say.
"""
# ruff: noqa: E501 - a pattern is easier to read whole than in pieces

import re
from dataclasses import dataclass
from typing import List, Optional, Tuple

from pipeline.values_numbers import ARTICLES, parse_decimal, word_numbers


@dataclass(frozen=True)
class Figure:
    """A figure at a place of the text; `is_note` where it names a bank note."""

    start: int
    end: int
    hundredths: int
    is_whole: bool
    is_word: bool = False
    is_note: bool = False


_DIGITS = re.compile(
    r"(?:(?<![\w.,/:])|(?<=\d[x×]))(?<![a-zA-Z]-)(?:\d{1,3}(?:[.,' ]\d{3})+|\d{1,7})(?:[.,]\d{1,2}(?!\d)|[.,](?:-{1,2}|–))?(?!\d|/\d)"
)
# "nen 50er": a note; "am 20er" is a day, "die 90er" are years.
_NOTE_DIGITS = re.compile(
    r"(?:\b(?:ein(?:en?|em)?|'?n(?:en?|em)?|an?|noch|jeden|je|zwei|drei|vier|two|three)\s)(?P<note>5|10|20|50|100|200|500)er\b(?!\s*jahre)"
)
_NOTE_WORD = re.compile(
    r"(?:(?:zehn|zwanzig|dreißig|fünf|fünfzig|hundert|tausend)er|f(?:ü|ue)nfer|zwanni|fuffi|hunni|tenner|fiver|grand|fifties|twenties)s?$"
)
_NOTES_MAX = 50
_ENGLISH_ONES = frozenset(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
# "2k", "1,5k".
_THOUSANDS = re.compile(r"\s?k\b(?!\s?m)")
EURO = r"(?:€|eur(?:o|os|onen)?s?\b|euronen\b|eu?r?o?nen\b|ois\b|euronnen\b|€uro\b|tacken\b|flocken\b|m(?:ä|ae)use\b|piepen\b|(?:ö|oe)cken\b|ocken\b|kr(?:ö|oe)ten\b)"
_ARTICLE_EURO = re.compile(rf"\b({'|'.join(re.escape(article) for article in ARTICLES)})\s+{EURO}")


def find_figures(text: str) -> List[Figure]:
    """Return the figures of the text in order, without overlaps."""
    found = []
    for match in _DIGITS.finditer(text):
        thousands = _THOUSANDS.match(text, match.end())
        end, factor = (thousands.end(), 1000) if thousands else (match.end(), 1)
        value = parse_decimal(match.group()) * factor
        found.append(
            Figure(match.start(), end, value, value % 100 == 0 and match.group().isdigit())
        )
    taken = [(number.start, number.end) for number in found]
    words = [
        Figure(
            word.start,
            word.end,
            word.value * 100,
            True,
            True,
            _NOTE_WORD.match(text[word.start : word.end]) is not None,
        )
        for word in word_numbers(text)
        if all(word.end <= start or word.start >= end for start, end in taken)
    ]
    found += words
    for match in _NOTE_DIGITS.finditer(text):
        start = match.start("note")
        found = [number for number in found if number.start != start]
        found.append(Figure(start, match.end(), int(match.group("note")) * 100, True, True, True))
    found = _joined(text, sorted(found, key=lambda number: number.start))
    for match in _ARTICLE_EURO.finditer(text):
        if all(match.end(1) <= n.start or match.start() >= n.end for n in found):
            found.append(Figure(match.start(1), match.end(1), 100, True))
    return sorted(found, key=lambda number: number.start)


def _joined(text: str, words: List[Figure]) -> List[Figure]:
    """Return the numbers with those said in two parts as one: "zwanzig fünfzig" is 20.50."""
    joined: List[Figure] = []
    for number in words:
        first = joined[-1] if joined else None
        both = first and _in_two_parts(text, first, number)
        if first and both:
            joined[-1] = Figure(first.start, number.end, both[0], both[1], True, number.is_note)
        else:
            joined.append(number)
    return joined


def _in_two_parts(text: str, first: Figure, second: Figure) -> Optional[Tuple[int, bool]]:
    """Return hundredths and whether they are whole, if the second number goes on the first."""
    between = text[first.end : second.start]
    value, more = first.hundredths // 100, second.hundredths // 100
    if not first.is_whole or not second.is_whole:
        return None
    if second.is_note:
        is_many = between == " " and 1 < value <= _NOTES_MAX and not first.is_note
        return (value * more * 100, True) if is_many else None
    if re.fullmatch(r"\s(?:komma|point|comma)\s", between):
        return value * 100 + (more * 10 if more < 10 else more), False
    if between != " " or not first.is_word or not second.is_word:
        return None
    if more in (100, 1000) and 1 < value < more:
        return value * more * 100, True
    # "two fifty a month" is 250, "zwei fünfzig" is 2.50.
    if text[first.start : first.end].lower() in _ENGLISH_ONES and 10 <= more < 100:
        return (value * 100 + more) * 100, True
    # "zwanzig dreißig" is a range, "zwanzig fünfzig" is not.
    if 10 <= more < 100 and value < 1000 and more - value not in (5, 10, 20):
        return value * 100 + more, False
    return None
