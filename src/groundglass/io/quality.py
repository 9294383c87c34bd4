"""What is wrong with pixels as such, whatever they show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from groundglass.core import Image


def check_pixels(image: Image) -> Image:
    """The image with warnings about its pixels added: not finite (all or some), constant. Reads the pixels.

    Raises what `image.array` raises.
    """
    array = image.array
    remarks: list[str] = []
    bad = _not_finite(image)
    if bad == array.size:
        remarks.append("no pixel is a finite number: nothing can be measured")
    elif bad:
        remarks.append(f"{bad} of {array.size} pixels are not finite numbers")
    if not remarks and not has_picture(image):
        remarks.append(f"every pixel has the value {array.flat[0]:g}: nothing can be seen")
    return replace(image, load=lambda: array, warnings=tuple(dict.fromkeys((*image.warnings, *remarks))))


def has_picture(image: Image) -> bool:
    """False when no pixel is finite or all finite ones have one value. Raises what `image.array` raises."""
    array = image.array
    if _not_finite(image):
        array = array[np.isfinite(array)]
    return bool(array.size and array.min() != array.max())


def _not_finite(image: Image) -> int:
    array = image.array
    return int(array.size - np.count_nonzero(np.isfinite(array))) if array.dtype.kind in "fc" else 0
