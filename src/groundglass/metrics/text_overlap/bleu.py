"""BLEU (K. Papineni, S. Roukos, T. Ward, W.-J. Zhu, ACL 2002) in the two forms that papers print.

`sacre_bleu` is sacrebleu's: its tokenisers, smoothing and brevity penalty. `coco_bleu` is that of the COCO caption
scripts: Penn Treebank words in lower case without punctuation, BLEU-1 to 4, no smoothing but a guard against division
by zero. Both use the closest reference length (the shorter of two equally close). **Scores are in [0, 1]**, also where
the other tool prints per cent. Scores of the two are not comparable with each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from groundglass.core.errors import InputError
from groundglass.metrics.text_overlap.mteval import Tokeniser, mteval_words
from groundglass.metrics.text_overlap.ngrams import Grams, Ints, count_ngrams, shared_rows
from groundglass.metrics.text_overlap.pairs import checked_pairs
from groundglass.metrics.text_overlap.ptb import coco_text

Smoothing = Literal["exp", "floor", "add-k", "none"]
_DEFAULT_SMOOTHING = {"exp": 0.0, "floor": 0.1, "add-k": 1.0, "none": 0.0}


@dataclass(frozen=True, slots=True)
class Bleu:
    """BLEU in [0, 1] with its parts: n-gram precisions (1 to highest order), brevity penalty, lengths in words."""

    score: float
    precisions: tuple[float, ...]
    brevity_penalty: float
    candidate_length: int
    reference_length: int


@dataclass(frozen=True, slots=True, eq=False)
class CocoBleu:
    """BLEU-1 to 4 in [0, 1]: of the corpus, and of each of N cases (N, 4)."""

    corpus: tuple[float, ...]
    cases: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class BleuCounts:
    """Per case (N,) lengths and, per order, clipped matches and n-grams of the candidate (N, orders)."""

    matches: Ints
    totals: Ints
    candidate_length: Ints
    reference_length: Ints


def bleu_counts(grams: Sequence[Grams], owner: Ints) -> BleuCounts:
    """Counts from tables over the N candidates followed by all references; `owner` (R,) names each reference's case."""
    cases = len(grams[0].total) - len(owner)
    reference = cases + np.arange(len(owner))
    matches, totals = np.zeros((2, cases, len(grams)), np.int64)
    for order, table in enumerate(grams):
        shared = shared_rows(table, owner, reference)
        most = np.zeros(len(table.count), np.int64)  # the most often that any one reference has the n-gram
        np.maximum.at(most, shared.left, table.count[shared.right])
        clipped = np.minimum(most, table.count)
        matches[:, order] = np.bincount(table.document, clipped, len(table.total))[:cases]
        totals[:, order] = table.total[:cases]
    length = grams[0].total
    return BleuCounts(matches, totals, length[:cases], _closest(length[:cases], length[cases:], owner))


def sacre_bleu(
    candidates: Sequence[str],
    references: Sequence[str | Sequence[str]],
    *,
    tokeniser: Tokeniser = "13a",
    lowercase: bool = False,
    smoothing: Smoothing = "exp",
    smoothing_value: float | None = None,
    orders: int = 4,
    effective_order: bool = False,
) -> Bleu:
    """Corpus BLEU of N candidates as sacrebleu computes it (there in per cent).

    `effective_order` leaves out the orders for which the candidates are too short. Raises InputError as
    `checked_pairs`, or for an unknown tokeniser or smoothing.
    """
    counts = _sacre_counts(candidates, references, tokeniser, lowercase, orders)
    smooth = _smoother(smoothing, smoothing_value)
    return _sacre_score(
        counts.matches.sum(axis=0),
        counts.totals.sum(axis=0),
        (int(counts.candidate_length.sum()), int(counts.reference_length.sum())),
        smooth,
        effective_order,
    )


def sentence_bleu(
    candidates: Sequence[str],
    references: Sequence[str | Sequence[str]],
    *,
    tokeniser: Tokeniser = "13a",
    lowercase: bool = False,
    smoothing: Smoothing = "exp",
    smoothing_value: float | None = None,
    orders: int = 4,
) -> tuple[Bleu, ...]:
    """BLEU of each case on its own, with the effective order, as sacrebleu's sentence BLEU. Raises as `sacre_bleu`."""
    counts = _sacre_counts(candidates, references, tokeniser, lowercase, orders)
    smooth = _smoother(smoothing, smoothing_value)
    lengths = zip(counts.candidate_length.tolist(), counts.reference_length.tolist(), strict=True)
    return tuple(
        _sacre_score(matches, totals, pair, smooth, True)
        for matches, totals, pair in zip(counts.matches, counts.totals, lengths, strict=True)
    )


