"""Which detection belongs to which truth, at every IoU and range of sizes at once, greedily by score as COCO does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import InputError
from groundglass.metrics.detection.boxes import BoxSet, overlap_ratio

_CELLS = 2_000_000
"""Truths, times size ranges, times IoUs, that are held at a time."""


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
    cells = len(areas) * len(ious)
    for groups in _groups(keys, truth_keys[truth_order], cells):
        groups.match(found, order, truth, truth_order, outside_truth, np.minimum(ious, 1 - 1e-10), hit, ignored)

    positives = np.zeros((len(names), len(areas)), dtype=np.int64)
    for place in range(len(areas)):
        positives[:, place] = np.bincount(truth_labels[~outside_truth[place]], minlength=len(names))
    return Matched(found.labels[order], found.scores[order], ranks, hit, ignored, positives, names)


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """Images and labels (B,) that have both: first place and number of their detections and truths, in order."""

    found_first: NDArray[np.intp]
    found_count: NDArray[np.intp]
    truth_first: NDArray[np.intp]
    truth_count: NDArray[np.intp]

    def match(
        self,
        found: BoxSet,
        order: NDArray[np.intp],
        truth: BoxSet,
        truth_order: NDArray[np.intp],
        outside_truth: NDArray[np.bool_],
        steps: NDArray[np.float64],
        hit: NDArray[np.bool_],
        ignored: NDArray[np.bool_],
    ) -> None:
        """Fill `hit` and `ignored` (A, T, N) for all these groups at once: each one's best detection, then the next.

        A detection takes the best truth that is free (a crowd always is) and reaches the IoU, the last of equal ones; a
        truth that does not count is taken only when none that counts is left.
        """
        width = int(self.truth_count.max())
        places = self.truth_first[:, None] + np.arange(width)
        present = np.arange(width) < self.truth_count[:, None]
        rows = truth_order[np.where(present, places, self.truth_first[:, None])]
        crowd = truth.crowd[rows] & present
        outside = outside_truth[:, rows].transpose(1, 0, 2)
        taken = np.zeros((len(rows), len(outside_truth), len(steps), width), dtype=bool)
        for rank in range(int(self.found_count.max())):
            groups = np.flatnonzero(self.found_count > rank)
            own = self.found_first[groups] + rank
            overlap = overlap_ratio(
                found.start[order[own], None],
                found.size[order[own], None],
                truth.start[rows[groups]],
                truth.size[rows[groups]],
                crowd[groups],
            )
            overlap[~present[groups]] = -1.0
            near = overlap.max(axis=1) >= steps.min()
            groups, own, overlap = groups[near], own[near], overlap[near, None, None]
            free = ~taken[groups] | crowd[groups, None, None]
            open_to = (overlap >= steps[:, None]) & free
            counting = open_to & ~outside[groups, :, None]
            choice = np.where(counting.any(axis=3, keepdims=True), counting, open_to)
            best = width - 1 - np.argmax(np.where(choice, overlap, -1.0)[..., ::-1], axis=3)
            of, area, level = np.nonzero(choice.any(axis=3))
            chosen = best[of, area, level]
            taken[groups[of], area, level, chosen] = True
            hit[area, level, own[of]] = True
            ignored[area, level, own[of]] = outside[groups[of], area, chosen]


def _groups(keys: NDArray[np.intp], truth_keys: NDArray[np.intp], cells: int) -> Iterator[_Groups]:
    """Groups of about as many truths together, so that little is padded, and few enough to hold."""
    shared = np.intersect1d(keys, truth_keys)
    found_first, found_last = np.searchsorted(keys, shared, "left"), np.searchsorted(keys, shared, "right")
    truth_first, truth_last = np.searchsorted(truth_keys, shared, "left"), np.searchsorted(truth_keys, shared, "right")
    counts = truth_last - truth_first
    by_count = np.argsort(counts, kind="stable")
    start = 0
    while start < len(shared):
        # Up to twice the truths of the smallest of them.
        widest = 2 * counts[by_count[start]]
        stop = min(
            int(np.searchsorted(counts[by_count], widest, "right")), start + max(1, _CELLS // int(cells * widest))
        )
        of = by_count[start:stop]
        yield _Groups(found_first[of], found_last[of] - found_first[of], truth_first[of], counts[of])
        start = stop


def _outside(area: NDArray[np.float64], areas: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (area < areas[:, :1]) | (area > areas[:, 1:])


def _codes(first: NDArray[Any], second: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[np.intp]]:
    """(names sorted, code of each of `first`, of each of `second`); an empty side has no say in the type."""
    if len(first) and len(second) and (first.dtype.kind in "USO") != (second.dtype.kind in "USO"):
        raise InputError("images or labels", "are text on one side and numbers on the other", "Name them alike.")
    names, codes = np.unique(
        np.concatenate([part for part in (first, second) if len(part)] or [first]), return_inverse=True
    )
    codes = codes.reshape(-1)
    return names, codes[: len(first)], codes[len(first) :]
