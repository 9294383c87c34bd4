"""Cardiothoracic ratio: greatest transverse width of the heart over the greatest inner width of the chest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from groundglass.core import Line
from groundglass.measurement.radiographic.masks import RadiographMasks
from groundglass.measurement.radiographic.midline import spine_midline
from groundglass.measurement.radiographic.outline import Outline, horizontal, middle_of, outline
from groundglass.measurement.radiographic.quality import DroppedCaseError, checked, in_order
from groundglass.measurement.radiographic.row import Measured, Recipe


def thorax_rows(masks: RadiographMasks) -> Outline:
    """From the right lung's outer edge to the left lung's on the rows that show both. Raises DroppedCaseError."""
    in_order(masks, "lung")
    right, left = outline(checked(masks, "right lung")), outline(checked(masks, "left lung"))
    rows, i, j = np.intersect1d(right.rows, left.rows, assume_unique=True, return_indices=True)
    if not len(rows):
        raise DroppedCaseError("lung", "right and left share no row of the picture")
    return Outline(rows, right.left[i], left.right[j])


def lateral_walls_inside(masks: RadiographMasks) -> None:
    """Raise DroppedCaseError when a lung runs out of the picture sideways: its chest wall was not seen."""
    for name, column in (("right lung", 0), ("left lung", -1)):
        if checked(masks, name)[:, column].any():
            raise DroppedCaseError(name, "is cut by the side of the picture")


def measure(masks: RadiographMasks) -> Measured:
    """(right + left heart border to midline) / widest inner chest, Danzer 1919.

    The sum of both distances is the heart's whole width wherever the midline runs through the heart, so the
    midline (spine, else the middle of the chest) only splits it for the drawing.
    """
    lateral_walls_inside(masks)
    chest = thorax_rows(masks)
    heart = outline(checked(masks, "heart"))
    level = middle_of(chest.width == chest.width.max())
    walls = (float(chest.left[level]), float(chest.right[level]))
    (right_row, right_edge), (left_row, left_edge) = heart.leftmost, heart.rightmost
    if not (walls[0] < right_edge and left_edge < walls[1]):
        raise DroppedCaseError("heart", "reaches beyond the chest walls")
    middle = _midline(masks, heart, sum(walls) / 2)
    at_right, at_left = middle(right_row), middle(left_row)
    width, thorax = left_edge - right_edge, walls[1] - walls[0]
    values = {
        "heart_xmin": right_edge,
        "heart_xmax": left_edge,
        "lung_xmin": walls[0],
        "lung_xmax": walls[1],
        "heart_width_px": width,
        "thoracic_width_px": thorax,
        "right_heart_px": at_right - right_edge,
        "left_heart_px": left_edge - at_left,
    }
    if masks.spacing is not None:
        values |= {"heart_width_mm": width * masks.spacing[1], "thoracic_width_mm": thorax * masks.spacing[1]}
    lines: tuple[Line, ...] = (
        horizontal(right_row, right_edge, at_right, "right heart border to midline"),
        horizontal(left_row, at_left, left_edge, "left heart border to midline"),
        horizontal(float(chest.rows[level]), *walls, "inner width of the chest"),
    )
    return Measured(width / thorax, values, lines)


def _midline(masks: RadiographMasks, heart: Outline, fallback: float) -> Callable[[float], float]:
    """The midline's column by row; the middle of the chest where no spine was segmented."""
    try:
        return spine_midline(masks, heart.top, heart.bottom).column
    except DroppedCaseError:
        return lambda _row: fallback


CARDIOMEGALY = Recipe("cardiomegaly", ("right lung", "left lung", "heart"), measure)
