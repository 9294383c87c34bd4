"""A label's figure in each subgroup of the cases, and the gap between the best and the worst."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundglass.app.compare.kind import Figure, Measure
from groundglass.app.compare.label_tables import Answers
from groundglass.app.compare.settings import Settings
from groundglass.core import InputError
from groundglass.metrics import classification as measures

GAP_MEASURES = {
    "subgroup_auroc": Measure("AUROC of a subgroup"),
    "subgroup_auroc_gap": Measure("AUROC, best minus worst subgroup", higher_is_better=False),
    "subgroup_accuracy": Measure("accuracy of a subgroup"),
    "subgroup_accuracy_gap": Measure("accuracy, best minus worst subgroup", higher_is_better=False),
}


def subgroup_figures(
    label: str, answers: Answers, threshold: float, settings: Settings
) -> tuple[list[Figure], list[str]]:
    """AUROC by subgroup (accuracy, where the scores are decisions), and what could not be had."""
    truth, scores = np.asarray(answers.truth), np.asarray(answers.scores)
    groups, patients = np.asarray(answers.groups), np.asarray(answers.patients)
    right = (scores >= threshold) == (truth == 1)
    metric = "subgroup_accuracy" if answers.is_decided else "subgroup_auroc"

    def value(rows: NDArray[np.intp]) -> float:
        return float(right[rows].mean()) if answers.is_decided else measures.auroc(truth[rows], scores[rows]).value

    try:
        found = measures.subgroup_gap(
            value, groups, clusters=patients, resamples=settings.resamples, seed=settings.seed
        )
    except InputError as error:
        return [], [f"{label}: no gap between subgroups: {error.problem}"]
    figures = []
    for name, one in found.groups.items():
        rows = groups == name
        note = f"{int(truth[rows].sum())} positive"
        counts = (int(rows.sum()), len(set(patients[rows])))
        figures.append(Figure(f"{label}: {name}", metric, one.estimate, one.low, one.high, *counts, note))
    gap, note = found.gap, f"{found.best} minus {found.worst}"
    counts = (len(truth), len(set(patients)))
    figures.append(Figure(label, f"{metric}_gap", gap.estimate, gap.low, gap.high, *counts, note))
    left_out = [f"{label}: subgroup {name} has one class only and no AUROC" for name in found.left_out]
    return figures, left_out
