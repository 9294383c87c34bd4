"""Which detection belongs to which truth, at every IoU and range of sizes at once, greedily by score as COCO does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.metrics.detection.boxes import BoxSet, box_iou


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Detections by label, image and falling score; `ranks` (N,) is a detection's place in its image and label.

    `hit` and `ignored` are (areas, ious, N); `positives` (areas,) counts truths of one label, (labels, areas) of all.
    """

    labels: NDArray[Any]
    scores: NDArray[np.float64]
    ranks: NDArray[np.intp]
    hit: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    positives: NDArray[np.int64]
    names: NDArray[Any]

    def of(self, label: Any) -> Matched:
        """Those of one label."""
        rows = slice(np.searchsorted(self.labels, label, "left"), np.searchsorted(self.labels, label, "right"))
        place = np.flatnonzero(self.names == label)
        positives = self.positives[place[0]] if len(place) else np.zeros(self.positives.shape[1], dtype=np.int64)
        return Matched(
            self.labels[rows],
            self.scores[rows],
            self.ranks[rows],
            self.hit[:, :, rows],
            self.ignored[:, :, rows],
            positives,
            self.names,
        )


def match_all(
    truth: BoxSet, found: BoxSet, ious: NDArray[np.float64], areas: NDArray[np.float64], limit: int
) -> Matched:
    """Match every image and label; of each, the `limit` detections with the highest scores. `areas` is (A, 2)."""
    assert found.scores is not None
    names, truth_labels, found_labels = _codes(truth.labels, found.labels)
    _, truth_images, found_images = _codes(truth.images, found.images)
    images = int(max(truth_images.max(initial=-1), found_images.max(initial=-1))) + 1
    truth_keys, found_keys = truth_labels * images + truth_images, found_labels * images + found_images
    order = np.lexsort((-found.scores, found_keys))
    keys = found_keys[order]
    ranks = np.arange(len(keys)) - np.searchsorted(keys, keys, side="left")
    order, keys, ranks = order[ranks < limit], keys[ranks < limit], ranks[ranks < limit]

    outside_truth = truth.crowd | _outside(truth.area, areas)
    # A detection that matches nothing counts only where its own size is in the range.
    outside_found = _outside(found.area[order], areas)
    hit = np.zeros((len(areas), len(ious), len(keys)), dtype=bool)
    ignored = np.repeat(outside_found[:, None, :], len(ious), axis=1)
    truth_order = np.argsort(truth_keys, kind="stable")
    sorted_keys = truth_keys[truth_order]
    steps = np.minimum(ious, 1 - 1e-10)
    for key in np.intersect1d(keys, sorted_keys):
        rows = slice(np.searchsorted(keys, key, "left"), np.searchsorted(keys, key, "right"))
        own = truth_order[np.searchsorted(sorted_keys, key, "left") : np.searchsorted(sorted_keys, key, "right")]
        overlaps = box_iou(_rows(found, order[rows]), _rows(truth, own))
        _match(overlaps, truth.crowd[own], outside_truth[:, own], steps, hit[:, :, rows], ignored[:, :, rows])

    positives = np.zeros((len(names), len(areas)), dtype=np.int64)
    for place in range(len(areas)):
        positives[:, place] = np.bincount(truth_labels[~outside_truth[place]], minlength=len(names))
    return Matched(found.labels[order], found.scores[order], ranks, hit, ignored, positives, names)


def _match(
    overlaps: NDArray[np.float64],
    crowd: NDArray[np.bool_],
    outside: NDArray[np.bool_],
    steps: NDArray[np.float64],
    hit: NDArray[np.bool_],
    ignored: NDArray[np.bool_],
) -> None:
    """Fill `hit` and `ignored` (A, T, d) of one image and label from `overlaps` (d, g) and `outside` (A, g).

    Each detection in turn takes the best truth that is free (a crowd always is) and reaches the IoU, the last of equal
    ones; a truth that does not count is taken only when none that counts is left.
    """
    taken = np.zeros((len(outside), len(steps), len(crowd)), dtype=bool)
    for row in np.flatnonzero(overlaps.max(axis=1) >= steps.min()):
        overlap = overlaps[row]
        open_to = (overlap >= steps[:, None]) & (~taken | crowd)
        counting = open_to & ~outside[:, None]
        any_counts = counting.any(axis=2)
        choice = np.where(any_counts[:, :, None], counting, open_to)
        best = len(overlap) - 1 - np.argmax(np.where(choice, overlap, -1.0)[:, :, ::-1], axis=2)
        areas, levels = np.nonzero(choice.any(axis=2))
        chosen = best[areas, levels]
        taken[areas, levels, chosen] = True
        hit[areas, levels, row] = True
        ignored[areas, levels, row] = outside[areas, chosen]


def _outside(area: NDArray[np.float64], areas: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (area < areas[:, :1]) | (area > areas[:, 1:])


def _codes(first: NDArray[Any], second: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[np.intp]]:
    """(names sorted, code of each of `first`, of each of `second`); an empty side has no say in the type."""
    names, codes = np.unique(
        np.concatenate([part for part in (first, second) if len(part)] or [first]), return_inverse=True
    )
    codes = codes.reshape(-1)
    return names, codes[: len(first)], codes[len(first) :]


def _rows(boxes: BoxSet, rows: NDArray[np.intp]) -> BoxSet:
    return BoxSet(
        boxes.images[rows],
        boxes.labels[rows],
        boxes.start[rows],
        boxes.size[rows],
        None,
        boxes.crowd[rows],
        boxes.area[rows],
    )
