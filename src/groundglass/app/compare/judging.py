"""Reports by a judge: RadFact, CheXprompt's errors and GREEN, per report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from groundglass.app.compare.batch import Failure, run_all
from groundglass.app.compare.judges import Choice, judge_of
from groundglass.app.compare.report_texts import ReportPairs, ReportText
from groundglass.app.compare.settings import Settings
from groundglass.metrics.judge import compare_errors
from groundglass.metrics.judge.protocol import JudgeError, Phrase, ReportError, ask_all
from groundglass.metrics.reports.error_counts import ErrorCounts
from groundglass.metrics.reports.green import green_of
from groundglass.metrics.reports.radfact import RadFactScore, radfact
from groundglass.metrics.statistics import Row

if TYPE_CHECKING:
    from groundglass.metrics.judge import Judge

LOGICAL = ("radfact_precision", "radfact_recall", "radfact_f1")
PLACED = ("grounding_precision", "grounding_recall", "spatial_precision", "spatial_recall")
ERRORS = ("errors_significant", "errors_all")
JUDGED = (*LOGICAL, *PLACED, *ERRORS, "green")
_CASES = ("differing", "unanswered_by_first", "unanswered_by_second")
_VOID_ABOVE = 0.01
Errors = tuple[ReportError, ...] | JudgeError


@dataclass(frozen=True)
class Judged:
    """Rows of one judge, reports that broke it, remarks, what it cost (an endpoint), and the errors that it named in
    each report (none where it was not asked for errors)."""

    rows: list[Row]
    failures: Mapping[str, str]
    notes: list[str]
    usage: Mapping[str, Any]
    errors: Sequence[Errors]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Values of one report, the questions that were asked and those that got no usable answer, the errors named."""

    values: Mapping[str, float]
    asked: int
    unanswered: int
    errors: Errors | None = None


def judge_all(pairs: ReportPairs, choice: Choice, metrics: Sequence[str], settings: Settings) -> Judged:
    """Ask one judge about every pair. A question without a usable answer gives NaN, is counted and is never scored."""
    judge = judge_of(choice)
    grounded = any(phrase.boxes for report in (*pairs.candidates, *pairs.references) for phrase in report.phrases)
    asked = tuple(m for m in metrics if m in JUDGED and (grounded or m not in PLACED))
    texts = list(zip(pairs.candidates, pairs.references, strict=True))
    if judge.parallel > 1:
        answers: Sequence[Verdicts | Failure] = [
            Failure(str(answer)) if isinstance(answer, JudgeError) else answer
            for answer in ask_all(lambda pair: judged(judge, asked, pair), texts, judge.parallel)
        ]
    else:
        answers = run_all(partial(_by_choice, choice, asked), texts, processes=settings.processes, title=judge.name)
    rows, failures = [], {}
    for case, patient, answer in zip(pairs.cases, pairs.patients, answers, strict=True):
        if isinstance(answer, Failure):
            failures[case] = answer.reason
        else:
            rows += [Row(case, patient, choice.name, metric, answer.values[metric]) for metric in asked]
    usage = getattr(judge, "usage", None)
    spent = {"judge": judge.name, **(asdict(usage) if usage else {})}
    notes = _notes(judge, [answer for answer in answers if isinstance(answer, Verdicts)])
    return Judged(rows, failures, notes, spent, _errors_of(answers) if set(asked) & set(ERRORS) else ())


def disagreement(first: Sequence[Row], second: Sequence[Row], names: tuple[str, str]) -> list[Row]:
    """How far two judges are apart on each report: the absolute difference of each metric that both gave."""
    theirs = {(row.case, row.metric): row.value for row in second}
    return [
        Row(
            row.case,
            row.patient,
            f"| {names[0]} - {names[1]} |",
            row.metric,
            abs(row.value - theirs[row.case, row.metric]),
        )
        for row in first
        if (row.case, row.metric) in theirs
    ]


def error_agreement(
    first: Judged, second: Judged, names: tuple[str, str], cases: Sequence[str]
) -> dict[str, Any] | None:
    """Agreement and kappa of two judges for each kind of error, as plain values; None where errors were not asked for.

    `differing` and what was left unanswered are told by case.
    """
    if not first.errors:
        return None
    found = asdict(compare_errors(*names, first.errors, second.errors))
    for place in (*found["categories"], found):
        named = {key: [cases[n] for n in place[key]] for key in _CASES if key in place}
        place |= named
    return found


def judged(judge: Judge, metrics: Sequence[str], pair: tuple[ReportText, ReportText]) -> Verdicts:
    """All verdicts on one candidate and its reference."""
    candidate, reference = pair
    values: dict[str, float] = dict.fromkeys(metrics, math.nan)
    asked = unanswered = 0
    errors: Errors | None = None
    if set(metrics) & {*LOGICAL, *PLACED}:
        phrases = [_phrases(judge, report) for report in pair]
        if any(found is None for found in phrases):
            asked, unanswered = asked + 1, unanswered + 1
        else:
            score = radfact(phrases[0] or (), phrases[1] or (), judge).score
            asked, unanswered = asked + sum(score.phrases), unanswered + score.failures
            values |= _fractions(score, is_missing=not candidate.text)
    if set(metrics) & set(ERRORS):
        asked += 1
        try:
            named = judge.errors(candidate.text, reference.text)
            counts, errors = ErrorCounts.of(named), named
            values |= {"errors_significant": float(counts.score), "errors_all": float(counts.total)}
        except JudgeError as failure:
            errors = failure
            unanswered += 1
    if "green" in metrics:
        asked += 1
        try:
            values["green"] = green_of(
                judge.green(candidate.text, reference.text), candidate.text, reference.text
            ).value
        except JudgeError:
            unanswered += 1
    return Verdicts({metric: values[metric] for metric in metrics}, asked, unanswered, errors)


def _errors_of(answers: Sequence[Verdicts | Failure]) -> list[Errors]:
    """The errors of each report, or that there is no answer."""
    found = [None if isinstance(answer, Failure) else answer.errors for answer in answers]
    return [JudgeError("report", "was not judged", "See why.") if each is None else each for each in found]


def _by_choice(choice: Choice, metrics: Sequence[str], pair: tuple[ReportText, ReportText]) -> Verdicts:
    return judged(judge_of(choice), metrics, pair)


def _phrases(judge: Judge, report: ReportText) -> Sequence[Phrase] | None:
    """The given phrases, else those into which the judge splits the text; None where it cannot."""
    if report.phrases or not report.text:
        return report.phrases
    try:
        return tuple(Phrase(text) for text in judge.phrases(report.text))
    except JudgeError:
        return None


def _fractions(score: RadFactScore, *, is_missing: bool) -> dict[str, float]:
    """The fractions by our names. A report that is missing says nothing true: 0, where RadFact leaves 0/0 out."""
    values = {
        "radfact_precision": score.logical_precision,
        "radfact_recall": score.logical_recall,
        "radfact_f1": score.logical_f1,
        **{name: getattr(score, name) for name in PLACED},
    }
    return {name: 0.0 if is_missing and name in LOGICAL else value for name, value in values.items()}


def _notes(judge: Judge, verdicts: Sequence[Verdicts]) -> list[str]:
    asked, unanswered = sum(v.asked for v in verdicts), sum(v.unanswered for v in verdicts)
    if not unanswered:
        return []
    void = "; above 1 % the run is void: do not report it" if unanswered > _VOID_ABOVE * asked else ""
    return [f"{judge.name}: {unanswered} of {asked} questions had no usable answer and count in no figure{void}"]
