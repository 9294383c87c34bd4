"""Clinical F1 over a set of report labels (CheXbert's 14 or 5, or any other): which findings are mentioned alike.

Labels are what a labeller gives per report: 1 positive, 0 negative, -1 uncertain, NaN or None not mentioned. Uncertain
is read as negative ("rrg") or as positive ("rrg+", also the classic CheXpert table); the choice changes the result and
belongs beside it. "No Finding" lifts or sinks a mean and is therefore left out of it unless asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from groundglass.core import InputError

CHEXPERT_14 = (
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
    "No Finding",
)
CHEXPERT_5 = ("Cardiomegaly", "Edema", "Consolidation", "Atelectasis", "Pleural Effusion")

Uncertain = Literal["negative", "positive"]
Labels = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class LabelScore:
    """Precision, recall and F1 of one label or a mean; 0 where undefined (0/0), as scikit-learn and CheXbert's table.

    `support` is the number of positive references.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class ClinicalF1:
    """`by_label` in the order asked for; micro pools all decisions, macro means over labels, weighted by support,
    example-based (samples) means over reports. `accuracy` is the share of reports with every label right."""

    by_label: dict[str, LabelScore]
    micro: LabelScore
    macro: LabelScore
    weighted: LabelScore
    samples: LabelScore
    accuracy: float
    reports: int
    uncertain: Uncertain


def clinical_f1(
    candidate: Mapping[str, Labels],
    reference: Mapping[str, Labels],
    *,
    labels: Sequence[str] = CHEXPERT_14[:-1],
    uncertain: Uncertain = "negative",
) -> ClinicalF1:
    """Compare the labels of candidate reports with those of reference reports, both by case.

    `labels` names the labels that enter the means (default: CheXpert's without "No Finding"). Raises InputError when
    cases or labels are missing on one side, a label is named twice or a value is none of 1, 0, -1, NaN, None.
    """
    if not labels or len(set(labels)) != len(labels):
        raise InputError("labels", "are none, or named twice", "Name each label once.")
    if candidate.keys() != reference.keys() or not candidate:
        odd = sorted(set(candidate) ^ set(reference))
        raise InputError(
            f"cases {', '.join(odd[:5]) or '(none)'}",
            "are not in both candidate and reference",
            "Compare the same cases.",
        )
    guess = _table(candidate, candidate, labels, uncertain)
    truth = _table(reference, candidate, labels, uncertain)
    hits = guess & truth
    single = [_score(h, g, t) for h, g, t in zip(hits.sum(0), guess.sum(0), truth.sum(0), strict=True)]
    rows = [_score(h, g, t) for h, g, t in zip(hits.sum(1), guess.sum(1), truth.sum(1), strict=True)]
    positives = int(truth.sum())
    return ClinicalF1(
        by_label=dict(zip(labels, single, strict=True)),
        micro=_score(hits.sum(), guess.sum(), positives),
        macro=_mean(single, [1.0] * len(single), positives),
        weighted=_mean(single, [float(each.support) for each in single], positives),
        samples=_mean(rows, [1.0] * len(rows), positives),
        accuracy=float((guess == truth).all(axis=1).mean()),
        reports=len(guess),
        uncertain=uncertain,
    )


def _table(
    rows: Mapping[str, Labels], cases: Mapping[str, Labels], labels: Sequence[str], uncertain: Uncertain
) -> NDArray[np.bool_]:
    table = np.zeros((len(cases), len(labels)), dtype=bool)
    for row, case in enumerate(cases):
        for column, label in enumerate(labels):
            if label not in rows[case]:
                raise InputError(f"case {case}", f"has no label {label!r}", "Give every label; None = not mentioned.")
            table[row, column] = _is_positive(rows[case][label], uncertain, f"case {case}, label {label!r}")
    return table


def _is_positive(value: float | None, uncertain: Uncertain, name: str) -> bool:
    if value is None or math.isnan(value):
        return False
    if value not in (-1, 0, 1):
        raise InputError(name, f"is {value}", "Use 1 positive, 0 negative, -1 uncertain, NaN not mentioned.")
    return value == 1 or (value == -1 and uncertain == "positive")


def _score(hits: int, guessed: int, true: int) -> LabelScore:
    both = guessed + true
    return LabelScore(
        precision=float(hits / guessed) if guessed else 0.0,
        recall=float(hits / true) if true else 0.0,
        f1=float(2 * hits / both) if both else 0.0,
        support=int(true),
    )


def _mean(scores: Sequence[LabelScore], weights: Sequence[float], support: int) -> LabelScore:
    total = math.fsum(weights)
    if not total:
        return LabelScore(0.0, 0.0, 0.0, support)

    def mean(values: Sequence[float]) -> float:
        return math.fsum(w * v for w, v in zip(weights, values, strict=True)) / total

    return LabelScore(
        mean([s.precision for s in scores]), mean([s.recall for s in scores]), mean([s.f1 for s in scores]), support
    )
