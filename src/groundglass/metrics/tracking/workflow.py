"""Phase recognition second by second: the balanced figures of one video."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from groundglass.core.errors import InputError
from groundglass.metrics.tracking.segments import edit_score, segment_f1


@dataclass(frozen=True, slots=True)
class WorkflowScores:
    """Figures of one video over the `labels` that occur in it.

    Macro figures are plain means over labels (precision, recall and F1 are 0 where they are 0 / 0), `balanced_accuracy`
    is the mean recall of the labels in the truth only, `weighted_f1` weighs by true seconds, `jaccard` is the mean IoU.
    `segment_f1` is by overlap 0.1, 0.25, 0.5.
    """

    labels: tuple[Hashable, ...]
    accuracy: float
    balanced_accuracy: float
    precision: float
    recall: float
    macro_f1: float
    weighted_f1: float
    jaccard: float
    edit: float
    segment_f1: dict[float, float]
    seconds: int


def workflow_scores(
    truth: Sequence[Hashable], prediction: Sequence[Hashable], *, not_scored: Iterable[Hashable] = ()
) -> WorkflowScores:
    """Figures of one video; surgical papers give their mean and SD over videos.

    Seconds whose true label is in `not_scored` are dropped from both first. Raises InputError for different lengths and
    when no second is left.
    """
    if len(truth) != len(prediction):
        raise InputError("prediction", f"has {len(prediction)} seconds, the truth {len(truth)}", "One label a second.")
    dropped = set(not_scored)
    kept = [(real, said) for real, said in zip(truth, prediction, strict=True) if real not in dropped]
    if not kept:
        raise InputError("truth", "has no second to score", "Leave the video out.")
    real, said = [pair[0] for pair in kept], [pair[1] for pair in kept]
    labels = tuple(dict.fromkeys([*real, *said]))
    hits = np.array([sum(a == b == label for a, b in kept) for label in labels], dtype=np.float64)
    support = np.array([real.count(label) for label in labels], dtype=np.float64)
    claimed = np.array([said.count(label) for label in labels], dtype=np.float64)
    precision, recall = hits / np.maximum(claimed, 1), hits / np.maximum(support, 1)
    f1 = 2 * hits / (support + claimed)
    return WorkflowScores(
        labels,
        float(hits.sum() / len(kept)),
        float(recall[support > 0].mean()),
        float(precision.mean()),
        float(recall.mean()),
        float(f1.mean()),
        float((f1 * support).sum() / support.sum()),
        float((hits / (support + claimed - hits)).mean()),
        edit_score(real, said),
        {overlap: segment_f1(real, said, overlap=overlap) for overlap in (0.1, 0.25, 0.5)},
        len(kept),
    )
