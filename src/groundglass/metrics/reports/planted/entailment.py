"""Sentences that follow from another one, beside sentences that contradict it: negation and side, by the grammar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from groundglass.metrics.reports.planted.plan import SIDES, Kind, kinds, random_finding
from groundglass.metrics.reports.planted.verbalise import denial_sentence, finding_sentence


class Entailment(NamedTuple):
    """`entailed` says the same as `premise` in other words, `contradicted` its contrary by `by`."""

    premise: str
    entailed: str
    contradicted: str
    by: Literal["negation", "side"]


def entailments(rng: np.random.Generator, count: int) -> Iterator[Entailment]:
    """`count` triples, by turns of negation (of stated and of denied findings) and of side; premise and entailed
    sentence never have the same words."""
    sided = [kind for kind in kinds() if kind.sides]
    for number in range(count):
        pool = sided if number % 2 else list(kinds())
        kind = pool[int(rng.integers(len(pool)))]
        made = _side(kind, rng) if number % 2 else _negation(kind, rng)
        while made.premise == made.entailed:
            made = _side(kind, rng) if number % 2 else _negation(kind, rng)
        yield made


def _side(kind: Kind, rng: np.random.Generator) -> Entailment:
    finding = random_finding(kind, rng, changed=False)
    other = replace(finding, side=SIDES[1 - SIDES.index(str(finding.side))])
    return Entailment(
        finding_sentence(finding, rng), finding_sentence(finding, rng), finding_sentence(other, rng), "side"
    )


def _negation(kind: Kind, rng: np.random.Generator) -> Entailment:
    finding = random_finding(kind, rng, changed=False)
    stated, denied = finding_sentence(finding, rng), denial_sentence([kind], rng)
    if rng.random() < 0.5:
        return Entailment(stated, finding_sentence(finding, rng), denied, "negation")
    return Entailment(denied, denial_sentence([kind], rng), stated, "negation")
