"""The tracheal shaft, its width, and its deviation from the spine's midline."""

from __future__ import annotations

import numpy as np

from groundglass.core import Line
from groundglass.measurement.radiographic.masks import RadiographMasks
from groundglass.measurement.radiographic.midline import spine_midline
from groundglass.measurement.radiographic.outline import Outline, horizontal, outline
from groundglass.measurement.radiographic.quality import DroppedCaseError, checked
from groundglass.measurement.radiographic.row import Measured, Recipe

# Nine levels, as CheXStruct reads the deviation.
_LEVELS = 9
# The shaft without this share at either end: larynx and flare to the bronchi.
_TRIMMED = 0.1


def shaft(masks: RadiographMasks) -> Outline:
    """The trachea above the carina, without its ends. Raises DroppedCaseError where fewer than nine rows are left."""
    trachea = outline(checked(masks, "trachea"))
    first, last = float(trachea.rows[0]), float(trachea.rows[-1])
    if masks.has("carina"):
        top = outline(checked(masks, "carina")).top
        # A carina mask that holds the whole trachea tells nothing about where the shaft ends.
        if first + 0.3 * (last - first) < top < last:
            last = top
    margin = _TRIMMED * (last - first)
    kept = trachea.between(first + margin, last - margin)
    if len(kept.rows) < _LEVELS:
        raise DroppedCaseError("trachea", "is too short above the carina")
    return kept


def trachea_width(masks: RadiographMasks) -> tuple[float, Line]:
    """The shaft's median width in pixels, and a caliper of that width on one of its rows."""
    trachea = shaft(masks)
    width = float(np.median(trachea.width))
    i = int(np.abs(trachea.width - width).argmin())
    return width, horizontal(float(trachea.rows[i]), float(trachea.left[i]), float(trachea.right[i]), "tracheal width")


def measure(masks: RadiographMasks) -> Measured:
    """The median over nine levels of (tracheal centre - midline) / tracheal width; + is towards the patient's left.

    Beyond 0.5 the midline lies outside the tracheal shadow at most levels.
    """
    trachea = shaft(masks)
    first, last = float(trachea.rows[0]), float(trachea.rows[-1])
    midline = spine_midline(masks, first, last)
    levels = np.linspace(first, last, _LEVELS)
    centre = np.interp(levels, trachea.rows, trachea.centre)
    width = float(np.median(trachea.width))
    offsets = centre - midline.offset - midline.slope * levels
    index = float(np.median(offsets)) / width
    direction = "midline" if abs(index) <= 0.5 else ("left" if index > 0 else "right")
    points = tuple(
        Line(((float(row), float(column)),), f"trachea {n}")
        for n, (row, column) in enumerate(zip(levels, centre, strict=True), start=1)
    )
    return Measured(
        index,
        {"deviation_px": float(np.median(offsets)), "trachea_width_px": width, "direction": direction},
        (midline.line(first, last, "midline"), *points),
    )


TRACHEA_DEVIATION = Recipe("trachea_deviation", ("trachea", "spine"), measure)
