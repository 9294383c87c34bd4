"""Width of the upper mediastinum over the width of the chest at the same level."""

from __future__ import annotations

import numpy as np

from groundglass.measurement.radiographic.cardiothoracic import lateral_walls_inside, thorax_rows
from groundglass.measurement.radiographic.masks import RadiographMasks
from groundglass.measurement.radiographic.outline import Outline, horizontal, middle_of, outline
from groundglass.measurement.radiographic.quality import DroppedCaseError, checked
from groundglass.measurement.radiographic.row import Measured, Recipe


def measure(masks: RadiographMasks) -> Measured:
    """The widest row of the upper mediastinum, divided by the chest's inner width on that row."""
    lateral_walls_inside(masks)
    chest = thorax_rows(masks)
    upper = upper_mediastinum(masks)
    rows, i, j = np.intersect1d(upper.rows, chest.rows, assume_unique=True, return_indices=True)
    if not len(rows):
        raise DroppedCaseError("mediastinum", "shares no row with both lungs above the carina")
    width = upper.width[i]
    level = middle_of(width == width.max())
    a, b = i[level], j[level]
    row, thorax = float(rows[level]), float(chest.width[b])
    values = {
        "mediastinum_xmin": float(upper.left[a]),
        "mediastinum_xmax": float(upper.right[a]),
        "lung_xmin": float(chest.left[b]),
        "lung_xmax": float(chest.right[b]),
        "level_row": row,
        "mediastinum_width_px": float(width[level]),
        "thoracic_width_px": thorax,
    }
    if masks.spacing is not None:
        values["mediastinum_width_mm"] = float(width[level]) * masks.spacing[1]
    lines = (
        horizontal(row, float(upper.left[a]), float(upper.right[a]), "mediastinal width"),
        horizontal(row, float(chest.left[b]), float(chest.right[b]), "inner width of the chest at its level"),
    )
    return Measured(float(width[level]) / thorax, values, lines)


def upper_mediastinum(masks: RadiographMasks) -> Outline:
    """The upper mediastinum, or the part of the mediastinum that lies above the carina. Raises DroppedCaseError."""
    if masks.has("upper mediastinum"):
        return outline(checked(masks, "upper mediastinum"))
    whole = outline(checked(masks, "mediastinum"))
    return whole.between(whole.top, _lower_end(masks))


def _lower_end(masks: RadiographMasks) -> float:
    """The plane under the upper mediastinum: the carina, else the lower end of the trachea."""
    if masks.has("carina"):
        return outline(checked(masks, "carina")).top
    if masks.has("trachea"):
        return outline(checked(masks, "trachea")).bottom
    raise DroppedCaseError("carina", "no mask, so the upper mediastinum has no lower end")


MEDIASTINAL_WIDENING = Recipe("mediastinal_widening", ("right lung", "left lung", "mediastinum"), measure)
