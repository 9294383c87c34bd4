"""Can anything be read from these pixels? What no parser needs to be asked about."""

from __future__ import annotations

import numpy as np

from groundglass.core import GroundglassError, Image


def unusable(image: Image) -> str | None:
    """Why the pixels hold no picture (no finite value, or one value throughout), else None.

    A file whose pixels do not decode counts as unusable, too: the sentence is the decoder's.
    """
    try:
        array = image.array
    except GroundglassError as error:
        return str(error)
    if array.dtype.kind == "f":
        finite = np.isfinite(array)
        if not finite.any():
            return f"{image.name}: no pixel has a finite value. Export it again from its source."
        low, high = float(array[finite].min()), float(array[finite].max())
    else:
        low, high = float(array.min()), float(array.max())
    if low == high:
        return f"{image.name}: every pixel has the value {low:g}. Export it again from its source."
    return None


def finite_share(image: Image) -> float:
    """Share of pixels that are finite, in [0, 1]."""
    array = image.array
    return float(np.isfinite(array).mean()) if array.dtype.kind == "f" else 1.0
