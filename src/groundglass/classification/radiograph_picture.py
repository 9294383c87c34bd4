"""From an image of any size and grey scale to the square picture that the radiograph networks see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Image, InputError, UnsupportedError

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Square:
    """`picture` (S, S) in [0, 1]: the image, padded to a square at its centre with its corner grey and resized.

    `corner` and `shape` (rows, columns in the padded square and of the image) lead back to the image's grid.
    """

    picture: Float
    corner: tuple[int, int]
    shape: tuple[int, int]

    def to_image(self, array: NDArray[np.float32]) -> Float:
        """A map on any square grid, bilinear on the image's own grid."""
        import torch

        side = max(self.shape)
        scaled = torch.nn.functional.interpolate(
            torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))[None, None],
            size=(side, side),
            mode="bilinear",
            align_corners=False,
        )[0, 0].numpy()
        top, left = self.corner
        return np.asarray(scaled[top : top + self.shape[0], left : left + self.shape[1]])


def grey(image: Image) -> Float:
    """(rows, columns) float32 of a flat image; colour channels are averaged.

    Raises UnsupportedError for a volume or a video, InputError when no pixel is finite or all are equal.
    """
    if len(image.shape) != 2:
        raise UnsupportedError(
            image.name, f"has {len(image.shape)} spatial axes, a radiograph has two", "Pass a flat image."
        )
    array = np.asarray(image.array, dtype=np.float32)[:3].mean(axis=0)
    finite = np.isfinite(array)
    if not finite.any():
        raise InputError(image.name, "has no finite pixel", "Export the image again.")
    array = np.where(finite, array, array[finite].min())
    if float(np.ptp(array)) == 0:
        raise InputError(image.name, "is constant: all pixels are equal", "Export the image again.")
    return array


def square(array: Float, size: int) -> Square:
    """Pad and resize by area averaging, percentiles 1 and 99 to [0, 1]. Raises InputError for fewer than 16 pixels
    a side."""
    from PIL import Image as Canvas

    from groundglass.synthesis import radiograph_appearance

    if min(array.shape) < 16:
        raise InputError(
            "image", f"is {array.shape[0]} x {array.shape[1]} pixels, too small for a radiograph", "Pass the original."
        )
    side = max(array.shape)
    top, left = (side - array.shape[0]) // 2, (side - array.shape[1]) // 2
    padded = np.full((side, side), float(np.percentile(array, 1)), dtype=np.float32)
    padded[top : top + array.shape[0], left : left + array.shape[1]] = array
    way = Canvas.Resampling.BOX if side >= 2 * size else Canvas.Resampling.BILINEAR
    small = np.asarray(Canvas.fromarray(padded).resize((size, size), way))
    return Square(radiograph_appearance.stretch(small), (top, left), (array.shape[0], array.shape[1]))
