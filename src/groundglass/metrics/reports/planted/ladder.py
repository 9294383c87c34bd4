"""How a metric answers a growing number of planted errors: the ladder that every report metric must climb down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from groundglass.metrics.judge.protocol import ERROR_KINDS, ErrorKind
from groundglass.metrics.reports.planted.errors import most_errors, plant
from groundglass.metrics.reports.planted.plan import ReportPlan, random_plan
from groundglass.metrics.reports.planted.verbalise import verbalise

Metric = Callable[[str, str], float]
Counts = Callable[[int, np.random.Generator], Mapping[ErrorKind, int]]
MOST = 6


def plans_with_room(count: int, rng: np.random.Generator, *, most: int = MOST) -> list[ReportPlan]:
    """Random plans that can take `most` errors of each kind."""
    plans: list[ReportPlan] = []
    while len(plans) < count:
        plan = random_plan(rng)
        if all(most_errors(plan, kind) >= most for kind in ERROR_KINDS):
            plans.append(plan)
    return plans


def only(kind: ErrorKind) -> Counts:
    """All errors of one kind."""
    return lambda errors, rng: {kind: errors}


def mixed(errors: int, rng: np.random.Generator) -> Mapping[ErrorKind, int]:
    """Errors of kinds drawn at random."""
    drawn = rng.integers(len(ERROR_KINDS), size=errors)
    return {kind: int((drawn == index).sum()) for index, kind in enumerate(ERROR_KINDS)}


def ladder(
    plans: Sequence[ReportPlan], metrics: Mapping[str, Metric], counts: Counts, *, most: int = MOST, seed: int = 0
) -> dict[str, list[float]]:
    """For each metric (candidate, reference) its mean over the plans with 0 to `most` errors.

    Candidate and reference are worded anew at every step, so that the first step is the score of a paraphrase.
    """
    steps: dict[str, list[float]] = {name: [] for name in metrics}
    for errors in range(most + 1):
        texts = []
        for index, plan in enumerate(plans):
            rng = np.random.default_rng([seed, index, errors])
            pair = plant(plan, counts(errors, rng), rng)
            texts.append((verbalise(pair.candidate, rng), verbalise(pair.reference, rng)))
        for name, metric in metrics.items():
            steps[name].append(float(np.mean([metric(*pair) for pair in texts])))
    return steps
