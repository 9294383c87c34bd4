"""Sentences of a section in random order, or some of them: what is said does not depend on the order.

Only the order between sentences changes: each keeps its words, and an item of a numbered list keeps its number. A
sentence that refers to the one before ("This is unchanged.") is moved like any other, as in the paper.
"""

from __future__ import annotations

import numpy as np

from groundglass.core.errors import ConfigurationError
from groundglass.text.sentences import sentences


def shuffled(text: str, rng: np.random.Generator) -> str:
    """All sentences of the text in a random order, one space between them."""
    parts = _parts(text)
    return " ".join(parts[i] for i in rng.permutation(len(parts)))


def sampled(text: str, rng: np.random.Generator, count: int = 1) -> str:
    """`count` different sentences at random, in the order of the text; all where there are no more.

    Raises ConfigurationError when `count` is less than 1.
    """
    if count < 1:
        raise ConfigurationError(f"count {count}", "asks for no sentence", "Use 1 or more.")
    parts = _parts(text)
    if len(parts) <= count:
        return " ".join(parts)
    return " ".join(parts[i] for i in sorted(rng.choice(len(parts), size=count, replace=False)))


def _parts(text: str) -> list[str]:
    """Sentences; what stands between two of them (the number of a list) goes with the later one, so no word is lost."""
    found: list[str] = []
    last = 0
    for _, end in sentences(text, 0, len(text)):
        found.append(" ".join(text[last:end].split()))
        last = end
    rest = " ".join(text[last:].split())
    if rest and found:
        found[-1] = f"{found[-1]} {rest}"
    elif rest:
        found.append(rest)
    return [part for part in found if part]
