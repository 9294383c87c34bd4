"""Boundary IoU: the IoU of the two inner rims. Cheng et al., CVPR 2021, arXiv 2103.16562."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_cdt, distance_transform_edt


def rim_width(shape: Sequence[int], ratio: float = 0.02) -> int:
    """The rim's width in voxels: a share of the image diagonal, at least 1."""
    return max(1, round(ratio * math.hypot(*shape)))


def boundary_iou(prediction: NDArray[np.bool_], truth: NDArray[np.bool_], width: int) -> float:
    """IoU of the rims of `width` voxels: what as many erosions by the full 3 x 3 (x 3) element remove.

    Outside of the array is background. NaN where both masks are empty.
    """
    return _iou(*(_rim(distance_transform_cdt(np.pad(m, 1), "chessboard"), width) for m in (prediction, truth)))


def boundary_iou_mm(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], spacing: Sequence[float], width_mm: float
) -> float:
    """IoU of the rims of voxels whose centre is at most `width_mm` from the nearest background voxel's centre."""
    rims = (_rim(distance_transform_edt(np.pad(m, 1), sampling=spacing), width_mm) for m in (prediction, truth))
    return _iou(*rims)


def _rim(depth: NDArray[np.float64], width: float) -> NDArray[np.bool_]:
    rim: NDArray[np.bool_] = (depth > 0) & (depth <= width * (1 + 1e-9))
    return rim


def _iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    either = int((a | b).sum())
    return int((a & b).sum()) / either if either else math.nan
