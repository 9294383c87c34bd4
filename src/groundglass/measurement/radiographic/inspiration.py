"""Inspiration: the last posterior rib over the right hemidiaphragm at the mid-clavicular line."""

from __future__ import annotations

import numpy as np

from groundglass.core import Line
from groundglass.measurement.radiographic.masks import RadiographMasks
from groundglass.measurement.radiographic.outline import outline
from groundglass.measurement.radiographic.quality import DroppedCaseError, checked
from groundglass.measurement.radiographic.row import Measured, Recipe

_RIBS = range(1, 13)
_FEWEST_RIBS = 4


def measure(masks: RadiographMasks) -> Measured:
    """The highest rib number whose posterior part lies above the diaphragm on the mid-clavicular line."""
    clavicle = outline(checked(masks, "right clavicle"))
    column = (clavicle.left.min() + clavicle.right.max()) / 2
    dome = _dome(masks, column)
    ribs = {number: row for number in _RIBS if (row := _crossing(masks, number, column)) is not None}
    if len(ribs) < _FEWEST_RIBS:
        raise DroppedCaseError("posterior ribs", f"only {len(ribs)} cross the mid-clavicular line as numbered masks")
    above = {number: row for number, row in ribs.items() if row < dome}
    if not above:
        raise DroppedCaseError("posterior ribs", "none lies above the diaphragm")
    number = max(above)
    lines = (
        Line(((min(ribs.values()), column), (dome, column)), "mid-clavicular line"),
        Line(((above[number], column),), f"posterior rib {number}"),
        Line(((dome, column),), "right hemidiaphragm"),
    )
    values = {"mid-clavicular_line(x)": column, "rib_position": number, "diaphragm_row": dome}
    return Measured(float(number), values, lines)


def _dome(masks: RadiographMasks, column: float) -> float:
    """The row where the mid-clavicular line meets the right hemidiaphragm, or else the right lung's lower end."""
    if masks.has("right hemidiaphragm"):
        rows = _rows_at(checked(masks, "right hemidiaphragm"), column)
        if len(rows):
            return float(rows[0]) - 0.5
    rows = _rows_at(checked(masks, "right lung"), column)
    if not len(rows):
        raise DroppedCaseError("right hemidiaphragm", "is not met by the mid-clavicular line")
    return float(rows[-1]) + 0.5


def _crossing(masks: RadiographMasks, number: int, column: float) -> float | None:
    """The middle row of a numbered rib on a column; None where the rib has no mask there."""
    name = f"right rib {number} posterior"
    if not masks.has(name):
        return None
    rows = _rows_at(checked(masks, name), column)
    return float(rows.mean()) if len(rows) else None


def _rows_at(mask: np.ndarray, column: float) -> np.ndarray:
    nearest = min(max(int(np.floor(column + 0.5)), 0), mask.shape[1] - 1)
    return np.flatnonzero(mask[:, nearest])


INSPIRATION = Recipe("inspiration", ("right clavicle", "right hemidiaphragm", "posterior ribs"), measure)
