"""Scores of filled forms: strict accuracy, token F1 and format accuracy per type of item (arXiv 2403.18938).

An answer is a string; "" is "not reported". Most items of a form are not reported, and a system that fills nothing is
right on all of them: every score is therefore also given over the items that the reference fills. The mean over items
comes first, so that an item that is asked in many reports counts as one; items with fewer than `FEW` filled references
are named, because their score means nothing.
"""

from __future__ import annotations

import math
import re
import string
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from groundglass.core.errors import InputError

FEW = 10
"""Fewer filled references than this, and an item's score is not to be read."""

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True, slots=True)
class FormAnswer:
    """One item of one report: its type, the reference and the candidate as text, and whether the latter is in form.

    `well_formed`: the candidate parses as the item's type and is one of its allowed values; "" always does.
    """

    case: str
    item: str
    type: str
    reference: str
    candidate: str
    well_formed: bool = True


@dataclass(frozen=True, slots=True)
class FormScore:
    """Means over items, in [0, 1] (NaN without any item). `items` and `answers` count what was scored."""

    strict: float
    f1: float
    format: float
    items: int
    answers: int


@dataclass(frozen=True, slots=True)
class FormScores:
    """All answers and those with a filled reference, together and by type; false fills; items that are too rare."""

    all: FormScore
    filled: FormScore
    by_type: Mapping[str, FormScore]
    filled_by_type: Mapping[str, FormScore]
    false_fills: int
    rare_items: tuple[str, ...]


def strict_match(candidate: str, reference: str) -> bool:
    """Equal up to case, white space and the final punctuation."""
    return _strict(candidate) == _strict(reference)


def token_f1(candidate: str, reference: str) -> float:
    """Overlap of words as SQuAD counts it (P. Rajpurkar et al., EMNLP 2016): lower case, no punctuation or articles.

    Two answers without words agree (1); one without and one with score 0.
    """
    ours, theirs = _words(candidate), _words(reference)
    if not ours or not theirs:
        return float(ours == theirs)
    common = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * common / (len(ours) + len(theirs))


def form_scores(answers: Iterable[FormAnswer]) -> FormScores:
    """The table of scores. Raises InputError for a case and item given twice or an item of two types."""
    rows = tuple(answers)
    _check(rows)
    filled = tuple(row for row in rows if _strict(row.reference))
    counts = Counter(row.item for row in filled)
    return FormScores(
        _score(rows),
        _score(filled),
        _by_type(rows),
        _by_type(filled),
        sum(bool(_strict(row.candidate)) and not _strict(row.reference) for row in rows),
        tuple(item for item in dict.fromkeys(row.item for row in rows) if counts[item] < FEW),
    )


def agreement_with_raters(ratings: Sequence[float], f1: Sequence[float]) -> float:
    """Spearman's rank correlation of human ratings with F1 (mean ranks for ties); NaN when either is constant.

    Raises InputError for unequal lengths, fewer than two answers, or values that are not finite.
    """
    import numpy as np

    if len(ratings) != len(f1) or len(ratings) < 2:
        raise InputError("ratings", f"{len(ratings)} ratings for {len(f1)} scores", "Give one rating per answer.")
    values = np.array([ratings, f1], dtype=float)
    if not np.isfinite(values).all():
        raise InputError("ratings", "hold values that are not finite", "Leave out answers without a rating.")
    ranks = np.array([_ranks(row.tolist()) for row in values])
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    norm = math.sqrt(float((centred[0] ** 2).sum() * (centred[1] ** 2).sum()))
    return float((centred[0] * centred[1]).sum() / norm) if norm else math.nan


def _ranks(values: list[float]) -> list[float]:
    order = sorted(values)
    first = {value: index for index, value in reversed(list(enumerate(order)))}
    count = Counter(values)
    return [first[value] + (count[value] + 1) / 2 for value in values]


def _strict(text: str) -> str:
    return " ".join(text.split()).rstrip(".,;:!? ").casefold()


def _words(text: str) -> list[str]:
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()


def _check(rows: Sequence[FormAnswer]) -> None:
    seen: set[tuple[str, str]] = set()
    types: dict[str, str] = {}
    for row in rows:
        if (row.case, row.item) in seen:
            raise InputError(f"{row.case} {row.item}", "is answered twice", "Give one answer per report and item.")
        seen.add((row.case, row.item))
        if types.setdefault(row.item, row.type) != row.type:
            raise InputError(row.item, f"is {types[row.item]} and {row.type}", "Give an item one type.")


def _score(rows: Sequence[FormAnswer]) -> FormScore:
    by_item: dict[str, list[FormAnswer]] = defaultdict(list)
    for row in rows:
        by_item[row.item].append(row)
    if not by_item:
        return FormScore(math.nan, math.nan, math.nan, 0, 0)
    strict = [_mean([strict_match(r.candidate, r.reference) for r in group]) for group in by_item.values()]
    overlap = [_mean([token_f1(r.candidate, r.reference) for r in group]) for group in by_item.values()]
    formed = [_mean([r.well_formed or not _strict(r.candidate) for r in group]) for group in by_item.values()]
    return FormScore(_mean(strict), _mean(overlap), _mean(formed), len(by_item), len(rows))


def _by_type(rows: Sequence[FormAnswer]) -> dict[str, FormScore]:
    return {kind: _score([row for row in rows if row.type == kind]) for kind in dict.fromkeys(r.type for r in rows)}


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
