"""Which language a message is in, robust for single words and shorthand.

A naive Bayes over words and letter groups, learned from our own training lines.
"""

import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import Dict, Iterator, Mapping, Optional, Sequence, Tuple

LANGUAGES: Tuple[str, str] = ("de", "en")
FILE_NAME = "language.json"
_WORD = re.compile(r"[^\W\d_]+")
# "RE-2026-1042" is in no language.
_HAS_DIGIT = re.compile(r"\S*\d\S*")
# Under this log-odds a message is too short or too mixed to overrule the conversation.
_CLEAR_LOG_ODDS = 1.0
_WORD_WEIGHT = 1.5
_GROUP_WEIGHT = 0.25


def _features(text: str) -> Iterator[Tuple[str, float]]:
    for word in _WORD.findall(_HAS_DIGIT.sub(" ", text.lower())):
        yield word, _WORD_WEIGHT
        padded = f"<{word}>"
        for size in (2, 3, 4):
            for start in range(len(padded) - size + 1):
                yield f"_{padded[start : start + size]}", _GROUP_WEIGHT


class LanguageModel:
    """Log-odds of German against English for words and letter groups."""

    def __init__(self, log_odds: Mapping[str, float]) -> None:
        self._log_odds = dict(log_odds)

    @classmethod
    def fit(cls, texts: Sequence[str], languages: Sequence[str]) -> "LanguageModel":
        """Learn from texts and their language, each one of `LANGUAGES`."""
        counts: Dict[str, Counter] = {language: Counter() for language in LANGUAGES}
        for text, language in zip(texts, languages, strict=True):
            counts[language].update(feature for feature, _ in _features(text))
        german, english = (counts[language] for language in LANGUAGES)
        vocabulary = set(german) | set(english)
        german_total = sum(german.values()) + len(vocabulary)
        english_total = sum(english.values()) + len(vocabulary)
        return cls(
            {
                feature: round(
                    math.log((german[feature] + 0.5) / german_total)
                    - math.log((english[feature] + 0.5) / english_total),
                    3,
                )
                for feature in vocabulary
            }
        )

    def detect(self, text: str, fallback: Optional[str] = None) -> str:
        """Return the language of the text.

        `fallback` (the language of the conversation) decides where the text does not; without
        it the better guess does, and German where there are no letters at all.
        """
        score = sum(
            weight * self._log_odds.get(feature, 0.0) for feature, weight in _features(text)
        )
        if fallback in LANGUAGES and abs(score) < _CLEAR_LOG_ODDS:
            return str(fallback)
        return LANGUAGES[0] if score >= 0 else LANGUAGES[1]

    def save(self, directory: Path) -> None:
        """Write the model into a directory."""
        (directory / FILE_NAME).write_text(json.dumps(self._log_odds), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> "LanguageModel":
        """Read what `save` wrote."""
        return cls(json.loads((directory / FILE_NAME).read_text(encoding="utf-8")))
