"""AP and AR with COCO's semantics to the digit: IoU ladder, crowds, size ranges, limits of detections per image.

T.-Y. Lin et al., ECCV 2014, and the evaluation that its authors publish. Where the order of equal scores matters,
images count in the order of their names and boxes as given, as there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError, InputError
from groundglass.metrics.detection.boxes import BoxSet
from groundglass.metrics.detection.coco_matching import match_all

COCO_IOUS = tuple(float(value) for value in np.linspace(0.5, 0.95, 10))
COCO_AREAS = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, slots=True, eq=False)
class CocoEvaluation:
    """`precision` (ious, 101 recalls, labels, areas, limits), interpolated; largest `recall` (as well, less recalls).

    NaN where a label has no truth in a range of sizes: such cells are left out of every mean.
    """

    labels: tuple[Any, ...]
    ious: tuple[float, ...]
    areas: tuple[str, ...]
    limits: tuple[int, ...]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]

    def ap(self, *, iou: float | None = None, area: str = "all", limit: int | None = None, label: Any = None) -> float:
        """Mean precision over recalls, labels and IoUs (or one of them), NaN when nothing is defined."""
        return _mean(self._cells(self.precision.mean(axis=1), iou, area, limit, label))

    def ar(self, *, iou: float | None = None, area: str = "all", limit: int | None = None, label: Any = None) -> float:
        """Mean of the largest recalls over labels and IoUs (or one of them)."""
        return _mean(self._cells(self.recall, iou, area, limit, label))

    def summary(self) -> dict[str, float]:
        """AP, AP50, AP75, AR at each limit, and AP and AR of each range of sizes at the largest limit."""
        lines = {"AP": self.ap()}
        lines |= {f"AP{round(100 * iou)}": self.ap(iou=iou) for iou in (0.5, 0.75) if self._has(iou)}
        lines |= {f"AR{limit}": self.ar(limit=limit) for limit in self.limits}
        for area in self.areas:
            if area != "all":
                lines |= {f"AP {area}": self.ap(area=area), f"AR {area}": self.ar(area=area)}
        return lines

    def _has(self, iou: float) -> bool:
        return any(abs(iou - known) < 1e-9 for known in self.ious)

    def _cells(
        self, values: NDArray[np.float64], iou: float | None, area: str, limit: int | None, label: Any
    ) -> NDArray[np.float64]:
        rows = [place for place, known in enumerate(self.ious) if iou is None or abs(iou - known) < 1e-9]
        columns = [place for place, known in enumerate(self.labels) if label is None or label == known]
        wanted = self.limits[-1] if limit is None else limit
        if not rows or (label is not None and not columns) or area not in self.areas or wanted not in self.limits:
            raise ConfigurationError(
                f"iou {iou}, area {area}, limit {limit}, label {label}",
                "was not evaluated",
                "Evaluate it, or see `summary`.",
            )
        return values[np.ix_(rows, columns)][:, :, self.areas.index(area), self.limits.index(wanted)]


def evaluate_boxes(
    truth: BoxSet,
    found: BoxSet,
    *,
    ious: Sequence[float] = COCO_IOUS,
    areas: Mapping[str, tuple[float, float]] = COCO_AREAS,
    limits: Sequence[int] = (1, 10, 100),
) -> CocoEvaluation:
    """Evaluate detections against truths over all images of either; labels are those of either.

    Raises InputError without scores, ConfigurationError for IoUs, areas or limits that are empty or out of order.
    """
    if found.scores is None:
        raise InputError("detections", "have no scores", "Give one per box (all 1 if the model has none).")
    if not ious or not areas or not limits or list(limits) != sorted(set(limits)) or limits[0] < 1:
        raise ConfigurationError(
            "ious, areas or limits", "are empty or not rising", "Keep the defaults or complete them."
        )
    ranges = np.array(list(areas.values()), dtype=np.float64)
    # Detections come back by label, image and falling score.
    matched = match_all(truth, found, np.asarray(ious), ranges, limits[-1])
    labels = matched.names
    shape = (len(ious), len(labels), len(areas), len(limits))
    precision = np.full((shape[0], len(RECALLS), *shape[1:]), np.nan)
    recall = np.full(shape, np.nan)
    for place, label in enumerate(labels):
        own = matched.of(label)
        order = np.argsort(-own.scores, kind="stable")
        for range_place in range(len(areas)):
            positives = int(own.positives[range_place])
            if not positives:
                continue
            for limit_place, limit in enumerate(limits):
                kept = order[own.ranks[order] < limit]
                right = own.hit[range_place][:, kept] & ~own.ignored[range_place][:, kept]
                wrong = ~own.hit[range_place][:, kept] & ~own.ignored[range_place][:, kept]
                cells = (slice(None), place, range_place, limit_place)
                recall[cells], curve = _curves(right, wrong, positives)
                precision[:, :, place, range_place, limit_place] = curve
    return CocoEvaluation(
        tuple(labels.tolist()), tuple(float(iou) for iou in ious), tuple(areas), tuple(limits), precision, recall
    )


def _curves(
    right: NDArray[np.bool_], wrong: NDArray[np.bool_], positives: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(largest recall (T,), precision at the 101 recalls (T, 101)) of detections in falling order of score (T, N)."""
    hits, alarms = np.cumsum(right, axis=1, dtype=np.float64), np.cumsum(wrong, axis=1, dtype=np.float64)
    levels = np.zeros((len(right), len(RECALLS)))
    if not right.shape[1]:
        return np.zeros(len(right)), levels
    recalls = hits / positives
    precisions = hits / (hits + alarms + np.spacing(1))
    envelope = np.maximum.accumulate(precisions[:, ::-1], axis=1)[:, ::-1]
    for row in range(len(right)):
        places = np.searchsorted(recalls[row], RECALLS, side="left")
        reached = places < right.shape[1]
        levels[row, reached] = envelope[row, places[reached]]
    return recalls[:, -1], levels


def _mean(values: NDArray[np.float64]) -> float:
    held = values[~np.isnan(values)]
    return float(held.mean()) if len(held) else float("nan")
