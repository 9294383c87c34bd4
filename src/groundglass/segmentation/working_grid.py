"""From any grid to an upright one of cubic voxels, and back to the file's grid exactly.

The working grid has RAS axes and `spacing` mm voxels. Where the file's axes are the patient's, its first voxel lies
on the file's corner, so a 1 mm file is only flipped and transposed, and coming back is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage as ndi


@dataclass(frozen=True)
class WorkingGrid:
    """Pixels (X, Y, Z) float32 and `affine` of the working grid; `source_affine` and `source_shape` of the file's."""

    pixels: NDArray[np.float32]
    affine: NDArray[np.float64]
    source_affine: NDArray[np.float64]
    source_shape: tuple[int, ...]

    @property
    def to_source(self) -> NDArray[np.float64]:
        """4x4: working voxel -> file voxel."""
        return np.linalg.inv(self.source_affine) @ self.affine

    def back(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """A working-grid array on the file's grid, linear; 0 outside."""
        matrix = np.linalg.inv(self.to_source)
        plain = _as_permutation(matrix, values.shape, self.source_shape)
        if plain is not None:
            return _permuted(values, *plain)
        return _resampled(values, matrix, self.source_shape)


def working_grid(pixels: NDArray[np.floating], affine: NDArray[np.float64], *, spacing: float = 1.0) -> WorkingGrid:
    """Resample (i, j, k) pixels to upright cubic voxels; finer voxels are averaged first so that nothing aliases."""
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in pixels.shape], indexing="ij")).reshape(3, -1).T
    world = apply_affine(affine, corners)
    low, high = world.min(axis=0), world.max(axis=0)
    shape = tuple(int(n) for n in np.floor((high - low) / spacing + 1e-3) + 1)
    # Centre the grid on the volume, so that a file of coarser voxels loses the same on both sides.
    start = low + ((high - low) - (np.array(shape) - 1) * spacing) / 2
    target = np.eye(4)
    target[:3, :3] *= spacing
    target[:3, 3] = start
    to_source = np.linalg.inv(affine) @ target
    plain = _as_permutation(to_source, pixels.shape, shape)
    if plain is not None:
        moved = _permuted(pixels.astype(np.float32), *plain)
    else:
        sizes = np.linalg.norm(affine[:3, :3], axis=0)
        sigmas = [0.4 * np.sqrt(max(0.0, (spacing / s) ** 2 - 1)) for s in sizes]
        soft = pixels.astype(np.float32)
        if max(sigmas) > 0.2:
            soft = ndi.gaussian_filter(soft, sigmas, mode="nearest")
        moved = _resampled(soft, to_source, shape)
    return WorkingGrid(moved, target, np.asarray(affine, dtype=np.float64), tuple(pixels.shape))


def _resampled(values: NDArray[np.float32], matrix: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float32]:
    return ndi.affine_transform(
        values, matrix[:3, :3], matrix[:3, 3], output_shape=shape, order=1, mode="grid-constant", output=np.float32
    )


def _as_permutation(
    matrix: NDArray[np.float64], source: tuple[int, ...], target: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[bool, ...]] | None:
    """(source axis of each target axis, mirrored or not) when `matrix` only permutes and mirrors; else None."""
    rounded = np.rint(matrix[:3, :3])
    if np.abs(matrix[:3, :3] - rounded).max() > 1e-4 or not (np.abs(rounded).sum(axis=0) == 1).all():
        return None
    order = tuple(int(a) for a in np.abs(rounded).argmax(axis=0))
    if tuple(source[a] for a in order) != target or len(set(order)) != 3:
        return None
    mirrored = tuple(bool(rounded[a, k] < 0) for k, a in enumerate(order))
    corner = np.array([source[a] - 1 if mirrored[order.index(a)] else 0 for a in range(3)])
    return (order, mirrored) if np.abs(matrix[:3, 3] - corner).max() < 1e-2 else None


def _permuted(values: NDArray[np.float32], order: tuple[int, ...], mirrored: tuple[bool, ...]) -> NDArray[np.float32]:
    flips = tuple(slice(None, None, -1) if m else slice(None) for m in mirrored)
    return np.ascontiguousarray(values.transpose(order)[flips])
