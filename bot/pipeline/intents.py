"""Which intent a message has: a linear model over meaning, words and letters.

Two logistic regressions, one over the sentence encoder's vector (what is meant, across
languages) and one over word and letter groups (how it is said), mixed and calibrated.
"""

import json
import re
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

WEIGHTS_FILE = "intents.npz"
WORDS_FILE = "intents.json"
REJECTED = "out_of_scope"
# Vectors have length 1; scaled so that the regularisation treats them like the n-grams.
_VECTOR_SCALE = 5.0
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def normalise(text: str) -> str:
    """Return the text as the letter groups see it: lower case, umlauts written out, no digits."""
    text = text.lower().translate(_UMLAUTS)
    text = re.sub(r"(.)\1{2,}", r"\1\1", text)
    return re.sub(r"\d+", "0", text)


def _word_groups() -> Dict[str, Any]:
    return {
        "analyzer": "word",
        "token_pattern": r"(?u)\w+|[?!]|[^\w\s]",
        "ngram_range": (1, 2),
        "sublinear_tf": True,
    }


def _letter_groups() -> Dict[str, Any]:
    return {"analyzer": "char_wb", "ngram_range": (2, 5), "sublinear_tf": True}


class IntentModel:
    """Classes, weights and vocabulary; `fit` makes one, `load` reads one."""

    def __init__(
        self,
        classes: List[str],
        vectorizers: Tuple[TfidfVectorizer, TfidfVectorizer],
        weights: Dict[str, np.ndarray],
        mix: float,
        temperature: float,
    ) -> None:
        self.classes = classes
        self._vectorizers = vectorizers
        self._weights = weights
        self._mix = mix
        self._temperature = temperature

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        vectors: np.ndarray,
        intents: Sequence[str],
        *,
        vector_c: float = 4.0,
        words_c: float = 20.0,
        mix: float = 0.6,
        temperature: float = 0.7,
    ) -> "IntentModel":
        """Learn from texts (placeholders put in), their vectors and intents.

        `mix` is the share of the encoder in the sum of log-probabilities, `temperature` under 1
        sharpens them; both were chosen by cross-validation.
        """
        words = TfidfVectorizer(**_word_groups())
        letters = TfidfVectorizer(**_letter_groups(), min_df=2)
        normalised = [normalise(text) for text in texts]
        groups = csr_matrix(
            hstack([words.fit_transform(normalised), letters.fit_transform(normalised)])
        ).astype(np.float32)
        meaning = LogisticRegression(C=vector_c, max_iter=200, class_weight="balanced")
        meaning.fit(vectors * _VECTOR_SCALE, intents)
        saying = LogisticRegression(C=words_c, max_iter=60, tol=1e-3, class_weight="balanced")
        saying.fit(groups, intents)
        return cls(
            [str(name) for name in meaning.classes_],
            (words, letters),
            {
                "meaning": meaning.coef_.astype(np.float32),
                "meaning_bias": meaning.intercept_.astype(np.float32),
                "saying": np.ascontiguousarray(saying.coef_.T.astype(np.float32)),
                "saying_bias": saying.intercept_.astype(np.float32),
            },
            mix,
            temperature,
        )

    def probabilities(self, texts: Sequence[str], vectors: np.ndarray) -> np.ndarray:
        """Return one row of probabilities for each text, in the order of `classes`."""
        normalised = [normalise(text) for text in texts]
        groups = csr_matrix(
            hstack([vectorizer.transform(normalised) for vectorizer in self._vectorizers])
        )
        weights = self._weights
        meaning = vectors * _VECTOR_SCALE @ weights["meaning"].T + weights["meaning_bias"]
        saying = groups @ weights["saying"] + weights["saying_bias"]
        mixed = self._mix * _log_softmax(meaning) + (1 - self._mix) * _log_softmax(saying)
        return np.exp(_log_softmax(mixed / self._temperature))

    def save(self, directory: Path) -> None:
        """Write the model into a directory: arrays and JSON, nothing that runs when read."""
        idf = {f"idf{i}": v.idf_ for i, v in enumerate(self._vectorizers)}
        np.savez(directory / WEIGHTS_FILE, **self._weights, **idf)
        described = {
            "classes": self.classes,
            "mix": self._mix,
            "temperature": self._temperature,
            "vocabularies": [
                [term for term, _ in sorted(v.vocabulary_.items(), key=lambda item: item[1])]
                for v in self._vectorizers
            ],
        }
        (directory / WORDS_FILE).write_text(json.dumps(described), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> "IntentModel":
        """Read what `save` wrote."""
        described = json.loads((directory / WORDS_FILE).read_text(encoding="utf-8"))
        with np.load(directory / WEIGHTS_FILE, allow_pickle=False) as arrays:
            weights = {name: arrays[name] for name in arrays.files}
        vectorizers = []
        for index, settings in enumerate((_word_groups(), _letter_groups())):
            vocabulary = {term: i for i, term in enumerate(described["vocabularies"][index])}
            vectorizer = TfidfVectorizer(**settings, vocabulary=vocabulary)
            vectorizer.idf_ = weights.pop(f"idf{index}")
            vectorizers.append(vectorizer)
        return cls(
            described["classes"],
            (vectorizers[0], vectorizers[1]),
            weights,
            described["mix"],
            described["temperature"],
        )


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def ranked(classes: Sequence[str], row: np.ndarray, length: int) -> List[Dict[str, Any]]:
    """Return the most likely intents of one row: `name` and `confidence`, best first."""
    best = np.argsort(-row)[:length]
    return [{"name": classes[i], "confidence": round(float(row[i]), 4)} for i in best]


def decide(ranking: Sequence[Dict[str, Any]], threshold: float) -> Dict[str, Any]:
    """Return the intent: the best one, or out of scope where that is less sure than threshold."""
    best = ranking[0]
    if best["confidence"] < threshold:
        return {"name": REJECTED, "confidence": best["confidence"]}
    return dict(best)
