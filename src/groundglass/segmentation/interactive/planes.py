"""The slices of an image as grey pictures in [0, 1], made one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError, Image
from groundglass.segmentation.interactive.prompt import Pixels, Prompt, pixels_of

# Rec. 601: how bright red, green and blue seem.
LUMA = np.array([0.299, 0.587, 0.114])
# So many values are enough for the percentiles of a large volume.
SAMPLES = 500_000


class Planes:
    """Slices along `axis` (None: the image is flat and is its only slice). The whole image has one grey scale: its
    0.5th to 99.5th percentile become 0 to 1. NaN counts as the darkest value."""

    def __init__(self, image: Image, axis: int | None) -> None:
        flat = len(image.shape) == 2
        if (flat and axis is not None) or axis not in (None, 0, 1, 2):
            raise ConfigurationError(f"axis {axis}", f"is no axis of slices of {image.shape}", "Use 0, 1 or 2.")
        self._image = image
        self._sides = tuple(image.shape)
        self.axis = None if flat else (image.time_axis if image.time_axis is not None else 2) if axis is None else axis
        self.shape = self.shape_of(None)
        self.count = 1 if self.axis is None else image.shape[self.axis]
        self._range: tuple[float, float] | None = None

    def shape_of(self, axis: int | None) -> tuple[int, int]:
        """(rows, columns) of the slices along an axis, by default the session's."""
        chosen = self.axis if axis is None else axis
        rows, columns = (n for a, n in enumerate(self._sides) if a != chosen)
        return int(rows), int(columns)

    def checked(self, index: int) -> int:
        """The index, when there is such a slice. Raises ConfigurationError."""
        if not 0 <= index < self.count:
            raise ConfigurationError(f"slice {index}", f"is not among the {self.count} slices", "Count from 0.")
        return int(index)

    def plane(self, index: int) -> NDArray[np.float32]:
        """(rows, columns) in [0, 1]."""
        low, high = self._limits()
        grey = _grey(self._cut(self._image.array, index))
        if high <= low:
            return np.zeros(self.shape, dtype=np.float32)
        return np.clip((np.nan_to_num(grey, nan=low, posinf=high, neginf=low) - low) / (high - low), 0, 1)

    def put(self, full: NDArray[np.bool_], index: int, mask: NDArray[np.bool_]) -> None:
        """Write the mask of a slice into one of the whole image."""
        if self.axis is None:
            full[:] = mask
        else:
            np.moveaxis(full, self.axis, 0)[index] = mask

    def pixels(self, prompt: Prompt) -> dict[int, Pixels]:
        """The pixels (n, 2) that a prompt marks, by slice of this session; none outside of the image."""
        if prompt.kind == "propagate":
            return {}
        marked = pixels_of(prompt, self.shape_of(prompt.axis))
        if not len(marked):
            return {}
        if self.axis is None:
            return {0: marked}
        assert prompt.slice is not None
        axis = self.axis if prompt.axis is None else prompt.axis
        if axis == self.axis:
            return {prompt.slice: marked} if 0 <= prompt.slice < self.count else {}
        if not 0 <= prompt.slice < self._sides[axis]:
            return {}
        voxels = np.insert(marked, axis, prompt.slice, axis=1)
        slices = voxels[:, self.axis]
        flat = np.delete(voxels, self.axis, axis=1)
        return {int(k): flat[slices == k] for k in np.unique(slices)}

    def _cut(self, array: NDArray[Any], index: int) -> NDArray[Any]:
        return array if self.axis is None else np.take(array, index, axis=1 + self.axis)

    def _limits(self) -> tuple[float, float]:
        if self._range is None:
            array = self._image.array
            every = max(1, int(np.ceil((array[0].size / SAMPLES) ** (1 / (array.ndim - 1)))))
            grey = _grey(array[(slice(None), *(slice(None, None, every),) * (array.ndim - 1))])
            finite = grey[np.isfinite(grey)]
            low, high = np.percentile(finite, (0.5, 99.5)) if finite.size else (0.0, 0.0)
            if finite.size and high <= low:
                # Less than half a per cent of the pixels differ from the rest.
                low, high = float(finite.min()), float(finite.max())
            self._range = float(low), float(high)
        return self._range


def _grey(array: NDArray[Any]) -> NDArray[np.float32]:
    """(C, ...) to (...): a single channel, the brightness of colour, else the mean."""
    if len(array) == 1:
        return np.asarray(array[0], dtype=np.float32)
    if len(array) == 3:
        return np.tensordot(LUMA, array, axes=1).astype(np.float32)
    return np.asarray(array.mean(axis=0), dtype=np.float32)
