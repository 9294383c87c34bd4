"""How right the boxes are of a model that was never shown one: IoU and IoBB side by side (arXiv 1705.02315)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Box
from groundglass.core.errors import InputError
from groundglass.metrics.detection.boxes import BoxSet, box_iou


@dataclass(frozen=True, slots=True)
class WeakBoxes:
    """At one threshold of IoU and of IoBB: the share of truths with a box above it, and boxes that are not above it
    with any truth of their image, per image. `best_iou` is the mean over truths of the best IoU of any box.

    IoBB alone says little: a box of one pixel inside the truth has IoBB 1, and IoU next to 0.
    """

    threshold: float
    accuracy_iou: float
    false_iou: float
    accuracy_iobb: float
    false_iobb: float
    best_iou: float
    truths: int
    right_iou: int
    right_iobb: int


def box_iobb(found: BoxSet, truth: BoxSet) -> NDArray[np.float64]:
    """(N, M): the share of each found box that lies in each truth; 0 for a box without size."""
    # COCO divides by the found box alone where the truth is a crowd.
    return box_iou(found, replace(truth, crowd=np.ones(len(truth), dtype=bool)))


def weak_boxes(found: Sequence[Sequence[Box]], truth: Sequence[Sequence[Box]], *, threshold: float) -> WeakBoxes:
    """Figures of candidate boxes against true ones, image by image, of one class.

    All images count for the false ones: leave out those where the class is not asked for. Raises InputError for
    different numbers of images or when there is no truth.
    """
    if len(found) != len(truth) or not any(truth):
        raise InputError(
            "boxes", f"are of {len(found)} images, the truths of {len(truth)}, or there is none", "Give both per image."
        )
    hits: dict[str, list[bool]] = {"iou": [], "iobb": []}
    wrong = {"iou": 0, "iobb": 0}
    best: list[float] = []
    for candidates, real in zip(found, truth, strict=True):
        if not candidates:
            best += [0.0] * len(real)
            for held in hits.values():
                held += [False] * len(real)
            continue
        if not real:
            wrong = {name: count + len(candidates) for name, count in wrong.items()}
            continue
        said, true = (BoxSet.of(np.zeros(len(b)), np.zeros(len(b)), b) for b in (candidates, real))
        tables = {"iou": box_iou(said, true), "iobb": box_iobb(said, true)}
        best += tables["iou"].max(axis=0).tolist()
        for name, table in tables.items():
            hits[name] += (table > threshold).any(axis=0).tolist()  # type: ignore[arg-type]  # a list, along one axis
            wrong[name] += int((~(table > threshold).any(axis=1)).sum())
    count = len(best)
    right = {name: sum(held) for name, held in hits.items()}
    return WeakBoxes(
        threshold,
        right["iou"] / count,
        wrong["iou"] / len(found),
        right["iobb"] / count,
        wrong["iobb"] / len(found),
        float(np.mean(best)),
        count,
        right["iou"],
        right["iobb"],
    )
