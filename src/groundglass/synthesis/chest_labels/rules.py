"""Classes that no segmenter gives: parts of the mediastinum, hemidiaphragms, halves of ribs, the abdomen.

All arrays are boolean in RAS axes (x to the right, y to the front, z up), as `in_ras` makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
Structures = Mapping[str, Bool]
SIDES = ("left", "right")


def mediastinum(held: Structures) -> Bool | None:
    """Between the lungs, the heart left out: on each line from side to side, what lies between the inner borders of
    both lungs, on the slices and depths that show both."""
    whole = _between_lungs(held)
    return None if whole is None else whole & ~_or_empty(held, "heart", whole)


def upper(held: Structures) -> Bool | None:
    """Above the lower edge of T4; where no T4 is labelled, above the heart."""
    return _cut(held, axis=2, above=True)


def lower(held: Structures) -> Bool | None:
    """The rest of the mediastinum."""
    return _cut(held, axis=2, above=False)


def anterior(held: Structures) -> Bool | None:
    """Before the heart's front, on the heart's levels and above."""
    return _depth(held, lambda y, front, _back: y > front)


def middle(held: Structures) -> Bool | None:
    """On the heart's depth; the heart belongs to it in anatomy, and is a class of its own here."""
    return _depth(held, lambda y, front, back: (y <= front) & (y >= back))


def posterior(held: Structures) -> Bool | None:
    """Behind the heart's back."""
    return _depth(held, lambda y, _front, back: y < back)


def hemidiaphragm(held: Structures, side: str) -> Bool | None:
    """The lower surface of a lung: the lowest voxel of each column, where it lies in the lower half of the lung."""
    lung = held.get(f"{side} lung")
    if lung is None or not lung.any():
        return None
    levels = np.flatnonzero(lung.any(axis=(0, 1)))
    lowest = lung.argmax(axis=2)
    base = lung.any(axis=2) & (lowest < 0.5 * (levels[0] + levels[-1]))
    surface = np.zeros_like(lung)
    x, y = np.nonzero(base)
    surface[x, y, lowest[x, y]] = True
    return surface


def abdomen(held: Structures, body: Bool | None) -> Bool | None:
    """The body below both lungs' lower surfaces, column by column; none without a body mask."""
    if body is None or "left lung" not in held or "right lung" not in held:
        return None
    lungs = held["left lung"] | held["right lung"]
    z = np.arange(lungs.shape[2])
    lowest = np.where(lungs.any(axis=2), lungs.argmax(axis=2), np.flatnonzero(lungs.any(axis=(0, 1)))[0])
    return body & (z < lowest[..., None])


def aortic_arch(held: Structures) -> Bool | None:
    """The top quarter of the thoracic aorta's height, where the arch is not labelled."""
    aorta = held.get("aorta")
    if aorta is None or not aorta.any():
        return None
    levels = np.flatnonzero(aorta.any(axis=(0, 1)))
    return aorta & (np.arange(aorta.shape[2]) > levels[-1] - 0.25 * len(levels))


def rib_parts(rib: Bool) -> tuple[Bool, Bool]:
    """(anterior, posterior) part, divided at the depth of the rib's outermost point."""
    centre = rib.shape[0] / 2
    x = np.flatnonzero(rib.any(axis=(1, 2)))
    outer = x[np.argmax(np.abs(x - centre))]
    depth = float(np.nonzero(rib[outer])[0].mean())
    front = np.arange(rib.shape[1])[:, None] >= depth
    return rib & front, rib & ~front


RULES: Mapping[str, Callable[[Structures], Bool | None]] = {
    "mediastinum": mediastinum,
    "upper mediastinum": upper,
    "lower mediastinum": lower,
    "anterior mediastinum": anterior,
    "middle mediastinum": middle,
    "posterior mediastinum": posterior,
    "left hemidiaphragm": lambda held: hemidiaphragm(held, "left"),
    "right hemidiaphragm": lambda held: hemidiaphragm(held, "right"),
    "aortic arch": aortic_arch,
}


def _between_lungs(held: Structures) -> Bool | None:
    left, right = held.get("left lung"), held.get("right lung")
    if left is None or right is None or not left.any() or not right.any():
        return None
    x = np.arange(left.shape[0])[:, None, None]
    # The patient's left is at small x: the inner border of the left lung is its largest x.
    inner_left = np.where(left, x, -1).max(axis=0)
    inner_right = np.where(right, x, left.shape[0]).min(axis=0)
    both = left.any(axis=0) & right.any(axis=0)
    return np.asarray((x > inner_left) & (x < inner_right) & both)


def _cut(held: Structures, *, axis: int, above: bool) -> Bool | None:
    whole = mediastinum(held)
    if whole is None:
        return None
    marks = held.get("T4 vertebra")
    if marks is not None and marks.any():
        level = int(np.flatnonzero(marks.any(axis=(0, 1)))[0])
    else:
        heart = held.get("heart")
        if heart is None or not heart.any():
            return None
        level = int(np.flatnonzero(heart.any(axis=(0, 1)))[-1]) + 1
    z = np.arange(whole.shape[axis])
    return whole & (z >= level if above else z < level)


def _depth(held: Structures, chosen: Callable[[NDArray[np.int64], int, int], NDArray[np.bool_]]) -> Bool | None:
    whole, heart = lower(held), held.get("heart")
    if whole is None or heart is None or not heart.any():
        return None
    rows = np.flatnonzero(heart.any(axis=(0, 2)))
    return whole & chosen(np.arange(whole.shape[1])[:, None], int(rows[-1]), int(rows[0]))


def _or_empty(held: Structures, name: str, like: Bool) -> Bool:
    found = held.get(name)
    return np.zeros_like(like) if found is None else found
