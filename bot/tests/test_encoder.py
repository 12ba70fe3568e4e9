"""One text alone gets the vector that the encoder's library gives it, by a quicker way."""

from pathlib import Path
from typing import List

import numpy as np
import pytest

from pipeline import encoder, one_text

TEXTS = [
    "Kann ich die 180 Euro in drei Raten zahlen?",
    "i can't pay before the 15th, sorry",
    "x",
    ".",
    "🙂👍🏽",
    "  viel   Platz \n dazwischen  ",
    "ÄÖÜ ß ﬁ ½ Ⅷ \u202eumgekehrt\u202c\u200b",
    "日本語で払えますか",
    "a" * 300,
    "Ja " * 300,
]


def _librarys(texts: List[str]) -> np.ndarray:
    return np.asarray(encoder._model().encode(texts))


@pytest.mark.parametrize("text", TEXTS)
def test_one_text_has_the_librarys_vector(text: str) -> None:
    np.testing.assert_allclose(encoder.encode([text]), _librarys([text]), atol=2e-6)


def test_a_text_read_again_has_the_same_vector() -> None:
    first = encoder.encode(["Wann kommt die Mahnung?"])
    encoder.encode(["Die Mahnung kommt wann?"])
    np.testing.assert_array_equal(encoder.encode(["Wann kommt die Mahnung?"]), first)


def test_a_full_memory_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_text, "_PIECES_MAX", 24)
    small = one_text.OneText(encoder._model()._model)
    for text in TEXTS[:3] * 2:
        np.testing.assert_allclose(small.encode(text), _librarys([text])[0], atol=2e-6)


def test_a_blank_text_and_a_very_long_one_have_a_vector() -> None:
    for text in ("", "   ", "Rate " * 3_000):
        assert np.linalg.norm(encoder.encode([text])) == pytest.approx(1.0, abs=1e-5)


def test_pieces_of_the_training_data_are_ready_before_the_first_message(tmp_path: Path) -> None:
    pieces = encoder.pieces_of(["drei Raten bitte", "vier Raten", "etwas anderes"])
    encoder.save_pieces(tmp_path, pieces)
    encoder._one_text.cache_clear()
    for _ in range(2):  # a second time, as another part of the process may
        encoder.remember(tmp_path)
    assert pieces
    assert set(encoder._one_text()._places) == set(pieces)
