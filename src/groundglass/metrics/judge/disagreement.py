"""How far two judges disagree, question by question: itself a result, because who judges moves every score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from groundglass.metrics.classification.agreement import cohen_kappa
from groundglass.metrics.judge.protocol import (
    ERROR_KINDS,
    Entailment,
    ErrorKind,
    Judge,
    JudgeError,
    Phrase,
    ReportError,
    ask_all,
)

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two judges on one category over the `n` cases that both answered.

    `agreement` is the share of equal answers, `kappa` Cohen's of yes and no (NaN when both always say the same), the
    means are each judge's share of yes, or its mean count, `mean_difference` that of the absolute differences;
    `differing` are the indices of the cases that differ.
    """

    category: str
    n: int
    agreement: float
    kappa: float
    first_mean: float
    second_mean: float
    mean_difference: float
    differing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two judges by name, their agreement per category, and the cases that the first or the second left unanswered."""

    first: str
    second: str
    categories: tuple[Agreement, ...]
    unanswered_by_first: tuple[int, ...]
    unanswered_by_second: tuple[int, ...]


def entailment_disagreement(
    first: Judge, second: Judge, questions: Sequence[tuple[Phrase, Sequence[Phrase]]]
) -> Disagreement:
    """Categories "entailed" and, among questions that both call entailed, "evidence" (by the same premises)."""

    def asked(judge: Judge) -> list[Entailment | JudgeError]:
        return ask_all(lambda question: judge.entails(*question), questions, judge.parallel)

    left, right = asked(first), asked(second)
    both = _both(left, right)
    agreed = [(case, a, b) for case, a, b in both if a.entailed and b.entailed]
    verdicts = _compared("entailed", [(case, int(a.entailed), int(b.entailed)) for case, a, b in both])
    evidence = _compared("evidence", [(case, 1, int(a.evidence == b.evidence)) for case, a, b in agreed])
    evidence = replace(evidence, kappa=float("nan"))  # the same or not: there is no chance table of evidence
    return Disagreement(first.name, second.name, (verdicts, evidence), _missing(left), _missing(right))


def error_disagreement(first: Judge, second: Judge, pairs: Sequence[tuple[str, str]]) -> Disagreement:
    """Counts of errors over (candidate, reference) pairs: the six kinds, significant or not, and both sums."""

    def asked(judge: Judge) -> list[tuple[ReportError, ...] | JudgeError]:
        return ask_all(lambda pair: judge.errors(*pair), pairs, judge.parallel)

    return compare_errors(first.name, second.name, asked(first), asked(second))


def compare_errors(
    first: str,
    second: str,
    left: Sequence[tuple[ReportError, ...] | JudgeError],
    right: Sequence[tuple[ReportError, ...] | JudgeError],
) -> Disagreement:
    """`error_disagreement` of two judges, by name, whose answers of each case are at hand."""
    both = _both(left, right)
    wanted: list[tuple[str, Callable[[ReportError], bool]]] = [
        ("all errors", lambda error: True),
        ("significant errors", lambda error: error.significant),
        *((kind, partial(_is, kind)) for kind in ERROR_KINDS),
        *((f"significant {kind}", partial(_is_significant, kind)) for kind in ERROR_KINDS),
    ]
    categories = tuple(
        _compared(name, [(case, sum(map(counts, a)), sum(map(counts, b))) for case, a, b in both])
        for name, counts in wanted
    )
    return Disagreement(first, second, categories, _missing(left), _missing(right))


def _is(kind: ErrorKind, error: ReportError) -> bool:
    return error.kind == kind


def _is_significant(kind: ErrorKind, error: ReportError) -> bool:
    return error.kind == kind and error.significant


def _both(
    left: Sequence[Answer | JudgeError], right: Sequence[Answer | JudgeError]
) -> list[tuple[int, Answer, Answer]]:
    """The cases that both answered."""
    return [
        (case, a, b)
        for case, (a, b) in enumerate(zip(left, right, strict=True))
        if not isinstance(a, JudgeError) and not isinstance(b, JudgeError)
    ]


def _missing(answers: Sequence[Answer | JudgeError]) -> tuple[int, ...]:
    return tuple(case for case, answer in enumerate(answers) if isinstance(answer, JudgeError))


def _compared(category: str, counts: Sequence[tuple[int, int, int]]) -> Agreement:
    """Counts of both judges per case; kappa is about whether there is any."""
    if not counts:
        nan = float("nan")
        return Agreement(category, 0, nan, nan, nan, nan, nan, ())
    cases, first, second = (np.array(column) for column in zip(*counts, strict=True))
    return Agreement(
        category,
        len(cases),
        float((first == second).mean()),
        cohen_kappa(first > 0, second > 0, classes=(False, True)),
        float(first.mean()),
        float(second.mean()),
        float(np.abs(first - second).mean()),
        tuple(cases[first != second].tolist()),
    )
