"""How well groups and episodes agree with known ones: pairs, adjusted Rand index, boundaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from math import comb

from groundglass.core.errors import InputError


def pairwise_f1(candidate: Sequence[Hashable], reference: Sequence[Hashable]) -> float:
    """F1 over the pairs that are in one group; 1 when neither has any."""
    _check(candidate, reference)
    both = _pairs(list(zip(candidate, reference, strict=True)))
    total = _pairs(candidate) + _pairs(reference)
    return 2 * both / total if total else 1.0


def adjusted_rand(candidate: Sequence[Hashable], reference: Sequence[Hashable]) -> float:
    """Adjusted Rand index (L. Hubert, P. Arabie, J Classif 1985; 2: 193); 1 for equal groupings."""
    _check(candidate, reference)
    both = _pairs(list(zip(candidate, reference, strict=True)))
    ours, theirs, every = _pairs(candidate), _pairs(reference), comb(len(candidate), 2)
    expected = ours * theirs / every if every else 0.0
    highest = (ours + theirs) / 2
    return (both - expected) / (highest - expected) if highest != expected else 1.0


def boundary_f1(candidate: Sequence[Hashable], reference: Sequence[Hashable], groups: Sequence[Hashable]) -> float:
    """F1 of episode borders: between neighbours of a true group, in time order, either has a border or not.

    `candidate` and `reference` hold the episode (with its group) of each row. 1 when neither has a border.
    """
    _check(candidate, reference)
    _check(groups, reference)
    hits = ours = theirs = 0
    last: dict[Hashable, int] = {}
    for index, group in enumerate(groups):
        before = last.get(group)
        if before is not None:
            cut, true = candidate[index] != candidate[before], reference[index] != reference[before]
            hits, ours, theirs = hits + (cut and true), ours + cut, theirs + true
        last[group] = index
    return 2 * hits / (ours + theirs) if ours + theirs else 1.0


def _pairs(labels: Sequence[Hashable]) -> int:
    return sum(comb(count, 2) for count in Counter(labels).values())


def _check(candidate: Sequence[Hashable], reference: Sequence[Hashable]) -> None:
    if len(candidate) != len(reference):
        raise InputError("groups", f"{len(candidate)} labels for {len(reference)} rows", "Give one label per row.")
