"""METEOR (exact, stem): the metric without its word tables.

Aligned words by equality, then by equal Porter stems, then (only if a table is given) by synonyms; F with the weight
alpha on recall, times 1 - gamma (chunks / matches)^beta. Parameters default to those of A. Lavie and A. Agarwal
(WMT 2007), and words are aligned from the end of both texts, each to the last free equal word, as NLTK's `meteor_score`
does (the paper asks for the fewest crossings). It equals NLTK's figure with its synonyms switched off. With them NLTK
looks up what the stem stage left, which are stems ("silhouett"); here a synonym is looked up by the word itself.

It is NOT the figure that the COCO caption scripts print: those run METEOR 1.5 (other parameters, WordNet synonyms, a
paraphrase table of 60 MB, weights of function words). The two must not stand in one column; name this one by
`Meteor.name`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from groundglass.metrics.text_overlap.pairs import checked_pairs
from groundglass.metrics.text_overlap.porter import porter_stem
from groundglass.metrics.text_overlap.ptb import coco_text


@dataclass(frozen=True, slots=True, eq=False)
class Meteor:
    """Mean and each case (N,) in [0, 1], and the name with the stages that were used."""

    name: str
    mean: float
    cases: NDArray[np.float64]


def meteor(
    candidates: Sequence[str],
    references: Sequence[str | Sequence[str]],
    *,
    synonyms: Mapping[str, Collection[str]] | None = None,
    alpha: float = 0.9,
    beta: float = 3.0,
    gamma: float = 0.5,
    tokenise: Callable[[str], str] = coco_text,
) -> Meteor:
    """METEOR of N cases, the best over each case's references; 0 where no word matches.

    `synonyms`: for a word in lower case, its synonyms. Raises InputError as `checked_pairs`.
    """
    said, truth = checked_pairs(candidates, references)
    scores = np.zeros(len(said))
    for case, (text, others) in enumerate(zip(said, truth, strict=True)):
        words = tokenise(text).lower().split()
        scores[case] = max(
            _score(words, tokenise(other).lower().split(), synonyms, alpha, beta, gamma) for other in others
        )
    name = "METEOR (exact, stem)" if synonyms is None else "METEOR (exact, stem, given synonyms)"
    return Meteor(name, float(scores.mean()), scores)


def _score(
    candidate: list[str],
    reference: list[str],
    synonyms: Mapping[str, Collection[str]] | None,
    alpha: float,
    beta: float,
    gamma: float,
) -> float:
    matches = _aligned(candidate, reference, synonyms)
    if not matches:
        return 0.0
    precision, recall = len(matches) / len(candidate), len(matches) / len(reference)
    mean = precision * recall / (alpha * precision + (1 - alpha) * recall)
    chunks = 1 + sum((b[0] - a[0], b[1] - a[1]) != (1, 1) for a, b in pairwise(matches))
    return (1 - gamma * (chunks / len(matches)) ** beta) * mean


def _aligned(
    candidate: list[str], reference: list[str], synonyms: Mapping[str, Collection[str]] | None
) -> list[tuple[int, int]]:
    """Matched positions (candidate, reference) in the order of the candidate."""
    stages: list[tuple[Callable[[str], str], Callable[[str], Collection[str]]]] = [
        (_same, lambda word: (word,)),
        (porter_stem, lambda word: (porter_stem(word),)),
    ]
    if synonyms is not None:
        table = synonyms
        stages.append((_same, lambda word: {word, *table.get(word, ())}))
    matches: list[tuple[int, int]] = []
    left, right = list(range(len(candidate))), list(range(len(reference)))
    for key, wanted in stages:
        places: dict[str, list[int]] = {}
        for position in right:
            places.setdefault(key(reference[position]), []).append(position)
        free = []
        for position in reversed(left):
            options = [places[form] for form in wanted(candidate[position]) if places.get(form)]
            if options:
                matches.append((position, max(options, key=lambda held: held[-1]).pop()))
            else:
                free.append(position)
        left = free[::-1]
        right = sorted(position for held in places.values() for position in held)
    return sorted(matches)


def _same(word: str) -> str:
    return word
