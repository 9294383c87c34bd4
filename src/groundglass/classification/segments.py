"""The parts of a chest radiograph that an expert looks at: the whole film, or thirds of the lungs' height."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Box
from groundglass.core.errors import InputError

SEGMENTS = ("upper", "middle", "lower")
WHOLE = "whole"
# Beyond the lungs' box, as a share of its height: fluid sinks below the diaphragm's shadow in the box.
_BELOW, _ASIDE = 0.12, 0.06


def lung_box(masks: Sequence[NDArray[np.bool_]]) -> Box | None:
    """The box of all lung masks (H, W) together; None where there is no voxel."""
    together = np.any(np.stack(list(masks)), axis=0) if len(masks) else np.zeros((1, 1), bool)
    if not together.any():
        return None
    rows, columns = np.flatnonzero(together.any(1)), np.flatnonzero(together.any(0))
    return Box((int(rows[0]), int(columns[0])), (int(rows[-1]) + 1, int(columns[-1]) + 1))


def segment_box(shape: tuple[int, int], segment: str, lungs: Box | None) -> Box:
    """The box of a segment in an image of `shape` (H, W): thirds of the lungs' height, of the image's without a box.

    Raises InputError on an unknown segment.
    """
    height, width = shape
    if segment == WHOLE:
        return Box((0, 0), (height, width))
    if segment not in SEGMENTS:
        raise InputError(segment, "is not a segment of the chest", f"Use {WHOLE} or one of {', '.join(SEGMENTS)}.")
    area = lungs or Box((0, 0), (height, width))
    top, left, bottom, right = *area.start, *area.stop
    third = (bottom - top) / 3
    index = SEGMENTS.index(segment)
    aside = 0 if lungs is None else round(_ASIDE * (bottom - top))
    below = round(_BELOW * (bottom - top)) if lungs is not None and segment == "lower" else 0
    first, last = round(top + index * third), round(top + (index + 1) * third) + below
    return Box((max(0, first), max(0, left - aside)), (min(height, max(last, first + 1)), min(width, right + aside)))
