"""Lesion instances: connected components of a mask, largest first, and the gate that a detection must pass."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_erosion, find_objects, generate_binary_structure, label

from groundglass.core import Mask
from groundglass.measurement.geometry import spacing_of, voxel_volume, window_of


def components(mask: Mask) -> tuple[Mask, ...]:
    """The 26-connected components of a mask, largest first; () for an empty one."""
    if mask.is_empty:
        return ()
    labels, _ = label(mask.crop, structure=generate_binary_structure(mask.crop.ndim, mask.crop.ndim))
    parts = []
    for number, box in enumerate(find_objects(labels), start=1):
        offset = tuple(s.start + o for s, o in zip(box, mask.offset, strict=True))
        parts.append(Mask(np.ascontiguousarray(labels[box] == number), offset, mask.shape, mask.affine))
    return tuple(sorted(parts, key=lambda m: (-m.voxel_count, m.offset)))


def within(mask: Mask, organ: Mask) -> Mask:
    """The part of `mask` inside `organ` (one grid)."""
    if mask.is_empty:
        return mask
    kept = Mask.of(mask.crop & window_of(organ, mask.box.slices), mask.affine)
    offset = tuple(a + b for a, b in zip(mask.offset, kept.offset, strict=True))
    return Mask(kept.crop, offset, mask.shape, mask.affine)


def survives_erosion(mask: Mask, *, size: float = 3.0) -> bool:
    """True when an erosion by the greatest odd cube of voxels within `size` mm leaves something."""
    if mask.is_empty:
        return False
    fits = np.maximum(np.floor(size / spacing_of(mask.affine) + 1e-6).astype(int), 1)
    width = fits - (fits + 1) % 2
    return bool(binary_erosion(np.pad(mask.crop, 1), np.ones(width, dtype=bool)).any())


def is_detected(mask: Mask, *, organ: Mask | None = None, least_mm3: float = 50.0) -> bool:
    """The gate of RadGPT (arXiv 2501.04678): inside the organ, survives a 3 mm erosion, greater than `least_mm3`.

    `least_mm3` applies to the sum of all lesions of the organ and is chosen on validation data, 10 to 500 mm3.
    """
    inside = mask if organ is None else within(mask, organ)
    return inside.voxel_count * voxel_volume(inside.affine) > least_mm3 and survives_erosion(inside)
