"""All n-grams of many documents as integer tables, so that every score is a few array operations.

Words become integers, an n-gram is the pair (number of its first n - 1 words, last word), and a table lists for each
document its different n-grams with their counts. BLEU, ROUGE-N and CIDEr then differ only in how they weigh the rows
that a candidate shares with a reference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
_LARGEST = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Grams:
    """The n-grams of one order: row r says that `document[r]` holds n-gram `gram[r]` `count[r]` times.

    Rows are sorted by document, then n-gram; the rows of document d are `start[d]:start[d + 1]`; `total[d]` is the
    number of its n-grams; the numbers of n-grams lie below `kinds`, not all of them in use.
    """

    document: Ints
    gram: Ints
    count: Ints
    start: Ints
    total: Ints
    kinds: int


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """Rows that the two documents of a pair have in common: pair number, row of the left, row of the right one."""

    pair: Ints
    left: Ints
    right: Ints


def count_ngrams(documents: Sequence[Sequence[str]], highest: int) -> tuple[Grams, ...]:
    """Tables of the orders 1 to `highest` of D documents (lists of words)."""
    lengths = np.fromiter(map(len, documents), np.int64, len(documents))
    words = list(chain.from_iterable(documents))
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    tokens = np.fromiter(map(numbers.__getitem__, words), np.int64, len(words))
    document = np.repeat(np.arange(len(documents)), lengths)
    left_over = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(words))  # words from here to the document's end
    tables = []
    different = max(len(numbers), 1)
    where, gram, kinds = np.arange(len(words)), tokens, different
    for order in range(1, highest + 1):
        if order > 1:
            room = left_over[where] >= order
            where, gram = where[room], gram[room]
            if kinds > _LARGEST // (different * max(len(documents), 1)):
                gram, kinds = _renumbered(gram)
            gram, kinds = gram * different + tokens[where + order - 1], kinds * different
        tables.append(_table(document[where], gram, kinds, np.maximum(lengths - order + 1, 0)))
    return tuple(tables)


def shared_rows(grams: Grams, left: Ints, right: Ints) -> Shared:
    """The n-grams that the documents `left[p]` and `right[p]` share, for P pairs (P,), (P,)."""
    rows = grams.start[left + 1] - grams.start[left]
    pair = np.repeat(np.arange(len(left)), rows)
    offset = np.arange(len(pair)) - np.repeat(np.cumsum(rows) - rows, rows)
    left_row = grams.start[left][pair] + offset
    keys = grams.document * grams.kinds + grams.gram
    wanted = right[pair] * grams.kinds + grams.gram[left_row]
    place = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    hit = keys[place] == wanted if len(keys) else np.zeros(0, bool)
    return Shared(pair[hit], left_row[hit], place[hit])


def _renumbered(keys: Ints) -> tuple[Ints, int]:
    """The same n-grams with small numbers, so that number times documents still fits 64 bits."""
    different, numbers = np.unique(keys, return_inverse=True)
    return numbers.astype(np.int64, copy=False), max(len(different), 1)


def _table(document: Ints, gram: Ints, kinds: int, total: Ints) -> Grams:
    keys, counts = np.unique(document * kinds + gram, return_counts=True)
    owner, number = np.divmod(keys, kinds)
    start = np.searchsorted(owner, np.arange(len(total) + 1))
    return Grams(owner, number, counts.astype(np.int64), start, total, kinds)
