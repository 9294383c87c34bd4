"""CIDEr and CIDEr-D (R. Vedantam, C. L. Zitnick, D. Parikh, CVPR 2015, arXiv 1411.5726).

Cosine of the tf-idf vectors of candidate and reference, mean over references and over n = 1 to 4, times 10. CIDEr-D
(which the COCO caption scripts print under the name CIDEr) clips a candidate's weight at the reference's and multiplies
by a Gaussian of the difference in length. As in the official scripts, the length is the number of BIGRAMS, both forms
are scaled by 10, and words are not stemmed. The idf of an n-gram is log(cases / cases whose references hold it), so a
corpus of one case scores 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.metrics.text_overlap.bleu import owners
from groundglass.metrics.text_overlap.ngrams import Grams, Ints, count_ngrams, shared_rows
from groundglass.metrics.text_overlap.pairs import checked_pairs
from groundglass.metrics.text_overlap.ptb import coco_text

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Cider:
    """CIDEr or CIDEr-D: mean, and each case (N,), in [0, 10]."""

    mean: float
    cases: Floats


@dataclass(frozen=True, slots=True, eq=False)
class TfIdf:
    """One order's tables with each row's tf-idf weight (rows,) and each document's norm (documents,)."""

    grams: Grams
    weight: Floats
    norm: Floats


def cider(
    candidates: Sequence[str],
    references: Sequence[str | Sequence[str]],
    *,
    idf_from: Sequence[str | Sequence[str]] | None = None,
    tokenise: Callable[[str], str] = coco_text,
) -> Cider:
    """CIDEr without clipping and length penalty, as the first release of the metric computes it.

    `idf_from`: references of another corpus (one entry per case) to take the document frequencies from; by default
    those of the cases themselves. Raises InputError as `checked_pairs`.
    """
    tables, owner = _tables(candidates, references, idf_from, tokenise)
    return cider_of(tables, owner)


def cider_d(
    candidates: Sequence[str],
    references: Sequence[str | Sequence[str]],
    *,
    idf_from: Sequence[str | Sequence[str]] | None = None,
    sigma: float = 6.0,
    tokenise: Callable[[str], str] = coco_text,
) -> Cider:
    """CIDEr-D with the Gaussian length penalty of width `sigma` (in bigrams). Parameters and errors as `cider`."""
    tables, owner = _tables(candidates, references, idf_from, tokenise)
    return cider_d_of(tables, owner, sigma)


def tf_idf(grams: Sequence[Grams], corpus: Ints, owner: Ints) -> tuple[TfIdf, ...]:
    """Weights of all documents; the idf is that of the documents `corpus` (C,), those of the cases `owner` (C,)."""
    cases = int(owner.max()) + 1
    return tuple(_weighted(table, corpus, owner, cases) for table in grams)


def cider_of(tables: Sequence[TfIdf], owner: Ints) -> Cider:
    """CIDEr from tables over the N candidates followed by their references (and anything else)."""

    def product(left: Floats, right: Floats) -> Floats:
        return left * right

    return _mean_cosine(tables, owner, product, np.ones(len(owner)))


def cider_d_of(tables: Sequence[TfIdf], owner: Ints, sigma: float = 6.0) -> Cider:
    """CIDEr-D from tables over the N candidates followed by their references (and anything else)."""

    def clipped(left: Floats, right: Floats) -> Floats:
        return np.minimum(left, right) * right

    bigrams = tables[1].grams.total
    cases = int(owner.max()) + 1
    difference = bigrams[owner] - bigrams[cases + np.arange(len(owner))]
    return _mean_cosine(tables, owner, clipped, np.exp(-(difference**2) / (2 * sigma**2)))


def _tables(
    candidates: Sequence[str],
    references: Sequence[str | Sequence[str]],
    idf_from: Sequence[str | Sequence[str]] | None,
    tokenise: Callable[[str], str],
) -> tuple[tuple[TfIdf, ...], Ints]:
    said, truth = checked_pairs(candidates, references)
    owner = owners(truth)
    texts = said + [text for several in truth for text in several]
    corpus, corpus_owner = len(said) + np.arange(len(owner)), owner
    if idf_from is not None:
        _, others = checked_pairs([""] * len(idf_from), idf_from)
        corpus_owner = owners(others)
        corpus = len(texts) + np.arange(len(corpus_owner))
        texts += [text for several in others for text in several]
    grams = count_ngrams([tokenise(text).split() for text in texts], 4)
    return tf_idf(grams, corpus, corpus_owner), owner


def _weighted(table: Grams, corpus: Ints, owner: Ints, cases: int) -> TfIdf:
    """Weight of each row: its count times log(cases / cases in whose references the n-gram occurs, at least 1)."""
    different, number = np.unique(table.gram, return_inverse=True)
    case = np.full(len(table.total), -1)
    case[corpus] = owner
    rows = case[table.document] >= 0
    seen = np.sort(case[table.document[rows]] * len(different) + number[rows])
    seen = seen[np.diff(seen, prepend=-1) > 0]  # an n-gram of several references of a case counts once
    frequency = np.bincount(seen % max(len(different), 1), minlength=len(different))
    rarity = np.log(float(cases)) - np.log(np.maximum(1.0, frequency))
    weight = table.count * rarity[number]
    return TfIdf(table, weight, np.sqrt(np.bincount(table.document, weight**2, len(table.total))))


def _mean_cosine(
    tables: Sequence[TfIdf], owner: Ints, product: Callable[[Floats, Floats], Floats], penalty: Floats
) -> Cider:
    cases = int(owner.max()) + 1
    reference = cases + np.arange(len(owner))
    total = np.zeros(len(owner))
    for table in tables:
        shared = shared_rows(table.grams, owner, reference)
        terms = product(table.weight[shared.left], table.weight[shared.right])
        norms = table.norm[owner] * table.norm[reference]
        total += np.bincount(shared.pair, terms, len(owner)) / np.where(norms > 0, norms, 1.0)
    per_case = np.bincount(owner, total * penalty, cases) / np.bincount(owner, minlength=cases)
    scores = 10 * per_case / len(tables)
    return Cider(float(scores.mean()), scores)
