"""A line drawing of a frontal chest: masks alone, in which every CheXStruct index is known in closed form.

No simulation of an image: it says what a measurement must return. The drawing lives on the unit square, so the
same chest can be rasterised at any size; a pixel belongs to a structure when its centre does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Grid = NDArray[np.float64]

MIDLINE = 0.5
CHEST_WIDTH = 0.72
TRACHEA_WIDTH = 0.036
_TRACHEA = (0.06, 0.42)
# Where the measured shaft ends: a tenth of the trachea is left out at either end.
_SHAFT_END = _TRACHEA[1] - 0.1 * (_TRACHEA[1] - _TRACHEA[0])
_HEART = (0.66, 0.53, 0.13)
_AORTA = (0.36, 0.78)
_RIB_STEP = 0.05
_INCLUDED = {"apex": 0.12, "side": 0.14, "costophrenic": 0.10}


@dataclass(frozen=True, slots=True)
class SchematicChest:
    """What is drawn. Ratios as the tasks define them; angles in degrees.

    `deviation` is in tracheal widths, + towards the patient's left; `clavicles` are the distances of the right and
    left medial end to the midline; `overlap` the share of the right and left scapula over its lung; `cut` names
    borders that leave the picture ("left apex", "right side", "left costophrenic").
    """

    cardiothoracic_ratio: float = 0.45
    mediastinal_ratio: float = 0.22
    carina_angle: float = 60.0
    deviation: float = 0.0
    clavicles: tuple[float, float] = (0.04, 0.04)
    overlap: tuple[float, float] = (0.1, 0.1)
    rib: int = 9
    knob_ratio: float = 2.0
    ascending_share: float = 0.0
    descending_ratio: float = 1.8
    bend: float = 20.0
    cut: frozenset[str] = field(default_factory=frozenset)

    def draw(self, size: int) -> dict[str, Mask]:
        """Masks (size, size) by structure name, the patient's right at the left of the picture."""
        centres = (np.arange(size) + 0.5) / size
        v, u = centres[:, None], centres[None, :]
        masks = {
            "right lung": self._lung(v, u, "right"),
            "left lung": self._lung(v, 1 - u, "left"),
            "heart": _rounded(v, u, (_HEART[0], _HEART[1]), (_HEART[2], self._heart_half)),
            "spine": _within(v, (0.0, 1.0)) & (np.abs(u - MIDLINE) <= 0.04),
            "trachea": _within(v, _TRACHEA) & (np.abs(u - self._trachea) <= TRACHEA_WIDTH / 2),
            "carina": self._carina(v, u),
            "mediastinum": self._mediastinum(v, u),
            "aortic knob": self._knob(v, u),
            "ascending aorta": self._ascending(v, u),
            "descending aorta": self._descending(v, u),
            "right clavicle": _clavicle(v, u, self.clavicles[0]),
            "left clavicle": _clavicle(v, 1 - u, self.clavicles[1]),
            "right scapula": _scapula(v, u, self.overlap[0]),
            "left scapula": _scapula(v, 1 - u, self.overlap[1]),
            "right hemidiaphragm": _within(v, (self._dome, self._dome + 0.08)) & _within(u, (0.16, 0.44)),
        }
        for number in range(1, 13):
            masks[f"right rib {number} posterior"] = _within(u, (0.16, 0.44)) & (np.abs(v - _rib(number)) <= 0.008)
        return masks

    @property
    def _heart_half(self) -> float:
        return self.cardiothoracic_ratio * CHEST_WIDTH / 2

    @property
    def _trachea(self) -> float:
        return MIDLINE + self.deviation * TRACHEA_WIDTH

    @property
    def _dome(self) -> float:
        return _rib(self.rib) + _RIB_STEP / 2

    def _lung(self, v: Grid, u: Grid, side: str) -> Mask:
        """Full width between 0.3 and its base, a slanted shoulder above it; cut borders run out of the picture."""
        top = -1.0 if f"{side} apex" in self.cut else _INCLUDED["apex"]
        base = 2.0 if f"{side} costophrenic" in self.cut else 1 - _INCLUDED["costophrenic"]
        outer = -1.0 if f"{side} side" in self.cut else _INCLUDED["side"]
        shoulder = outer + np.clip(0.3 - v, 0, None) * 0.8
        return _within(v, (top, base)) & (u >= shoulder) & (u <= 0.44)

    def _mediastinum(self, v: Grid, u: Grid) -> Mask:
        half = np.where(_within(v, (0.32, 0.40)), 1.0, 0.8) * self.mediastinal_ratio * CHEST_WIDTH / 2
        return _within(v, (0.14, 0.8)) & (np.abs(u - MIDLINE) <= half)

    def _carina(self, v: Grid, u: Grid) -> Mask:
        """Two straight bronchi from the trachea's end, the left one flatter; their walls include the angle."""
        drawn = np.zeros(np.broadcast_shapes(v.shape, u.shape), dtype=bool)
        for sign, share in ((-1, 0.4), (1, 0.6)):
            lean = math.radians(share * self.carina_angle)
            down, across = v - _TRACHEA[1], sign * (u - self._trachea)
            along = down * math.cos(lean) + across * math.sin(lean)
            off = np.abs(across * math.cos(lean) - down * math.sin(lean))
            drawn |= (off <= 0.012) & (along <= 0.14) & (down >= 0)
        return drawn

    def _knob(self, v: Grid, u: Grid) -> Mask:
        wall = self._trachea + TRACHEA_WIDTH / 2
        half = self.knob_ratio * TRACHEA_WIDTH / 2
        return _rounded(v, u, (0.31, wall + half), (0.04, half))

    def _ascending(self, v: Grid, u: Grid) -> Mask:
        """A band along the line from the right heart border to the trachea's right wall, part of it beyond."""
        heart = (_HEART[0], _HEART[1] - self._heart_half)
        trachea = (_SHAFT_END, self._trachea - TRACHEA_WIDTH / 2)
        line = trachea[1] + (heart[1] - trachea[1]) / (heart[0] - trachea[0]) * (v - trachea[0])
        start = line - self.ascending_share * 0.08
        return _within(v, (0.44, 0.62)) & (u >= start) & (u < start + 0.08)

    def _descending(self, v: Grid, u: Grid) -> Mask:
        """Between two concentric arcs; `bend` is the outer arc's angle over the middle 90 % of its height."""
        width = self.descending_ratio * TRACHEA_WIDTH
        rows = _within(v, _AORTA)
        if self.bend == 0:
            return rows & _within(u, (0.5, 0.5 + width))
        middle, height = sum(_AORTA) / 2, 0.9 * (_AORTA[1] - _AORTA[0])
        radius = height / 2 / math.sin(math.radians(self.bend) / 2)
        centre = 0.62 - radius
        distance = np.hypot(v - middle, u - centre)
        return rows & (u > centre) & (distance <= radius) & (distance >= radius - width)


def _within(x: Grid, span: tuple[float, float]) -> Mask:
    return (x >= span[0]) & (x < span[1])


def _rounded(v: Grid, u: Grid, centre: tuple[float, float], half: tuple[float, float]) -> Mask:
    """A superellipse of the fourth power: its widest rows are flat, so that its width is exact to a pixel."""
    return ((v - centre[0]) / half[0]) ** 4 + ((u - centre[1]) / half[1]) ** 4 <= 1


def _rib(number: int) -> float:
    return 0.16 + _RIB_STEP * number


def _clavicle(v: Grid, u: Grid, distance: float) -> Mask:
    return _within(u, (0.18, MIDLINE - distance)) & (np.abs(v - 0.24 + 0.1 * (u - 0.3)) <= 0.012)


def _scapula(v: Grid, u: Grid, share: float) -> Mask:
    start = _INCLUDED["side"] - 0.1 * (1 - share)
    return _within(v, (0.32, 0.52)) & (u >= start) & (u < start + 0.1)
