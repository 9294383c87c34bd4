"""ROUGE-1, ROUGE-2 and ROUGE-L (C.-Y. Lin, 2004) as rouge-score computes them, and ROUGE-L of the COCO caption scripts.

rouge-score: lower case, runs of letters a-z and digits are the words (so "é" cuts a word), optionally Porter's stems of
words longer than three letters; F is the harmonic mean; with several references the one of the highest F counts.
COCO: Penn Treebank words without punctuation; F with beta = 1.2 of the highest precision and the highest recall over
references; an empty text counts as one empty word there, so empty against empty is 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from groundglass.core.errors import InputError
from groundglass.metrics.text_overlap.bleu import owners
from groundglass.metrics.text_overlap.lcs import lcs_length
from groundglass.metrics.text_overlap.ngrams import Grams, Ints, count_ngrams, shared_rows
from groundglass.metrics.text_overlap.pairs import checked_pairs
from groundglass.metrics.text_overlap.porter import porter_stem
from groundglass.metrics.text_overlap.ptb import coco_text

Floats = NDArray[np.float64]
_OTHER = re.compile(r"[^a-z0-9]+")
COCO_BETA = 1.2


@dataclass(frozen=True, slots=True, eq=False)
class Rouge:
    """Precision, recall and F1 of each of N cases (N,), in [0, 1]; 0 where a text has no word or n-gram."""

    precision: Floats
    recall: Floats
    f1: Floats

    @property
    def mean_f1(self) -> float:
        return float(self.f1.mean())


def rouge_words(text: str) -> list[str]:
    """Words as rouge-score makes them, not stemmed."""
    return list(chain.from_iterable(map(_chunk_words, text.lower().split())))


def rouge_stems(text: str) -> list[str]:
    """Words as rouge-score makes them with `use_stemmer`."""
    return list(chain.from_iterable(map(_chunk_stems, text.lower().split())))


@lru_cache(maxsize=1 << 17)
def _chunk_words(chunk: str) -> tuple[str, ...]:
    return tuple(_OTHER.sub(" ", chunk).split())


@lru_cache(maxsize=1 << 17)
def _chunk_stems(chunk: str) -> tuple[str, ...]:
    return tuple(porter_stem(word) if len(word) > 3 else word for word in _chunk_words(chunk))


def rouge(
    candidates: Sequence[str],
    references: Sequence[str | Sequence[str]],
    *,
    words: Callable[[str], list[str]] = rouge_words,
    kinds: Sequence[str] = ("1", "2", "L"),
) -> dict[str, Rouge]:
    """ROUGE of the named kinds ("1" to "9", "L"). Raises InputError as `checked_pairs`, or for another kind."""
    orders = [int(kind) for kind in kinds if kind in tuple("123456789")]
    unknown = [kind for kind in kinds if kind != "L" and kind not in tuple("123456789")]
    if unknown:
        raise InputError("kinds", f"name {unknown[0]!r}", 'Give "1" to "9" or "L".')
    said, truth = checked_pairs(candidates, references)
    owner = owners(truth)
    documents = [words(text) for text in said] + [words(text) for texts in truth for text in texts]
    tables = count_ngrams(documents, max(orders, default=1))
    found: dict[str, Rouge] = {}
    for kind in kinds:
        table = tables[0 if kind == "L" else int(kind) - 1]
        hits = _common_subsequences(documents, owner, len(said)) if kind == "L" else _common_ngrams(table, owner)
        precision = hits / np.maximum(table.total[owner], 1)
        found[kind] = _best(precision, hits / np.maximum(table.total[len(said) :], 1), owner)
    return found


def coco_rouge_l(
    candidates: Sequence[str],
    references: Sequence[str | Sequence[str]],
    *,
    tokenise: Callable[[str], str] = coco_text,
) -> Floats:
    """ROUGE-L of each case (N,) as the COCO caption scripts compute it. Raises InputError as `checked_pairs`."""
    said, truth = checked_pairs(candidates, references)
    texts = [tokenise(text) for text in said] + [tokenise(text) for several in truth for text in several]
    return coco_rouge_l_of(texts, owners(truth))


def coco_rouge_l_of(texts: Sequence[str], owner: Ints) -> Floats:
    """ROUGE-L from tokenised texts: N candidates, then all references, whose cases are `owner` (R,)."""
    cases = len(texts) - len(owner)
    documents = [text.split(" ") for text in texts]
    length = np.fromiter(map(len, documents), np.int64, len(documents))
    hits = _common_subsequences(documents, owner, cases)
    precision, recall = np.zeros((2, cases))
    np.maximum.at(precision, owner, hits / length[owner])
    np.maximum.at(recall, owner, hits / length[cases:])
    weighted = recall + COCO_BETA**2 * precision
    return (1 + COCO_BETA**2) * precision * recall / np.where(weighted > 0, weighted, 1.0)


def _common_ngrams(table: Grams, owner: Ints) -> Floats:
    shared = shared_rows(table, owner, len(table.total) - len(owner) + np.arange(len(owner)))
    least = np.minimum(table.count[shared.left], table.count[shared.right])
    return np.bincount(shared.pair, least, len(owner)).astype(np.float64)


def _common_subsequences(documents: Sequence[list[str]], owner: Ints, cases: int) -> Floats:
    return np.array(
        [lcs_length(documents[case], documents[cases + index]) for index, case in enumerate(owner.tolist())],
        dtype=np.float64,
    )


def _best(precision: Floats, recall: Floats, owner: Ints) -> Rouge:
    """Of each case's references the first with the highest F1."""
    both = precision + recall
    f1 = 2 * precision * recall / np.where(both > 0, both, 1.0)
    order = np.lexsort((np.arange(len(owner)), -f1, owner))
    _, first = np.unique(owner[order], return_index=True)
    chosen = order[first]
    return Rouge(precision[chosen], recall[chosen], f1[chosen])
