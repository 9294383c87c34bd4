"""Projection: scapulae that lie over the lungs mean an anteroposterior film."""

from __future__ import annotations

from groundglass.core import Line
from groundglass.measurement.radiographic.masks import BoolArray, RadiographMasks
from groundglass.measurement.radiographic.outline import outline
from groundglass.measurement.radiographic.quality import checked, in_order
from groundglass.measurement.radiographic.row import Measured, Recipe


def measure(masks: RadiographMasks) -> Measured:
    """The smaller of both sides' (scapula over lung) / scapula, by area: both sides have to be high."""
    in_order(masks, "scapula")
    in_order(masks, "lung")
    values: dict[str, float | int | str] = {}
    lines: list[Line] = []
    for side in ("right", "left"):
        scapula, lung = checked(masks, f"{side} scapula"), checked(masks, f"{side} lung")
        overlap = scapula & lung
        values[f"scapular_region_{side}"] = int(scapula.sum())
        values[f"overlap_region_{side}"] = int(overlap.sum())
        values[f"ratio_{side}"] = float(overlap.sum() / scapula.sum())
        if overlap.any():
            lines.append(_height(overlap, f"{side} scapula over lung"))
    return Measured(min(float(values["ratio_right"]), float(values["ratio_left"])), values, tuple(lines))


def _height(overlap: BoolArray, name: str) -> Line:
    """The middle of the overlap from its first row to its last."""
    edge = outline(overlap)
    ends = ((float(edge.rows[0]), float(edge.centre[0])), (float(edge.rows[-1]), float(edge.centre[-1])))
    return Line(ends, name)


PROJECTION = Recipe("projection", ("right scapula", "left scapula", "right lung", "left lung"), measure)
