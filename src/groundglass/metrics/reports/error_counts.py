"""CheXprompt: errors of a report by kind, significant or not (LLaVA-Rad, arXiv 2403.08002). Lower is better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from groundglass.core import InputError
from groundglass.metrics.judge.protocol import ERROR_KINDS, ErrorKind, Judge, JudgeError, ReportError, ask_all


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """Counts in the order of ERROR_KINDS: false finding, omitted finding, wrong location, wrong severity, false
    comparison, omitted comparison."""

    significant: tuple[int, ...]
    insignificant: tuple[int, ...]

    def __post_init__(self) -> None:
        for counts in (self.significant, self.insignificant):
            if len(counts) != len(ERROR_KINDS) or any(count < 0 for count in counts):
                raise InputError(f"error counts {counts}", "are not six counts", "Give one count >= 0 per kind.")

    @classmethod
    def of(cls, errors: Sequence[ReportError]) -> ErrorCounts:
        """Count a list of errors."""
        seen = Counter((error.kind, error.significant) for error in errors)
        return cls(tuple(seen[kind, True] for kind in ERROR_KINDS), tuple(seen[kind, False] for kind in ERROR_KINDS))

    @property
    def score(self) -> int:
        """CheXprompt's score: all significant errors."""
        return sum(self.significant)

    @property
    def total(self) -> int:
        """All errors, significant or not."""
        return sum(self.significant) + sum(self.insignificant)

    def of_kind(self, kind: ErrorKind) -> int:
        """Errors of one kind, significant or not."""
        index = ERROR_KINDS.index(kind)
        return self.significant[index] + self.insignificant[index]


@dataclass(frozen=True, slots=True)
class ErrorSummary:
    """Mean errors per report over the reports that were judged; `failures` names those without an answer."""

    reports: int
    significant: dict[ErrorKind, float]
    insignificant: dict[ErrorKind, float]
    error_free: float
    failures: tuple[int, ...] = ()

    @property
    def score(self) -> float:
        """Mean significant errors per report."""
        return sum(self.significant.values())

    @property
    def total(self) -> float:
        """Mean errors per report."""
        return self.score + sum(self.insignificant.values())


def count_errors(candidate: str, reference: str, judge: Judge) -> ErrorCounts:
    """Errors of one candidate report. Raises JudgeError when the judge has no usable answer."""
    return ErrorCounts.of(judge.errors(candidate, reference))


def count_all_errors(pairs: Sequence[tuple[str, str]], judge: Judge) -> list[ErrorCounts | JudgeError]:
    """Of each (candidate, reference) its counts, or the judge's failure in its place."""
    return ask_all(lambda pair: count_errors(pair[0], pair[1], judge), pairs, judge.parallel)


def summarise_errors(counts: Sequence[ErrorCounts | JudgeError]) -> ErrorSummary:
    """Means over what was judged. Raises InputError when nothing was."""
    judged = [each for each in counts if isinstance(each, ErrorCounts)]
    if not judged:
        raise InputError(f"{len(counts)} reports", "have no error counts", "See the judge's failures.")
    size = len(judged)
    return ErrorSummary(
        reports=size,
        significant={k: sum(c.significant[i] for c in judged) / size for i, k in enumerate(ERROR_KINDS)},
        insignificant={k: sum(c.insignificant[i] for c in judged) / size for i, k in enumerate(ERROR_KINDS)},
        error_free=sum(each.total == 0 for each in judged) / size,
        failures=tuple(index for index, each in enumerate(counts) if not isinstance(each, ErrorCounts)),
    )