def coco_bleu(
    candidates: Sequence[str],
    references: Sequence[str | Sequence[str]],
    *,
    tokenise: Callable[[str], str] = coco_text,
) -> CocoBleu:
    """BLEU-1 to 4 as the COCO caption scripts compute them. `tokenise` gives words joined by blanks.

    An empty candidate scores 0. Raises InputError as `checked_pairs`.
    """
    said, truth = checked_pairs(candidates, references)
    documents = [tokenise(text).split() for text in said]
    documents += [tokenise(text).split() for texts in truth for text in texts]
    return coco_bleu_of(bleu_counts(count_ngrams(documents, 4), owners(truth)))


def coco_bleu_of(counts: BleuCounts) -> CocoBleu:
    """COCO's BLEU from counts: its guards are 1e-15 on matches and 1e-9 on totals and lengths."""
    cases = _coco_scores(
        counts.matches, counts.totals, counts.candidate_length[:, None], counts.reference_length[:, None]
    )
    corpus = _coco_scores(
        counts.matches.sum(axis=0)[None],
        counts.totals.sum(axis=0)[None],
        counts.candidate_length.sum()[None, None],
        counts.reference_length.sum()[None, None],
    )
    return CocoBleu(tuple(corpus[0].tolist()), cases)


def owners(references: Sequence[Sequence[str]]) -> Ints:
    """The case of each reference (R,), references laid end to end."""
    return np.repeat(np.arange(len(references)), [len(texts) for texts in references])


def _coco_scores(matches: Ints, totals: Ints, candidate: Ints, reference: Ints) -> NDArray[np.float64]:
    precision = np.cumprod((matches + 1e-15) / (totals + 1e-9), axis=1)
    ratio = (candidate + 1e-15) / (reference + 1e-9)
    penalty = np.where(ratio < 1, np.exp(1 - 1 / np.minimum(ratio, 1)), 1.0)
    return precision ** (1 / np.arange(1, matches.shape[1] + 1)) * penalty


def _closest(candidate: Ints, reference: Ints, owner: Ints) -> Ints:
    order = np.lexsort((reference, np.abs(reference - candidate[owner]), owner))
    _, first = np.unique(owner[order], return_index=True)
    return reference[order][first]


def _sacre_counts(
    candidates: Sequence[str],
    references: Sequence[str | Sequence[str]],
    tokeniser: Tokeniser,
    lowercase: bool,
    orders: int,
) -> BleuCounts:
    if tokeniser not in get_args(Tokeniser):
        raise InputError("tokeniser", f"is {tokeniser!r}", f"Give one of {', '.join(get_args(Tokeniser))}.")
    if orders < 1:
        raise InputError("orders", f"are {orders}", "Give the highest n of the n-grams, at least 1.")
    said, truth = checked_pairs(candidates, references)
    texts = said + [text for several in truth for text in several]
    documents = [mteval_words(text.lower() if lowercase else text, tokeniser) for text in texts]
    return bleu_counts(count_ngrams(documents, orders), owners(truth))


@dataclass(frozen=True, slots=True)
class _Smoother:
    method: Smoothing
    value: float


def _smoother(method: Smoothing, value: float | None) -> _Smoother:
    if method not in _DEFAULT_SMOOTHING:
        raise InputError("smoothing", f"is {method!r}", f"Give one of {', '.join(_DEFAULT_SMOOTHING)}.")
    return _Smoother(method, _DEFAULT_SMOOTHING[method] if value is None else value)


def _sacre_score(
    matches: Ints, totals: Ints, lengths: tuple[int, int], smooth: _Smoother, effective_order: bool
) -> Bleu:
    candidate, reference = lengths
    penalty = 1.0
    if candidate < reference:
        penalty = math.exp(1 - reference / candidate) if candidate else 0.0
    precisions = [0.0] * len(matches)
    if not matches.any():
        return Bleu(0.0, tuple(precisions), penalty, candidate, reference)
    halvings, used = 1.0, len(matches)
    for order, (hit, total) in enumerate(zip(matches.tolist(), totals.tolist(), strict=True)):
        if smooth.method == "add-k" and order:
            hit, total = hit + smooth.value, total + smooth.value
        if not total:
            break
        if effective_order:
            used = order + 1
        if hit:
            precisions[order] = hit / total
        elif smooth.method == "exp":
            halvings *= 2
            precisions[order] = 1 / (halvings * total)
        elif smooth.method == "floor":
            precisions[order] = smooth.value / total
    kept = precisions[:used]
    score = penalty * math.exp(sum(map(math.log, kept)) / used) if all(kept) else 0.0
    return Bleu(score, tuple(precisions), penalty, candidate, reference)
