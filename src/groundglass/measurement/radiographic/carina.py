"""Carina angle: between the lower walls of the two main bronchi (subcarinal angle)."""

from __future__ import annotations

import math

import numpy as np

from groundglass.core import Line
from groundglass.measurement.radiographic.masks import BoolArray, RadiographMasks
from groundglass.measurement.radiographic.outline import Floats, Upright, fit_upright
from groundglass.measurement.radiographic.quality import DroppedCaseError, checked
from groundglass.measurement.radiographic.row import Measured, Recipe

_BRONCHI = ("right main bronchus", "left main bronchus")
# The part of the notch, from its top, that is fitted: below the blunt tip, above the bronchi's ends.
_FITTED = (0.1, 0.6)
_FEWEST_ROWS = 5


def measure(masks: RadiographMasks) -> Measured:
    """The angle in degrees between the lines fitted to both walls of the notch under the carina."""
    rows, right_wall, left_wall = _notch(_airway(masks))
    first, last = (rows[0] + share * (rows[-1] - rows[0]) for share in _FITTED)
    keep = (rows >= first) & (rows <= last)
    if keep.sum() < _FEWEST_ROWS:
        raise DroppedCaseError("carina", "the notch between the main bronchi is too short")
    right, left = fit_upright(rows[keep], right_wall[keep]), fit_upright(rows[keep], left_wall[keep])
    if left.slope - right.slope <= 0:
        raise DroppedCaseError("carina", "the walls of the main bronchi do not part downwards")
    lean_right, lean_left = (math.degrees(math.atan(line.slope / masks.aspect)) for line in (right, left))
    tip_row = (right.offset - left.offset) / (left.slope - right.slope)
    tip = (tip_row, right.column(tip_row))
    ends = _end(right, last), _end(left, last)
    values = {"lean_right_deg": -lean_right, "lean_left_deg": lean_left, "carina_row": tip[0], "carina_column": tip[1]}
    lines = (
        Line((ends[0], tip, ends[1]), "carina angle"),
        Line((ends[0],), "right bronchus"),
        Line((tip,), "carina"),
        Line((ends[1],), "left bronchus"),
    )
    return Measured(lean_left - lean_right, values, lines)


def _end(wall: Upright, row: float) -> tuple[float, float]:
    return float(row), wall.column(row)


def _airway(masks: RadiographMasks) -> BoolArray:
    """The bifurcation: the carina's mask with the main bronchi, where they are masks of their own."""
    parts = [checked(masks, name) for name in ("carina", *_BRONCHI) if masks.has(name)]
    if not masks.has("carina") and len(parts) < len(_BRONCHI):
        raise DroppedCaseError("carina", "no mask")
    return np.logical_or.reduce(parts)


def _notch(airway: BoolArray) -> tuple[Floats, Floats, Floats]:
    """Rows of the gap under the carina, downwards without a break, and its right and left wall (patient's sides)."""
    rows: list[float] = []
    starts: list[float] = []
    stops: list[float] = []
    for row in np.flatnonzero(airway.any(axis=1)):
        gap = _widest_gap(airway[row])
        if gap is None:
            if rows:
                break
            continue
        rows.append(float(row))
        starts.append(gap[0])
        stops.append(gap[1])
    if len(rows) < _FEWEST_ROWS:
        raise DroppedCaseError("carina", "there is no notch between the main bronchi")
    return np.array(rows), np.array(starts), np.array(stops)


def _widest_gap(line: BoolArray) -> tuple[float, float] | None:
    """The widest run of background between two runs of airway on a row, as its edges."""
    inside = np.flatnonzero(line)
    steps = np.diff(inside)
    if not len(steps) or steps.max() == 1:
        return None
    i = int(steps.argmax())
    return inside[i] + 0.5, inside[i + 1] - 0.5


CARINA_ANGLE = Recipe("carina_angle", ("carina",), measure)
