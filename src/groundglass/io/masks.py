"""A mask from a file, on the grid of the image that it belongs to."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from groundglass.core import GeometryError, Image, InputError, Mask
from groundglass.io.kinds import kind_of
from groundglass.io.read import read_image
from groundglass.io.same_grid import turned_onto

Warn = Callable[[str], None]


def read_mask(
    path: str | os.PathLike[str], *, like: Image, label: int | None = None, warn: Warn = warnings.warn
) -> Mask:
    """The voxels of `path` that are set, or that equal `label`, on the grid of `like` (its time axis left out).

    NIfTI, NRRD, MHA, PNG, TIFF, DICOM images and DICOM SEG (`label` is then the segment number). Axes in another
    order or direction are turned exactly; another grid of the same space is resampled to the nearest voxel, which
    `warn` is told. Values between 0 and 1 count from one half.
    Raises GeometryError when the mask does not overlap the image or has no common space and another size.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(path, "does not exist", "Check the path.")
    if path.is_file() and kind_of(path) == "dicom" and _is_segmentation(path):
        return _from_segmentation(path, like, label, warn)
    image = read_image(path)
    inside = _inside(image, label, path, warn)
    return _placed(inside, image, like, path, warn)


def _is_segmentation(path: Path) -> bool:
    from groundglass.io.dicom_header import quiet, read_header, value_of

    with quiet():
        return value_of(read_header(path).dataset, "Modality") == "SEG"


def _from_segmentation(path: Path, like: Image, label: int | None, warn: Warn) -> Mask:
    from groundglass.io.dicom_seg_read import read_seg

    try:
        return _united(read_seg(path, like), label, path)
    except GeometryError:
        own = _united(read_seg(path), label, path)
    if not like.orientation_known:
        raise GeometryError(path, "lies on another grid than the image", "Pass the mask of this image.")
    return _resampled(own.array, own.affine, like, path, warn)


def _united(findings: Any, label: int | None, path: Path) -> Mask:
    masks = [finding.where.mask for finding in findings if finding.where.mask is not None]
    if label is not None:
        if not 1 <= label <= len(masks):
            raise InputError(path, f"has {len(masks)} segments, not segment {label}", "Name one of them.")
        return masks[label - 1]
    if not masks:
        raise InputError(path, "has no segment", "Pass a segmentation with one.")
    union = np.zeros(masks[0].shape, dtype=bool)
    for mask in masks:
        union |= mask.array
    return Mask.of(union, masks[0].affine)


def _inside(image: Image, label: int | None, path: Path, warn: Warn) -> NDArray[np.bool_]:
    array = image.array
    if image.time_axis is not None:
        raise GeometryError(path, "is a series in time, not a mask", "Pass one time point.")
    if label is not None:
        return np.asarray((array == label).any(axis=0))
    if array.dtype.kind == "f":
        finite = np.nan_to_num(array)
        if np.any((finite > 0) & (finite < 1)):
            warn(f"{path}: holds values between 0 and 1, those from one half count as inside")
            return np.asarray((finite >= 0.5).any(axis=0))
        return np.asarray((finite != 0).any(axis=0))
    return np.asarray((array != 0).any(axis=0))


def _placed(inside: NDArray[np.bool_], image: Image, like: Image, path: Path, warn: Warn) -> Mask:
    grid = grid_shape(like)
    if inside.ndim == len(grid) + 1 and inside.shape[-1] == 1:
        inside = inside[..., 0]  # NIfTI stores a flat image as one slice
    if image.orientation_known and like.orientation_known:
        if inside.ndim != len(grid):
            raise GeometryError(path, f"has {inside.ndim} axes, the image {len(grid)}", "Pass the mask of this image.")
        return _resampled(inside, image.affine, like, path, warn)
    if inside.shape != grid:
        raise GeometryError(
            path, f"is {inside.shape}, the image {grid}, and no common space is known", "Pass a mask of its size."
        )
    if image.orientation_known != like.orientation_known:
        warn(f"{path}: only one of mask and image states its place, they are taken to lie on each other")
    return Mask.of(inside, like.affine)


def grid_shape(image: Image) -> tuple[int, ...]:
    """The shape without the time axis: the grid that a mask of this image has."""
    return tuple(n for axis, n in enumerate(image.shape) if axis != image.time_axis)


def _resampled(inside: NDArray[np.bool_], affine: NDArray[np.float64], like: Image, path: Path, warn: Warn) -> Mask:
    grid = grid_shape(like)
    axes = len(grid)
    full = np.linalg.inv(affine) @ like.affine
    matrix, offset = full[:axes, :axes], full[:axes, 3]
    if (same := turned_onto(inside, affine, like.affine, grid)) is not None:
        return Mask.of(same, like.affine)
    if not _overlaps(matrix, offset, grid, inside.shape):
        raise GeometryError(path, "does not overlap the image", "Pass the mask of this image.")
    moved = ndimage.affine_transform(
        inside.astype(np.uint8), matrix, offset, output_shape=grid, order=0, mode="grid-constant", prefilter=False
    )
    warn(f"{path}: lies on another grid ({inside.shape}) and was resampled to the nearest voxel")
    if inside.any() and not moved.any():
        raise GeometryError(path, "has no voxel inside the image", "Pass the mask of this image.")
    return Mask.of(moved, like.affine)


def _overlaps(
    matrix: NDArray[np.float64], offset: NDArray[np.float64], grid: tuple[int, ...], shape: tuple[int, ...]
) -> bool:
    """True where the boxes of both grids meet, by the image's corners in the mask's indices."""
    corners = np.stack(np.meshgrid(*[(-0.5, n - 0.5) for n in grid], indexing="ij"), axis=-1).reshape(-1, len(grid))
    placed = corners @ matrix.T + offset
    return bool(np.all(placed.max(axis=0) > -0.5) and np.all(placed.min(axis=0) < np.asarray(shape) - 0.5))
