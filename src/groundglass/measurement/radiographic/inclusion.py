"""Inclusion: do both apices, lateral walls and costophrenic angles lie inside the picture?"""

from __future__ import annotations

from groundglass.core import Line
from groundglass.measurement.radiographic.masks import RadiographMasks
from groundglass.measurement.radiographic.outline import Outline, outline
from groundglass.measurement.radiographic.quality import checked, in_order
from groundglass.measurement.radiographic.row import Measured, Recipe
from groundglass.measurement.radiographic.thresholds import border_margin

Point = tuple[float, float]


def measure(masks: RadiographMasks) -> Measured:
    """How many of the six borders keep their margin to the picture's edge (as a share of its side)."""
    in_order(masks, "lung")
    height, width = masks.shape
    values: dict[str, float | int | str] = {}
    points: list[Line] = []
    included = 0
    for side in ("right", "left"):
        lung = outline(checked(masks, f"{side} lung"))
        wall = lung.leftmost if side == "right" else lung.rightmost
        edge = wall[1] + 0.5 if side == "right" else width - 0.5 - wall[1]
        angle = _costophrenic_angle(lung, side)
        apex = (lung.top, float(lung.centre[0]))
        found: dict[str, tuple[Point, float]] = {
            "apex": (apex, (lung.top + 0.5) / height),
            "side": (wall, edge / width),
            "costophrenic": (angle, (height - 0.5 - angle[0]) / height),
        }
        for border, (point, margin) in found.items():
            inside = margin >= border_margin(border)
            included += inside
            values[f"ratio_{border}_{side}_lung"] = margin
            values[f"label_{border}_{side}_lung"] = int(inside)
            points.append(Line((point,), f"{side} {border}"))
    return Measured(float(included), values, tuple(points))


def _costophrenic_angle(lung: Outline, side: str) -> Point:
    """The lowest point of the lung's outer edge within the lateral third of its width."""
    third = (lung.right.max() - lung.left.min()) / 3
    if side == "right":
        keep, edge = lung.left <= lung.left.min() + third, lung.left
    else:
        keep, edge = lung.right >= lung.right.max() - third, lung.right
    i = int(keep.nonzero()[0][-1])
    return float(lung.rows[i]) + 0.5, float(edge[i])


INCLUSION = Recipe("inclusion", ("right lung", "left lung"), measure)
