"""A slice of an image as a radiologist looks at it: orientation, aspect and where a voxel lies on the picture.

Radiological convention: the patient's right is on the picture's left in axial and coronal planes; sagittal planes
look from the patient's left, face to the left; superior is up. An oblique volume is shown along its own axes,
named after the nearest anatomical plane.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Image, Mask

# plane -> (world axis across it, of the columns, of the rows); columns and rows run to L, P or I, the minus side.
PLANES = {"axial": (2, 0, 1), "coronal": (1, 0, 2), "sagittal": (0, 1, 2)}
_LETTERS = ("RL", "AP", "SI")


@dataclass(frozen=True)
class Plane:
    """One slice on its picture. Axes are those of the image's spatial array; `axis` None for a flat image.

    `size` is the picture's (width, height) in pixels; the picture is scaled so that pixels are square in mm.
    `letters` are the patient directions at left, right, top and bottom ("" where unknown). `view` is the part that is
    shown, half-open (first column, last, first row, last) in the turned slice.
    """

    name: str
    axis: int | None
    index: int
    columns: int
    rows: int
    flip_columns: bool
    flip_rows: bool
    shape: tuple[int, ...]
    size: tuple[int, int]
    letters: tuple[str, str, str, str]
    view: tuple[int, int, int, int]

    def cut(self, array: NDArray[Any]) -> NDArray[Any]:
        """(rows, columns) of a spatial array, turned for display."""
        flat = array if self.axis is None else np.take(array, self.index, axis=self.axis)
        return self._turned(flat)

    def cut_mask(self, mask: Mask) -> NDArray[np.bool_]:
        """As `cut`, from the mask's crop alone: the full grid is never built."""
        kept = [a for a in range(len(mask.shape)) if a != self.axis]
        flat = np.zeros([mask.shape[a] for a in kept], dtype=bool)
        if not mask.is_empty:
            box = mask.box
            inside = self.axis is None or box.start[self.axis] <= self.index < box.stop[self.axis]
            if inside:
                crop = (
                    mask.crop
                    if self.axis is None
                    else np.take(mask.crop, self.index - box.start[self.axis], axis=self.axis)
                )
                flat[tuple(slice(box.start[a], box.stop[a]) for a in kept)] = crop
        return self._turned(flat)

    def _turned(self, flat: NDArray[Any]) -> NDArray[Any]:
        if self.rows > self.columns:
            flat = flat.swapaxes(0, 1)
        flat = flat[:, ::-1] if self.flip_columns else flat
        flat = flat[::-1] if self.flip_rows else flat
        left, right, top, bottom = self.view
        return flat[top:bottom, left:right]

    def contains(self, point: tuple[float, ...], *, within: float = 0.75) -> bool:
        """True when a voxel coordinate lies in this slice."""
        return self.axis is None or abs(point[self.axis] - self.index) <= within

    def at(self, point: tuple[float, ...]) -> tuple[float, float]:
        """Picture coordinates (x, y) in pixels of a voxel coordinate; voxel centres are at integers."""
        column, row = point[self.columns], point[self.rows]
        count_c, count_r = self.shape[self.columns], self.shape[self.rows]
        column = count_c - 1 - column if self.flip_columns else column
        row = count_r - 1 - row if self.flip_rows else row
        left, right, top, bottom = self.view
        return (column + 0.5 - left) * self.size[0] / (right - left), (row + 0.5 - top) * self.size[1] / (bottom - top)

    def under(self, point: tuple[float, float]) -> tuple[float, ...]:
        """The voxel coordinate, along all spatial axes, under picture coordinates (x, y): undoes `at`."""
        left, right, top, bottom = self.view
        column = point[0] * (right - left) / self.size[0] - 0.5 + left
        row = point[1] * (bottom - top) / self.size[1] - 0.5 + top
        voxel = [float(self.index)] * len(self.shape)
        voxel[self.columns] = self.shape[self.columns] - 1 - column if self.flip_columns else column
        voxel[self.rows] = self.shape[self.rows] - 1 - row if self.flip_rows else row
        return tuple(voxel)

    def zoomed(self, mask: Mask, image: Image, *, margin_mm: float = 30.0, longest: int = 480) -> Plane:
        """The part around a mask's cross-section with a margin on each side; all of it where the mask is not in it."""
        rows, columns = np.nonzero(replace(self, view=self._whole).cut_mask(mask))
        if rows.size == 0:
            return self
        view = []
        for hits, axis in ((columns, self.columns), (rows, self.rows)):
            margin = int(np.ceil(margin_mm / image.spacing[axis]))
            view += [max(0, int(hits.min()) - margin), min(self.shape[axis], int(hits.max()) + 1 + margin)]
        shown = (view[0], view[1], view[2], view[3])
        return replace(self, view=shown, size=_size(image, self.columns, self.rows, longest, shown))

    @property
    def _whole(self) -> tuple[int, int, int, int]:
        return 0, self.shape[self.columns], 0, self.shape[self.rows]


