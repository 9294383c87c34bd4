"""A word vocabulary for small captioners: lower-case words, numbers and full stops as tokens."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+(?:-[^\W\d_]+)*|[^\w\s]", re.UNICODE)
PAD, START, END, UNKNOWN = range(4)
_SPECIAL = ("<pad>", "<start>", "<end>", "<unknown>")


@dataclass(frozen=True)
class Vocabulary:
    """Words in a fixed order; the first four are padding, start, end and unknown."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str], *, at_least: int = 1) -> Vocabulary:
        """The words that occur `at_least` times, most frequent first, ties in alphabetical order."""
        counts = Counter(token for text in texts for token in tokens(text))
        kept = sorted((w for w, n in counts.items() if n >= at_least), key=lambda w: (-counts[w], w))
        return cls((*_SPECIAL, *kept))

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, text: str) -> list[int]:
        """Indices with start and end."""
        index = {word: i for i, word in enumerate(self.words)}
        return [START, *(index.get(token, UNKNOWN) for token in tokens(text)), END]

    def decode(self, indices: Sequence[int]) -> str:
        """Text up to the first end mark; no space before punctuation, sentences with a capital."""
        words = []
        for index in indices:
            if index == END:
                break
            if index not in (PAD, START):
                words.append(self.words[index])
        text = re.sub(r"\s+([.,;:)])", r"\1", " ".join(words)).replace("( ", "(")
        return re.sub(r"(^|[.!?] )(\w)", lambda m: m[1] + m[2].upper(), text)


def tokens(text: str) -> list[str]:
    """Lower-case words, numbers with their decimals, and single punctuation marks."""
    return _TOKEN.findall(text.lower())
