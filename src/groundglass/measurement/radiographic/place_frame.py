"""The frame of a chest in which places without an outline are laid: lungs, the level of the carina, the midline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from groundglass.measurement.radiographic.masks import BoolArray, RadiographMasks

# Where no airways are outlined: the carina's level as a share of the lungs' height (T4 to T6), and the domes'.
_CARINA_LEVEL = 0.33
# A gap between both main bronchi starts below the airways' last undivided row.
_FEWEST_GAPS = 3


@dataclass(frozen=True)
class Frame:
    """Rows and columns of an upright picture. `height`: mean height of both lungs; `carina`: its row; `midline`: a
    column; `domes`: the row of each dome of the diaphragm, by side. A structure that was not outlined is None."""

    shape: tuple[int, int]
    lungs: dict[str, BoolArray]
    height: float
    carina: float
    midline: float
    domes: dict[str, float]
    airways: BoolArray | None
    mediastinum: BoolArray | None
    heart: BoolArray | None
    aorta: BoolArray | None

    def rows_of(self, side: str) -> tuple[int, int]:
        """First and last row (exclusive) of a lung."""
        return _extent(self.lungs[side], 1)

    def width_of(self, side: str) -> int:
        """Columns that a lung spans."""
        first, last = _extent(self.lungs[side], 0)
        return last - first

    def inner_edge(self, side: str, top: float, bottom: float) -> float:
        """The mean column of a lung's edge to the mediastinum on some rows."""
        part = self.lungs[side][max(0, round(top)) : max(0, round(bottom))]
        part = part[part.any(axis=1)]
        if side == "left":
            return float(part.argmax(axis=1).mean())
        return float((part.shape[1] - part[:, ::-1].argmax(axis=1)).mean())


def frame_of(masks: RadiographMasks) -> Frame:
    """The frame of a picture with both lungs."""
    lungs = {side: masks.masks[f"{side} lung"] for side in ("left", "right")}
    rows = [_extent(lung, 1) for lung in lungs.values()]
    height = float(np.mean([last - first for first, last in rows]))
    airways = _held(masks, "airways", "trachea")
    level = None if airways is None else _fork(airways)
    domes = {side: _dome(masks, side) for side in lungs}
    between = 0.5 * (_extent(lungs["right"], 0)[1] + _extent(lungs["left"], 0)[0])
    spine = _held(masks, "spine")
    return Frame(
        masks.shape,
        lungs,
        height,
        level if level is not None else float(min(first for first, _ in rows)) + _CARINA_LEVEL * height,
        between if spine is None else float(np.nonzero(spine)[1].mean()),
        domes,
        airways,
        _held(masks, "mediastinum"),
        _held(masks, "heart"),
        _held(masks, "aorta"),
    )


def _dome(masks: RadiographMasks, side: str) -> float:
    """The top of the hemidiaphragm; where it is not outlined, the highest end of the lung's inner columns."""
    name = f"{side} hemidiaphragm"
    if masks.has(name):
        return float(_extent(masks.masks[name], 1)[0])
    lung = masks.masks[f"{side} lung"]
    first, last = _extent(lung, 0)
    quarter = (last - first) // 4
    inner = lung[:, first + quarter : last - quarter]
    ends = len(lung) - inner[::-1].argmax(axis=0)[inner.any(axis=0)]
    return float(ends.min() if ends.size else _extent(lung, 1)[1])


def _held(masks: RadiographMasks, *names: str) -> BoolArray | None:
    return next((masks.masks[name] for name in names if masks.has(name)), None)


def _extent(mask: BoolArray, axis: int) -> tuple[int, int]:
    inside = np.flatnonzero(mask.any(axis=axis))
    return int(inside[0]), int(inside[-1]) + 1


def _fork(airways: BoolArray) -> float:
    """The row at which the airways part into two for good; their last row where they never do."""
    rows = np.flatnonzero(airways.any(axis=1))
    parted = [row for row in rows if (np.diff(np.flatnonzero(airways[row])) > 1).any()]
    return float(parted[0] if len(parted) >= _FEWEST_GAPS else rows[-1])
