"""Patient rotation: are the medial ends of the clavicles equally far from the spine's midline?"""

from __future__ import annotations

from groundglass.measurement.radiographic.masks import RadiographMasks
from groundglass.measurement.radiographic.midline import spine_midline
from groundglass.measurement.radiographic.outline import horizontal, outline
from groundglass.measurement.radiographic.quality import DroppedCaseError, checked, in_order
from groundglass.measurement.radiographic.row import Measured, Recipe

_REACH = 0.06


def measure(masks: RadiographMasks) -> Measured:
    """The shorter distance over the longer one; 1 is a patient who stands square. `ratio` is right over left.

    A medial end beyond the midline makes the index negative: a strong rotation, where CheXStruct drops the case.
    """
    in_order(masks, "clavicle")
    right_row, right_end = outline(checked(masks, "right clavicle")).rightmost
    left_row, left_end = outline(checked(masks, "left clavicle")).leftmost
    reach = _REACH * masks.shape[0]
    midline = spine_midline(masks, min(right_row, left_row) - reach, max(right_row, left_row) + reach)
    right = midline.column(right_row) - right_end
    left = left_end - midline.column(left_row)
    if right + left <= 0:
        raise DroppedCaseError("clavicle", "the medial ends overlap")
    values = {
        "distance_right_px": right,
        "distance_left_px": left,
        "ratio": right / left if left else float("inf"),
    }
    lines = (
        horizontal(right_row, right_end, midline.column(right_row), "right clavicle to midline"),
        horizontal(left_row, midline.column(left_row), left_end, "left clavicle to midline"),
    )
    return Measured(min(right, left) / max(right, left), values, lines)


ROTATION = Recipe("rotation", ("right clavicle", "left clavicle", "spine"), measure)
