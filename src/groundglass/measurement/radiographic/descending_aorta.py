"""Descending aorta: widest width in tracheal widths, and how far its left border bends."""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import uniform_filter1d

from groundglass.core import Line
from groundglass.measurement.radiographic.masks import RadiographMasks
from groundglass.measurement.radiographic.outline import Floats, Outline, outline
from groundglass.measurement.radiographic.quality import DroppedCaseError, checked
from groundglass.measurement.radiographic.row import Measured, Recipe
from groundglass.measurement.radiographic.trachea import trachea_width

_POINTS = 6
# Rows over which the pixel steps of the opposite border are averaged out.
_SMOOTHED = 5
_TRIMMED = 0.05
_SHORTEST = 0.15


def measure_width(masks: RadiographMasks) -> Measured:
    """The widest of six widths, each across the vessel (not along the row), over the tracheal width.

    The width at a point of the left border is its distance to the nearest point of the right border.
    """
    trachea, caliper = trachea_width(masks)
    aorta = _above_heart_base(masks)
    rows, left_border = _levels(aorta)
    right_border = uniform_filter1d(aorta.left, _SMOOTHED, mode="nearest")
    down = (aorta.rows[None] - rows[:, None]) * masks.aspect
    distance = np.hypot(down, left_border[:, None] - right_border[None])
    nearest = distance.argmin(axis=1)
    widths = distance.min(axis=1)
    i = int(widths.argmax())
    width, j = float(widths[i]), int(nearest[i])
    values = {"desc_aorta_width_px": width, "trachea_width_px": trachea, "level_row": float(rows[i])}
    if masks.spacing is not None:
        values["desc_aorta_width_mm"] = width * masks.spacing[1]
    ends = ((float(aorta.rows[j]), float(right_border[j])), (float(rows[i]), float(left_border[i])))
    return Measured(width / trachea, values, (Line(ends, "descending aorta width"), caliper))


def measure_bending(masks: RadiographMasks) -> Measured:
    """The left border's total bend in degrees: mean curvature at six points times its length.

    An arc of a circle gives its own angle, a straight border 0; free of the picture's scale, unlike a curvature
    per pixel.
    """
    rows, edge = _levels(_above_heart_base(masks))
    steps = np.stack([np.diff(rows) * masks.aspect, np.diff(edge)])
    lengths = np.hypot(*steps)
    turns = np.abs(np.diff(np.arctan2(steps[1], steps[0])))
    covered = (lengths[:-1] + lengths[1:]) / 2
    bend = math.degrees(float(turns.sum() / covered.sum() * lengths.sum()))
    chord = float(np.hypot((rows[-1] - rows[0]) * masks.aspect, edge[-1] - edge[0]))
    values = {
        "curvature_per_px": float(turns.sum() / covered.sum()),
        "length_px": float(lengths.sum()),
        "length_over_chord": float(lengths.sum()) / chord,
    }
    ends = tuple((float(r), float(c)) for r, c in zip(rows, edge, strict=True))
    border = Line(ends, "left border of the descending aorta")
    points = tuple(Line((end,), f"left border {n}") for n, end in enumerate(ends, start=1))
    return Measured(bend, values, (border, *points))


def _above_heart_base(masks: RadiographMasks) -> Outline:
    """The vessel down to the heart's lower border. Raises DroppedCaseError when that is too short to judge."""
    aorta = outline(checked(masks, "descending aorta"))
    if masks.has("heart"):
        aorta = aorta.between(aorta.top, outline(checked(masks, "heart")).bottom)
    if len(aorta.rows) < max(2 * _POINTS, _SHORTEST * masks.shape[0]):
        raise DroppedCaseError("descending aorta", "is too short")
    return aorta


def _levels(aorta: Outline) -> tuple[Floats, Floats]:
    """Six evenly spaced rows without 5 % at either end, and the left border there.

    The border is the value of a parabola fitted to its neighbourhood: free of pixel steps.
    """
    height = aorta.bottom - aorta.top
    rows = np.linspace(aorta.top + _TRIMMED * height, aorta.bottom - _TRIMMED * height, _POINTS)
    reach = max(2.5, height / (2 * (_POINTS - 1)))
    border = np.empty(_POINTS)
    for i, row in enumerate(rows):
        near = np.abs(aorta.rows - row) <= reach
        # Centred on the row itself, the constant of the fit is the border there.
        border[i] = np.polyfit(aorta.rows[near] - row, aorta.right[near], 2)[2]
    return rows, border


DESCENDING_AORTA_ENLARGEMENT = Recipe("descending_aorta_enlargement", ("descending aorta", "trachea"), measure_width)
DESCENDING_AORTA_TORTUOUS = Recipe("descending_aorta_tortuous", ("descending aorta",), measure_bending)
