"""`compare labels`: tables of labels that are there or not, with scores or decisions, or of one class per case."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.app.compare.kind import Figure, Measure, Scored, Test, chosen_metrics
from groundglass.app.compare.label_tables import Answers, Classes, read_task
from groundglass.app.compare.resampling import intervals_of_sums
from groundglass.app.compare.settings import Settings
from groundglass.app.compare.subgroups import GAP_MEASURES, subgroup_figures
from groundglass.core import ConfigurationError, InputError
from groundglass.metrics import classification as measures
from groundglass.metrics.statistics import Interval, Row, bootstrap_auroc, bootstrap_statistic, holm

MEASURES = {
    "auroc": Measure("AUROC"),
    "average_precision": Measure("average precision"),
    "sensitivity": Measure("sensitivity"),
    "specificity": Measure("specificity"),
    "ppv": Measure("PPV"),
    "npv": Measure("NPV"),
    "f1": Measure("F1"),
    "mcc": Measure("MCC"),
    "balanced_accuracy": Measure("balanced accuracy"),
    "sensitivity_at_specificity": Measure("sensitivity at the asked specificity"),
    "ece": Measure("ECE", higher_is_better=False),
    "accuracy": Measure("accuracy"),
    "brier": Measure("Brier score", higher_is_better=False),
    "macro_f1": Measure("macro F1"),
    "kappa": Measure("Cohen's kappa"),
    "quadratic_kappa": Measure("quadratic weighted kappa"),
    "mae": Measure("mean absolute error of the grade", higher_is_better=False),
    **GAP_MEASURES,
}
SCORED = ("auroc", "average_precision", "sensitivity_at_specificity")
PROBABILITY = ("brier", "ece")
DECIDED = ("sensitivity", "specificity", "ppv", "npv", "f1", "mcc", "balanced_accuracy")
BINARY = (*SCORED, *DECIDED, "accuracy", *PROBABILITY)
USUAL = ("auroc", "average_precision", "sensitivity", "specificity", "f1", "accuracy", "brier", "ece")
CLASSES = ("accuracy", "balanced_accuracy", "macro_f1", "mcc", "kappa", "quadratic_kappa", "mae")
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Labels:
    """Tables of labels. `threshold` makes decisions of scores, `specificity` is where sensitivity is told,
    `group` the column of the truth with subgroups."""

    labels: tuple[str, ...] = ()
    threshold: float = 0.5
    specificity: float = 0.9
    group: str | None = None

    @property
    def name(self) -> str:
        return "labels"

    @property
    def rules(self) -> Mapping[str, Any]:
        return {"decision": f"score >= {self.threshold:g}"}

    def measure(self, metric: str) -> Measure:
        if metric == "sensitivity_at_specificity":
            return Measure(f"sensitivity at specificity {self.specificity:g}")
        return MEASURES[metric]

    def score(self, prediction: Path, truth: Path, settings: Settings) -> Scored:
        """All labels. Raises the typed errors of core."""
        if not 0 <= self.specificity <= 1:
            raise ConfigurationError(f"--specificity {self.specificity}", "is not a rate", "Use a number from 0 to 1.")
        task = read_task(prediction, truth, settings, self.labels, self.group)
        base = Scored(cases=task.cases, missing=task.missing, notes=task.notes)
        if task.classes is not None:
            known = CLASSES if task.classes.is_ordinal else CLASSES[:-2]
            rows, figures = _of_classes(task.classes, chosen_metrics(settings.metrics, known), settings)
            return replace(base, rows=rows, figures=figures)
        metrics = chosen_metrics(settings.metrics, BINARY, USUAL)
        rows, figures, notes = [], [], list(task.notes)
        for label, answers in task.answers.items():
            fitting = _fitting(metrics, answers)
            if not fitting:
                raise ConfigurationError(
                    f"--metrics {','.join(metrics)}",
                    f"none fits {label}",
                    "Decisions have no ranking and no calibration.",
                )
            rows += _rows(label, answers, fitting, self.threshold)
            found, problem = self._figures(label, answers, fitting, settings)
            figures += found
            notes += problem
            if self.group is not None:
                gaps, problem = subgroup_figures(label, answers, self.threshold, settings)
                figures += gaps
                notes += problem
        figures += _means(figures) if len(task.answers) > 1 else []
        return replace(base, rows=rows, figures=figures, notes=notes, material=task.answers)

    def tests(self, first: Scored, second: Scored, settings: Settings) -> Sequence[Test]:
        """DeLong's test of each label's AUROC on the cases that both predictions have."""
        if first.material is None or second.material is None:
            return ()
        tests = []
        for label, ours in first.material.items():
            theirs = second.material.get(label)
            if theirs is not None and not ours.is_decided and not theirs.is_decided:
                tests += _delong(label, ours, theirs)
        adjusted = holm([test.p["delong"] for test in tests]) if tests else []
        return [replace(test, holm={"delong": float(p)}) for test, p in zip(tests, adjusted, strict=True)]

    def _figures(
        self, label: str, answers: Answers, metrics: Sequence[str], settings: Settings
    ) -> tuple[list[Figure], list[str]]:
        """Figures of one label; one that the cases do not define (a single class) is named, not made up."""
        intervals: dict[str, Interval] = {}
        problems = []
        for metric in metrics:
            if metric in SCORED or metric == "ece":
                try:
                    intervals[metric] = self._ranked(metric, answers, settings)
                except InputError as error:
                    problems.append(f"{label}: no {MEASURES[metric].title}: {error.problem}")
        wanted = [metric for metric in metrics if metric in DECIDED]
        if wanted:
            found = intervals_of_sums(_of_cells, _cells(answers, self.threshold), answers.patients, settings)
            intervals |= {metric: found[DECIDED.index(metric)] for metric in wanted}
        counts = (len(answers.cases), len(set(answers.patients)))
        note = f"{sum(answers.truth)} positive"
        figures = [
            Figure(
                label, metric, intervals[metric].estimate, intervals[metric].low, intervals[metric].high, *counts, note
            )
            for metric in metrics
            if metric in intervals
        ]
        return figures, problems

    def _ranked(self, metric: str, answers: Answers, settings: Settings) -> Interval:
        truth, scores = np.asarray(answers.truth), np.asarray(answers.scores)
        if metric == "average_precision":
            return measures.bootstrap_average_precision(
                truth, scores, clusters=answers.patients, resamples=settings.resamples, seed=settings.seed
            )
        if metric == "auroc":
            return bootstrap_auroc(
                truth, scores, clusters=answers.patients, resamples=settings.resamples, seed=settings.seed
            )
        statistics: dict[str, Callable[[Any, Any], float]] = {
            "ece": measures.expected_calibration_error,
            "sensitivity_at_specificity": lambda t, s: measures.at_specificity(t, s, self.specificity).sensitivity,
        }
        statistic = statistics[metric]
        return bootstrap_statistic(
            lambda rows: statistic(truth[rows], scores[rows]),
            answers.patients,
            resamples=settings.resamples,
            seed=settings.seed,
        )


def _fitting(metrics: Sequence[str], answers: Answers) -> list[str]:
    """The metrics that mean something: decisions have no ranking, scores outside of 0 to 1 no calibration."""
    left_out: set[str] = set()
    if answers.is_decided:
        left_out |= {*SCORED, *PROBABILITY}
    if not answers.is_probability:
        left_out |= set(PROBABILITY)
    return [metric for metric in metrics if metric not in left_out]


def _rows(label: str, answers: Answers, metrics: Sequence[str], threshold: float) -> list[Row]:
    """What a single case has: whether its decision is right, and its squared distance from the truth."""
    rows = []
    for case, patient, truth, score in zip(answers.cases, answers.patients, answers.truth, answers.scores, strict=True):
        values = {"accuracy": float((score >= threshold) == bool(truth)), "brier": (score - truth) ** 2}
        rows += [Row(case, patient, label, metric, values[metric]) for metric in metrics if metric in values]
    return rows


def _cells(answers: Answers, threshold: float) -> Floats:
    """(N, 4): true positive, false positive, false negative, true negative."""
    truth, said = np.asarray(answers.truth) == 1, np.asarray(answers.scores) >= threshold
    return np.column_stack([truth & said, ~truth & said, truth & ~said, ~truth & ~said]).astype(np.float64)


def _of_cells(cells: Floats) -> Floats:
    """(R, 4) counts to (R, 7) figures, in the order of DECIDED; 0 / 0 is NaN, and MCC 0 when one class only is said."""
    tp, fp, fn, tn = cells.T
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity, specificity = tp / (tp + fn), tn / (tn + fp)
        product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
        mcc = np.where(product > 0, (tp * tn - fp * fn) / np.sqrt(product), 0.0)
        f1 = np.where(2 * tp + fp + fn > 0, 2 * tp / (2 * tp + fp + fn), 0.0)
        balanced = np.nanmean(np.stack([sensitivity, specificity]), axis=0)
        return np.stack([sensitivity, specificity, tp / (tp + fp), tn / (tn + fn), f1, mcc, balanced], axis=1)


def _means(figures: Sequence[Figure]) -> list[Figure]:
    """The plain mean over labels, without an interval: labels are not a sample of labels."""
    by_metric: dict[str, list[Figure]] = {}
    for figure in figures:
        if figure.metric not in GAP_MEASURES:
            by_metric.setdefault(figure.metric, []).append(figure)
    means = []
    for metric, same in by_metric.items():
        values = [figure.value for figure in same if not math.isnan(figure.value)]
        if values:
            mean, note = math.fsum(values) / len(values), f"{len(values)} labels"
            means.append(
                Figure("(mean of labels)", metric, mean, math.nan, math.nan, same[0].n, same[0].patients, note)
            )
    return means


def _delong(label: str, ours: Answers, theirs: Answers) -> list[Test]:
    common = [case for case in ours.cases if case in set(theirs.cases)]
    first, second = dict(zip(ours.cases, ours.scores, strict=True)), dict(zip(theirs.cases, theirs.scores, strict=True))
    truth, patient = dict(zip(ours.cases, ours.truth, strict=True)), dict(zip(ours.cases, ours.patients, strict=True))
    try:
        found = measures.auroc_difference(
            [truth[c] for c in common],
            [first[c] for c in common],
            [second[c] for c in common],
            clusters=[patient[c] for c in common],
        )
    except InputError:
        return []  # one class only: the AUROC itself was reported as undefined
    left_out = len({*ours.cases, *theirs.cases}) - len(common)
    patients = len({patient[c] for c in common})
    return [
        Test(
            label, "auroc", len(common), patients, left_out, found.value, found.low, found.high, {"delong": found.p}, {}
        )
    ]


def _of_classes(classes: Classes, metrics: Sequence[str], settings: Settings) -> tuple[list[Row], list[Figure]]:
    """Accuracy and distance of grades per case; the rest over all cases."""
    truth, said = np.asarray(classes.truth), np.asarray(classes.said)
    per_case: dict[str, Floats] = {"accuracy": (truth == said).astype(np.float64)}
    if classes.is_ordinal:
        place = {name: n for n, name in enumerate(classes.order)}
        per_case["mae"] = np.abs([place[t] - place[s] for t, s in zip(truth, said, strict=True)]).astype(np.float64)
    ids = list(zip(classes.cases, classes.patients, strict=True))
    rows = [
        Row(case, patient, "all", metric, float(per_case[metric][n]))
        for metric in metrics
        if metric in per_case
        for n, (case, patient) in enumerate(ids)
    ]
    order = list(classes.order)
    statistics: dict[str, Callable[[Any, Any], float]] = {
        "balanced_accuracy": measures.balanced_accuracy,
        "macro_f1": lambda t, s: measures.f_scores(t, s).macro,
        "mcc": measures.matthews,
        "kappa": lambda t, s: measures.cohen_kappa(t, s, classes=order),
        "quadratic_kappa": lambda t, s: measures.cohen_kappa(t, s, weights="quadratic", classes=order),
    }
    figures = []
    for metric in metrics:
        if metric not in statistics:
            continue
        statistic = statistics[metric]
        found = bootstrap_statistic(
            lambda rows, statistic=statistic: statistic(truth[rows], said[rows]),  # type: ignore[misc]
            classes.patients,
            resamples=settings.resamples,
            seed=settings.seed,
        )
        counts = (len(classes.cases), len(set(classes.patients)))
        figures.append(Figure("all", metric, found.estimate, found.low, found.high, *counts, f"{len(order)} classes"))
    return rows, figures
