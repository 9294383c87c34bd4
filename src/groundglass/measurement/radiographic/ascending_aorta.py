"""Ascending aorta: how much of it bulges over the line from the right heart border to the trachea."""

from __future__ import annotations

import numpy as np

from groundglass.core import Line
from groundglass.measurement.radiographic.masks import RadiographMasks
from groundglass.measurement.radiographic.outline import outline
from groundglass.measurement.radiographic.quality import DroppedCaseError, checked
from groundglass.measurement.radiographic.row import Measured, Recipe
from groundglass.measurement.radiographic.trachea import shaft


def measure(masks: RadiographMasks) -> Measured:
    """The share of the ascending aorta's area to the right (patient) of the line heart border - lower trachea."""
    heart = outline(checked(masks, "heart"))
    aorta = checked(masks, "ascending aorta")
    trachea = shaft(masks)
    heart_point = heart.leftmost
    trachea_point = (float(trachea.rows[-1]), float(trachea.left[-1]))
    if trachea_point[0] >= heart_point[0]:
        raise DroppedCaseError("heart", "its right border does not lie below the trachea")
    if trachea_point[1] <= heart_point[1]:
        raise DroppedCaseError("heart", "its right border does not lie to the right of the trachea")
    share = _share_beyond(aorta, heart_point, trachea_point)
    lines = (
        Line((heart_point, trachea_point), "right heart border to trachea"),
        Line((heart_point,), "right heart border"),
        Line((trachea_point,), "lower end of the trachea"),
    )
    return Measured(share, {"area_px": int(aorta.sum()), "area_beyond_px": share * float(aorta.sum())}, lines)


def _share_beyond(mask: np.ndarray, lower: tuple[float, float], upper: tuple[float, float]) -> float:
    """The share of a mask's area to the left (picture) of a line; pixels that it crosses count in part."""
    rows, columns = np.nonzero(mask)
    slope = (lower[1] - upper[1]) / (lower[0] - upper[0])
    line = upper[1] + slope * (rows - upper[0])
    # How much of each pixel's row lies before the line, exact for a line that is steeper than 45 degrees.
    return float(np.clip(line - columns + 0.5, 0.0, 1.0).mean())


ASCENDING_AORTA_ENLARGEMENT = Recipe("ascending_aorta_enlargement", ("heart", "ascending aorta", "trachea"), measure)
