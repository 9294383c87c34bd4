"""Encoders of short phrases for soft matching that need no download: character n-grams, and exact equality."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError


class SentenceEncoder(Protocol):
    """Unit vectors of phrases: n texts to (n, d). A transformer's sentence embedding can stand here."""

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]: ...


class CharacterEncoder:
    """Counts of character n-grams of padded words, hashed into `size` buckets, square-rooted and normalised.

    Deterministic on every machine (CRC-32). It sees spelling, not meaning: "enlarged heart" and "cardiomegaly" are
    strangers to it.
    """

    def __init__(self, lengths: Sequence[int] = (2, 3, 4), size: int = 1024) -> None:
        self.lengths = tuple(lengths)
        self.size = size

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        vectors = np.zeros((len(texts), self.size))
        for row, text in enumerate(texts):
            grams: Counter[str] = Counter()
            for word in text.casefold().split():
                padded = f"<{word}>"
                for length in self.lengths:
                    grams.update(padded[start : start + length] for start in range(len(padded) - length + 1))
            for gram, count in grams.items():
                vectors[row, zlib.crc32(gram.encode()) % self.size] += count
        return normalised(np.sqrt(vectors))


class ExactEncoder:
    """One axis per distinct text (case and spaces aside): similarity is 1 for equal texts and 0 otherwise.

    Holds up to `size` texts over its life. Raises ConfigurationError at one more.
    """

    def __init__(self, size: int = 4096) -> None:
        self.size = size
        self._axes: dict[str, int] = {}

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        # Vectors of one call must match those of another, so that the dimension is fixed from the start.
        vectors = np.zeros((len(texts), self.size))
        for row, text in enumerate(texts):
            axis = self._axes.setdefault(" ".join(text.casefold().split()), len(self._axes))
            if axis >= self.size:
                raise ConfigurationError("exact encoder", f"has room for {self.size} texts", "Give it a larger size.")
            vectors[row, axis] = 1.0
        return vectors


def normalised(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows (n, d) at length 1; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
