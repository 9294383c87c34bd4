"""A CT volume seen with axes right, anterior, superior, and a coarse copy for the slow steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion, generate_binary_structure, label

from groundglass.core import GeometryError, Image, Mask


@dataclass(frozen=True)
class CtGrid:
    """`hu` is a view (x to the right, y to the front, z up) of the image; `coarse` every `stride`-th voxel of it.

    `order` and `flips` lead back to the image's own axes; `step` and `coarse_step` are mm per voxel.
    """

    image: Image
    hu: NDArray[np.generic]
    coarse: NDArray[np.float32]
    order: tuple[int, int, int]
    flips: tuple[bool, bool, bool]
    step: NDArray[np.float64]
    stride: tuple[int, int, int]

    @classmethod
    def of(cls, image: Image, *, coarse_mm: float = 3.0) -> CtGrid:
        """Raises GeometryError for anything but a three-dimensional image with known spacing."""
        if not image.is_volume or not image.spacing_known:
            raise GeometryError(image.name, "is not a volume with known spacing", "Pass a CT series or a NIfTI volume.")
        linear = image.affine[:3, :3] / np.linalg.norm(image.affine[:3, :3], axis=0)
        order = _nearest_axes(linear)
        flips = tuple(bool(linear[world, axis] < 0) for world, axis in enumerate(order))
        view = image.array[0].transpose(order)
        view = view[tuple(slice(None, None, -1) if f else slice(None) for f in flips)]
        step = np.linalg.norm(image.affine[:3, :3], axis=0)[list(order)]
        stride = tuple(int(s) for s in np.maximum(np.rint(coarse_mm / step), 1))
        coarse = np.nan_to_num(view[tuple(slice(None, None, s) for s in stride)].astype(np.float32), nan=-1024.0)
        return cls(image, view, coarse, order, flips, step, stride)

    @property
    def coarse_step(self) -> NDArray[np.float64]:
        """mm per coarse voxel."""
        return self.step * self.stride

    def ball(self, mm: float) -> NDArray[np.bool_]:
        """A structuring element of radius `mm` on the coarse grid."""
        return ball(mm, self.coarse_step)

    def disc(self, mm: float) -> NDArray[np.bool_]:
        """A flat structuring element (one axial slice) of radius `mm` on the coarse grid."""
        full = ball(mm, self.coarse_step)
        middle = full.shape[2] // 2
        return full[:, :, middle : middle + 1]

    def fine(self, coarse: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A coarse mask at full resolution (nearest voxel)."""
        index = []
        for size, stride, n in zip(self.hu.shape, self.stride, coarse.shape, strict=True):
            index.append(np.minimum((np.arange(size) + stride // 2) // stride, n - 1))
        return coarse[np.ix_(*index)]

    def refined(self, coarse: NDArray[np.bool_], test: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A coarse mask with its border drawn anew at full resolution: two coarse voxels wide, `test` decides."""
        shell = generate_binary_structure(3, 1)
        core = binary_erosion(coarse, shell, border_value=1)
        band = binary_dilation(coarse, shell) & ~core
        return self.fine(core) | (self.fine(band) & test)

    def mask(self, array: NDArray[np.bool_]) -> Mask:
        """A full-resolution mask in the image's own axes."""
        back = array[tuple(slice(None, None, -1) if f else slice(None) for f in self.flips)]
        return Mask.of(back.transpose(np.argsort(self.order)), self.image.affine)


def ball(mm: float, step: NDArray[np.float64]) -> NDArray[np.bool_]:
    """A ball of radius `mm` on a grid of `step` mm; at least one voxel."""
    reach = np.floor(mm / step + 1e-6).astype(int)
    grid = np.stack(np.meshgrid(*[np.arange(-r, r + 1) for r in reach], indexing="ij"), -1)
    return np.linalg.norm(grid * step, axis=-1) <= mm + 1e-6


def largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The greatest 6-connected component, or the mask itself when it has at most one."""
    labels, count = label(mask)
    return mask if count < 2 else labels == int(np.bincount(labels.ravel())[1:].argmax()) + 1


def _nearest_axes(linear: NDArray[np.float64]) -> tuple[int, int, int]:
    """Array axis nearest to each world axis, each used once."""
    from itertools import permutations

    return max(permutations(range(3)), key=lambda p: sum(abs(linear[world, axis]) for world, axis in enumerate(p)))
