"""How hard a text is to read, as a school year: short words and short sentences are easy.

German: the first Wiener Sachtextformel (Bamberger and Vanecek, 1984), made for texts of this kind.
English: the Flesch-Kincaid grade. Both count syllables; a group of vowels is one, near enough for
either language. A reader of level B1 manages about the eighth school year.
"""

from __future__ import annotations

import re

GRADE_MAX = {"de": 8.0, "en": 7.0}
SENTENCE_WORDS_MAX = 18
WORDS_MIN = 10
"""A text of fewer words has no grade: one long word would decide it."""

_WORD = re.compile(r"[^\W\d_]{2,}|\b[aI]\b")
_NOT_PROSE = re.compile(r"\S*[@/]\S*|\bwww\.\S+|\S*\d\S*")
"""Addresses, amounts, numbers and references are looked at, not read."""
_SENTENCE_END = re.compile(r"[.!?:]+(?:\s|$)|\n+")
_ABBREVIATION = re.compile(r"\b(z\. ?B|d\. ?h|e\.g|i\.e)\.")
_VOWELS = {
    "de": re.compile(r"ei|ai|au|eu|äu|ie|aa|ee|oo|[aeiouyäöü]"),
    "en": re.compile(r"[aeiouy]+"),
}
_SILENT_E = re.compile(r"[^aeiouyl]e$|[^aeiouydt]ed$")


def syllables(word: str, language: str) -> int:
    """Syllables of one word, at least one."""
    lower = word.lower()
    count = len(_VOWELS[language].findall(lower))
    if language == "en" and count > 1 and _SILENT_E.search(lower):
        count -= 1
    return max(1, count)


def sentences(text: str) -> list[list[str]]:
    """The words of each sentence; a line and a colon end one too, as they do for the eye."""
    prose = _NOT_PROSE.sub(_keep_end, _ABBREVIATION.sub("", text))
    found = (_WORD.findall(part) for part in _SENTENCE_END.split(prose))
    return [words for words in found if words]


def _keep_end(found: re.Match[str]) -> str:
    """What ended a sentence still does, except the point of an ordinal number."""
    token = found.group()
    return token[-1] if token[-1] in "!?:" or re.search(r"[^\d]\.$|\d{4}\.$", token) else " "


def grade(text: str, language: str) -> float | None:
    """The school year a text is fit for; None where it is too short to tell."""
    parts = sentences(text)
    words = [word for part in parts for word in part]
    if len(words) < WORDS_MIN:
        return None
    lengths = [syllables(word, language) for word in words]
    mean_sentence = len(words) / len(parts)
    if language == "en":
        return 0.39 * mean_sentence + 11.8 * sum(lengths) / len(words) - 15.59
    percent = 100 / len(words)
    many = percent * sum(1 for length in lengths if length >= 3)
    single = percent * sum(1 for length in lengths if length == 1)
    wide = percent * sum(1 for word in words if len(word) > 6)
    return 0.1935 * many + 0.1672 * mean_sentence + 0.1297 * wide - 0.0327 * single - 0.875


def longest_sentence(text: str) -> int:
    """Words of the longest sentence."""
    return max((len(part) for part in sentences(text)), default=0)