def world_axes(affine: NDArray[np.float64]) -> tuple[int, int, int]:
    """For each world axis (x, y, z) the array axis that runs most nearly along it."""
    directions = np.abs(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))
    best = max(permutations(range(3)), key=lambda p: sum(directions[w, p[w]] for w in range(3)))
    return (best[0], best[1], best[2])


def volume_plane(image: Image, name: str, index: int, *, longest: int = 480) -> Plane:
    """The named plane of a volume through a slice; the picture's longer side has `longest` pixels."""
    across, column_world, row_world = PLANES[name]
    axes = world_axes(image.affine)
    columns, rows = axes[column_world], axes[row_world]
    flips = [bool(image.affine[w, axes[w]] > 0) for w in (column_world, row_world)]
    letters = (*_LETTERS[column_world], *_LETTERS[row_world]) if image.orientation_known else ("",) * 4
    view = (0, image.shape[columns], 0, image.shape[rows])
    return Plane(
        name=name,
        axis=axes[across],
        index=index,
        columns=columns,
        rows=rows,
        flip_columns=flips[0],
        flip_rows=flips[1],
        shape=image.shape,
        size=_size(image, columns, rows, longest, view),
        letters=(letters[0], letters[1], letters[2], letters[3]),
        view=view,
    )


def flat_plane(image: Image, *, longest: int = 760) -> Plane:
    """A flat image as it is stored, rows down and columns to the right (a film of frames: its middle frame)."""
    frame = image.time_axis
    spatial = [a for a in range(len(image.shape)) if a != frame]
    rows, columns = spatial[0], spatial[1]
    letters = ["", "", "", ""]
    if image.orientation_known and frame is None:
        letters = [*_ends(image.affine[:3, 1]), *_ends(image.affine[:3, 0])]
    index = 0 if frame is None else image.shape[frame] // 2
    view = (0, image.shape[columns], 0, image.shape[rows])
    return Plane(
        name="picture",
        axis=frame,
        index=index,
        columns=columns,
        rows=rows,
        flip_columns=False,
        flip_rows=False,
        shape=image.shape,
        size=_size(image, columns, rows, longest, view),
        letters=(letters[0], letters[1], letters[2], letters[3]),
        view=view,
    )


def _ends(direction: NDArray[np.float64]) -> tuple[str, str]:
    """Letters at the beginning and at the end of an axis that runs along `direction`."""
    axis = int(np.abs(direction).argmax())
    plus, minus = _LETTERS[axis][0], _LETTERS[axis][1]
    return (minus, plus) if direction[axis] > 0 else (plus, minus)


def _size(image: Image, columns: int, rows: int, longest: int, view: tuple[int, int, int, int]) -> tuple[int, int]:
    """(width, height) in pixels of the shown part, square in mm; a sliver stays at least 32 pixels wide."""
    spacing = image.spacing
    width, height = (view[1] - view[0]) * spacing[columns], (view[3] - view[2]) * spacing[rows]
    scale = longest / max(width, height)
    return max(32, round(width * scale)), max(32, round(height * scale))
