"""A cube of a volume on its own grid: upright, isotropic, about a voxel; and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.core import GeometryError

Float = NDArray[np.float32]
Affine = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class VolumeCrop:
    """`side`^3 voxels of `spacing` mm whose axes are the volume's own, ordered and turned to the nearest of R, A, S.

    `affine` (4, 4) maps voxels of the crop to mm, `source` those of the volume, `shape` is the volume's.
    """

    affine: Affine
    source: Affine
    shape: tuple[int, int, int]
    side: int

    @classmethod
    def about(
        cls, voxel: NDArray[np.float64], *, shape: tuple[int, ...], affine: Affine, side: int, spacing: float
    ) -> VolumeCrop:
        """The cube whose voxel `side` / 2 lies on `voxel` of a volume. Raises GeometryError for a singular affine."""
        from nibabel.orientations import io_orientation

        if len(shape) != 3 or not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
            raise GeometryError("volume", f"has shape {shape} and no usable affine", "Give a volume with its affine.")
        directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
        upright = np.zeros((3, 3))
        for own, (axis, sign) in enumerate(io_orientation(affine)):
            upright[:, int(axis)] = sign * directions[:, own]
        cube = np.eye(4)
        cube[:3, :3] = upright * spacing
        centre = affine[:3, :3] @ np.asarray(voxel, dtype=np.float64) + affine[:3, 3]
        cube[:3, 3] = centre - cube[:3, :3] @ np.full(3, side // 2)
        return cls(cube, np.asarray(affine, dtype=np.float64), (shape[0], shape[1], shape[2]), side)

    def cut(self, volume: Float, *, outside: float = 0.0) -> Float:
        """(side, side, side) of a volume, trilinear; what lies outside of it is `outside`."""
        return _sampled(volume, np.linalg.inv(self.source) @ self.affine, (self.side,) * 3, outside)

    def paste(self, values: Float, *, outside: float) -> Float:
        """Values of a grid over the crop (of any side) on the volume's grid, trilinear; `outside` beyond the crop.

        A smaller grid has its cells' centres spread over the crop as `interpolate(..., align_corners=False)` has.
        """
        scale = self.side / values.shape[0]
        to_cells = np.diag([1 / scale, 1 / scale, 1 / scale, 1.0])
        to_cells[:3, 3] = 0.5 / scale - 0.5
        way = to_cells @ np.linalg.inv(self.affine) @ self.source
        # Cells at the border reach half a cell further than their centres.
        pasted = _sampled(np.pad(values, 1, mode="edge"), _shifted(way, 1.0), self.shape, outside)
        corners = np.stack(np.meshgrid(*(np.arange(n) for n in self.shape), indexing="ij", sparse=False))
        places = self.into(corners.reshape(3, -1).T)
        within = ((places >= -0.5) & (places <= self.side - 0.5)).all(axis=1).reshape(self.shape)
        return np.where(within, pasted, np.float32(outside))

    def into(self, voxels: NDArray[np.generic]) -> NDArray[np.float64]:
        """Voxels (n, 3) of the volume as places (n, 3) in the crop."""
        way = np.linalg.inv(self.affine) @ self.source
        return np.asarray(voxels, dtype=np.float64) @ way[:3, :3].T + way[:3, 3]


def _sampled(volume: Float, way: Affine, shape: tuple[int, ...], outside: float) -> Float:
    from scipy.ndimage import affine_transform

    return np.asarray(
        affine_transform(
            np.asarray(volume, dtype=np.float32), way[:3, :3], way[:3, 3], shape, order=1, cval=outside
        ),
        dtype=np.float32,
    )  # fmt: skip


def _shifted(way: Affine, by: float) -> Affine:
    moved = way.copy()
    moved[:3, 3] += by
    return moved
