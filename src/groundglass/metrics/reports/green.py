"""GREEN: matched findings over matched findings and significant errors (arXiv 2405.03595, used by arXiv 2410.07025)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from groundglass.core import InputError
from groundglass.metrics.judge.protocol import ERROR_KINDS, ErrorKind, GreenCounts, Judge, JudgeError, ask_all
from groundglass.metrics.reports.error_counts import ErrorCounts


@dataclass(frozen=True, slots=True)
class GreenScore:
    """`value` in [0, 1]; 0 when nothing matches. `verbosity` = candidate's words over the reference's."""

    value: float
    matched: int
    errors: ErrorCounts
    verbosity: float

    @property
    def length_controlled(self) -> float:
        """Value divided by verbosity where that exceeds 1: a candidate that says more must match more.

        The exact form of the published length control is not stated; this is the simplest that leaves reports not
        longer than the reference alone.
        """
        return self.value / max(self.verbosity, 1.0)


@dataclass(frozen=True, slots=True)
class GreenSummary:
    """Over the judged reports: mean and standard deviation (n, as released) of the score, and by kind of error the
    share of reports free of it and the notes of those errors. `failures` names the reports without an answer."""

    reports: int
    mean: float
    deviation: float
    mean_length_controlled: float
    verbosity: float
    free_of: dict[ErrorKind, float]
    notes: dict[ErrorKind, tuple[str, ...]]
    failures: tuple[int, ...] = ()


def green_value(matched: int, significant_errors: int) -> float:
    """matched / (matched + significant errors); 0 when nothing matches."""
    return matched / (matched + significant_errors) if matched else 0.0


def green_score(candidate: str, reference: str, judge: Judge) -> GreenScore:
    """Score of one candidate. Raises JudgeError when the judge has no usable answer: such a pair is dropped."""
    return green_of(judge.green(candidate, reference), candidate, reference)


def green_of(counts: GreenCounts, candidate: str, reference: str) -> GreenScore:
    """Score of what a judge has counted. Raises InputError when the reference has no words."""
    words = len(reference.split())
    if not words:
        raise InputError("reference report", "has no words", "Leave out cases without a reference.")
    errors = ErrorCounts.of(counts.errors)
    matched = len(counts.matched)
    return GreenScore(green_value(matched, errors.score), matched, errors, len(candidate.split()) / words)


def green_all(pairs: Sequence[tuple[str, str]], judge: Judge) -> list[GreenCounts | JudgeError]:
    """What the judge counts in each (candidate, reference), or its failure in the pair's place."""
    return ask_all(lambda pair: judge.green(pair[0], pair[1]), pairs, judge.parallel)


def summarise_green(pairs: Sequence[tuple[str, str]], counts: Sequence[GreenCounts | JudgeError]) -> GreenSummary:
    """GREEN's summary of a set of reports. Raises InputError when no pair was judged or lengths differ."""
    if len(pairs) != len(counts):
        raise InputError(f"{len(counts)} counts", f"belong to {len(pairs)} pairs", "Give the counts of these pairs.")
    judged = [
        (count, green_of(count, *pair))
        for pair, count in zip(pairs, counts, strict=True)
        if isinstance(count, GreenCounts)
    ]
    if not judged:
        raise InputError(f"{len(counts)} reports", "have no GREEN counts", "See the judge's failures.")
    scores = [score for _, score in judged]
    size = len(scores)
    mean = math.fsum(score.value for score in scores) / size
    found = [error for count, _ in judged for error in count.errors if error.significant]
    return GreenSummary(
        reports=size,
        mean=mean,
        deviation=math.sqrt(math.fsum((score.value - mean) ** 2 for score in scores) / size),
        mean_length_controlled=math.fsum(score.length_controlled for score in scores) / size,
        verbosity=math.fsum(score.verbosity for score in scores) / size,
        free_of={
            kind: sum(score.errors.significant[index] == 0 for score in scores) / size
            for index, kind in enumerate(ERROR_KINDS)
        },
        notes={kind: tuple(e.note for e in found if e.kind == kind and e.note) for kind in ERROR_KINDS},
        failures=tuple(index for index, count in enumerate(counts) if not isinstance(count, GreenCounts)),
    )
