"""Slice to slice through a volume: the mask of one slice says where to draw in the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from groundglass.segmentation.interactive.answer import Answer, Strokes, settled
from groundglass.segmentation.interactive.engine import Engine, View
from groundglass.segmentation.interactive.grid import Grid
from groundglass.segmentation.interactive.plane_answer import PlaneEngine, answer_plane, box_about
from groundglass.segmentation.interactive.planes import Planes
from groundglass.segmentation.mask_window import window_about

Bool = NDArray[np.bool_]
# A structure has ended where a slice holds less than this share of the slice before, or is so unsure of it.
LEAST_SHARE = 0.08
LEAST_CERTAINTY = 0.6
# Between strokes carried from a neighbour, which enclose the outline, the classical odds are the steadier guide.
LEAN = 8.0
# Pixels between an outline and the ring of strokes around it, at least and at most; and how wide the ring is.
MARGINS, RING = (3, 14), 2


def propagated(
    engine: Engine | PlaneEngine,
    planes: Planes,
    strokes: Mapping[int, Strokes],
    answers: Mapping[int, Answer],
    progress: Callable[[float], None] = lambda _share: None,
) -> dict[int, Answer]:
    """Answers of all slices that the structure reaches from the prompted ones, which keep their own.

    Between two prompted slices both sides' answers are averaged by nearness.
    """
    kept = {index: answers[index] for index in sorted(strokes)}
    found: dict[int, Answer] = dict(kept)
    starts = list(kept)
    done = len(starts)
    for low, high in zip([None, *starts], [*starts, None], strict=True):
        gap = range(0 if low is None else low + 1, planes.count if high is None else high)
        upwards = {} if low is None else _walk(engine, planes, kept[low], gap)
        downwards = {} if high is None else _walk(engine, planes, kept[high], reversed(gap))
        for index in gap:
            answer = _between(upwards.get(index), downwards.get(index), index, low, high)
            if answer is not None:
                found[index] = answer
        done += len(gap)
        progress(done / planes.count)
    return found


def _walk(engine: Engine | PlaneEngine, planes: Planes, start: Answer, slices: Iterable[int]) -> dict[int, Answer]:
    """Answers along `slices`, each from the one before, until the structure ends."""
    answers: dict[int, Answer] = {}
    last = start
    for index in slices:
        inside = last.logits > 0
        area = int(inside.sum())
        if area == 0:
            break
        answer = _carried(engine, planes.plane(index), last, inside)
        mask = answer.logits > 0
        if mask.sum() < LEAST_SHARE * area or _certainty(answer.logits, mask) < LEAST_CERTAINTY:
            break
        answers[index] = last = answer
    return answers


def _carried(engine: Engine | PlaneEngine, plane: NDArray[np.float32], last: Answer, inside: Bool) -> Answer:
    if isinstance(engine, PlaneEngine):
        held = answer_plane(engine, plane, box_about(last.mask))
        return settled(held.grid, held.logits, Strokes())
    grid = last.grid
    positive, negative = carried_strokes(inside)
    box = np.zeros(grid.padded, dtype=np.float32)
    view = View(grid.down(plane), positive, negative, box, last.logits, lean=LEAN)
    return settled(Grid.of(plane.shape), engine.logits(view), Strokes())


def carried_strokes(inside: Bool) -> tuple[Bool, Bool]:
    """Strokes for the next slice from a mask: the inner half of every part, and a ring around at a safe distance."""
    positive, negative = np.zeros_like(inside), np.zeros_like(inside)
    near = window_about(inside, MARGINS[1] + RING)
    positive[near], negative[near] = _core_and_ring(inside[near])
    return positive, negative


def _core_and_ring(inside: Bool) -> tuple[Bool, Bool]:
    from scipy.ndimage import distance_transform_edt, label

    depth = distance_transform_edt(inside)
    parts, count = label(inside)
    deepest = np.ones(count + 1)
    np.maximum.at(deepest, parts[inside], depth[inside])
    core = inside & (depth >= 0.55 * deepest[parts])
    away = distance_transform_edt(~inside)
    margin = float(np.clip(0.35 * deepest.max(), *MARGINS))
    return core, (away > margin) & (away <= margin + RING)


def _certainty(logits: NDArray[np.float32], mask: Bool) -> float:
    return float((1 / (1 + np.exp(-logits[mask]))).mean())


def _between(one: Answer | None, other: Answer | None, index: int, low: int | None, high: int | None) -> Answer | None:
    if one is None or other is None or low is None or high is None:
        return one if other is None else other
    share = (index - low) / (high - low)
    return settled(one.grid, (1 - share) * one.logits + share * other.logits, Strokes())
