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
    if array.dtype.kind in "fc":
        bad = int(array.size - np.count_nonzero(np.isfinite(array)))
        if bad == array.size:
            remarks.append("no pixel is a finite number: nothing can be measured")
        elif bad:
            remarks.append(f"{bad} of {array.size} pixels are not finite numbers")
    if not remarks and array.size and array.min() == array.max():
        remarks.append(f"every pixel has the value {array.flat[0]:g}: nothing can be seen")
    return replace(image, load=lambda: array, warnings=tuple(dict.fromkeys((*image.warnings, *remarks))))
