"""Which language a message is in, robust for single words and shorthand.

A naive Bayes over words and letter groups, learned from our own training lines.
"""

import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import AbstractSet, Dict, Iterator, Mapping, Optional, Sequence, Tuple

LANGUAGES: Tuple[str, str] = ("de", "en")
FILE_NAME = "language.json"
_WORD = re.compile(r"[^\W\d_]+")
# "RE-2026-1042" is in no language.
_HAS_DIGIT = re.compile(r"\S*\d\S*")
# Under this log-odds a message is too short or too mixed to overrule the conversation.
_CLEAR_LOG_ODDS = 3.0
# Words of both languages ("november", "paypal", "ok") say nothing, nor do their letters.
_NEUTRAL_LOG_ODDS = 1.0
_WORD_WEIGHT = 1.5
_GROUP_WEIGHT = 0.25


def _words(text: str) -> Sequence[str]:
    return _WORD.findall(_HAS_DIGIT.sub(" ", text.lower()))


def _features(text: str, neutral: AbstractSet[str]) -> Iterator[Tuple[str, float]]:
    for word in _words(text):
        if word in neutral:
            continue
        yield word, _WORD_WEIGHT
        padded = f"<{word}>"
        for size in (2, 3, 4):
            for start in range(len(padded) - size + 1):
                yield f"_{padded[start : start + size]}", _GROUP_WEIGHT


def _log_odds(texts: Sequence[Sequence[str]], languages: Sequence[str]) -> Dict[str, float]:
    """Log-odds of German against English for each feature of the texts."""
    counts: Dict[str, Counter] = {language: Counter() for language in LANGUAGES}
    for features, language in zip(texts, languages, strict=True):
        counts[language].update(features)
    german, english = (counts[language] for language in LANGUAGES)
    vocabulary = set(german) | set(english)
    german_total = sum(german.values()) + len(vocabulary)
    english_total = sum(english.values()) + len(vocabulary)
    return {
        feature: round(
            math.log((german[feature] + 0.5) / german_total)
            - math.log((english[feature] + 0.5) / english_total),
            3,
        )
        for feature in vocabulary
    }


def _of_both(texts: Sequence[str], languages: Sequence[str]) -> AbstractSet[str]:
    """Words that both languages use about as often."""
    words = [_words(text) for text in texts]
    used = [
        {word for said, of in zip(words, languages, strict=True) if of == language for word in said}
        for language in LANGUAGES
    ]
    odds = _log_odds(words, languages)
    return {word for word in used[0] & used[1] if abs(odds[word]) < _NEUTRAL_LOG_ODDS}


class LanguageModel:
    """Log-odds of German against English for words and letter groups; words of both say nothing."""

    def __init__(self, log_odds: Mapping[str, float], neutral: AbstractSet[str]) -> None:
        self._log_odds = dict(log_odds)
        self._neutral = frozenset(neutral)

    @classmethod
    def fit(cls, texts: Sequence[str], languages: Sequence[str]) -> "LanguageModel":
        """Learn from texts and their language, each one of `LANGUAGES`."""
        neutral = _of_both(texts, languages)
        features = [[feature for feature, _ in _features(text, neutral)] for text in texts]
        return cls(_log_odds(features, languages), neutral)

    def detect(self, text: str, fallback: Optional[str] = None) -> str:
        """Return the language of the text.

        `fallback` (the language of the conversation) decides where the text does not; without
        it the better guess does, and German where there are no letters at all.
        """
        score = sum(
            weight * self._log_odds.get(feature, 0.0)
            for feature, weight in _features(text, self._neutral)
        )
        if fallback in LANGUAGES and abs(score) < _CLEAR_LOG_ODDS:
            return str(fallback)
        return LANGUAGES[0] if score >= 0 else LANGUAGES[1]

    def save(self, directory: Path) -> None:
        """Write the model into a directory."""
        learned = {"log_odds": self._log_odds, "neutral": sorted(self._neutral)}
        (directory / FILE_NAME).write_text(json.dumps(learned), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> "LanguageModel":
        """Read what `save` wrote."""
        learned = json.loads((directory / FILE_NAME).read_text(encoding="utf-8"))
        return cls(learned["log_odds"], learned["neutral"])
