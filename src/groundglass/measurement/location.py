"""Where in an organ a lesion lies: segments, parts, poles, side, depth under the capsule."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, label

from groundglass.core import Mask, Side
from groundglass.measurement.geometry import grown_window, require_volume, spacing_of, to_world, window_of

# RadGPT (arXiv 2501.04678): a segment is named when it holds more than a tenth of the lesion's labelled voxels.
SEGMENT_SHARE = 0.10


def shares(lesion: Mask, segments: Mapping[str, Mask]) -> dict[str, float]:
    """Part of the lesion's labelled voxels (those in any segment) that lies in each segment, greatest first."""
    require_volume(lesion)
    window = lesion.box.slices
    counts = {
        name: int((lesion.crop & window_of(mask, window)).sum()) for name, mask in segments.items() if not mask.is_empty
    }
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {name: count / total for name, count in ordered if count} if total else {}


def segments_of(lesion: Mask, segments: Mapping[str, Mask], *, share: float = SEGMENT_SHARE) -> tuple[str, ...]:
    """The segments that hold more than `share` of the lesion's labelled voxels, greatest first."""
    return tuple(name for name, part in shares(lesion, segments).items() if part > share)


def centroid(mask: Mask) -> NDArray[np.float64]:
    """(3,) RAS+ mm. Raises EmptyMaskError, GeometryError."""
    require_volume(mask)
    return to_world((np.argwhere(mask.crop).mean(axis=0) + mask.offset)[None], mask.affine)[0]


def side_of(mask: Mask, midline: float, *, tolerance: float = 0.0) -> Side:
    """Left or right of the sagittal plane x = `midline` mm (RAS+: right is greater), midline within `tolerance`."""
    offset = float(centroid(mask)[0]) - midline
    if abs(offset) <= tolerance:
        return "midline"
    return "right" if offset > 0 else "left"


def depth_below_surface(lesion: Mask, organ: Mask) -> float | None:
    """mm between the lesion and the nearest point outside of the organ; 0 when it reaches the capsule.

    The organ is taken with the lesion in it. None when the organ has no outside within the scan. The border of
    the scan is not a capsule. Raises EmptyMaskError, GeometryError.
    """
    require_volume(lesion)
    require_volume(organ)
    steps = spacing_of(lesion.affine)
    margin = 20.0
    while True:
        window = grown_window(lesion, margin)
        lump = window_of(lesion, window)
        inside = window_of(organ, window) | lump
        complete = inside.shape == lesion.shape
        distance = np.inf if inside.all() else float(distance_transform_edt(inside, sampling=steps)[lump].min())
        if distance <= margin or complete:
            # Distances run between voxel centres; the faces of neighbours touch.
            return None if np.isinf(distance) else max(0.0, distance - float(steps.min()))
        margin *= 2


def gap_between(structure: Mask, lesion: Mask, *, within: float = 4.0) -> float | None:
    """mm between the nearest faces of two masks, 0 when they touch; None when they are further than `within`."""
    require_volume(lesion)
    window = grown_window(lesion, within)
    near = window_of(structure, window)
    if not near.any():
        return None
    steps = spacing_of(lesion.affine)
    distance = float(distance_transform_edt(~near, sampling=steps)[window_of(lesion, window)].min())
    return max(0.0, distance - float(steps.min()))


def pole_of(lesion: Mask, kidney: Mask) -> str:
    """ "upper pole", "interpolar region" or "lower pole": the third of the kidney's long axis with the lesion's centre.

    The long axis is the principal axis of kidney and lesion together, upward in the patient.
    """
    require_volume(kidney)
    cells = [np.argwhere(mask.crop) + mask.offset for mask in (kidney, lesion)]
    points = to_world(np.unique(np.concatenate(cells), axis=0).astype(np.float64), kidney.affine)
    centre = points.mean(axis=0)
    axis = np.linalg.eigh(np.cov((points - centre).T))[1][:, -1]
    axis = axis if axis[2] >= 0 else -axis
    heights = (points - centre) @ axis
    low, high = float(heights.min()), float(heights.max())
    place = (float((centroid(lesion) - centre) @ axis) - low) / max(high - low, 1e-9)
    return "upper pole" if place > 2 / 3 else "lower pole" if place < 1 / 3 else "interpolar region"


def pancreas_parts(pancreas: Mask, superior_mesenteric_artery: Mask) -> dict[str, Mask]:
    """Head, body and tail: the head ends where the artery crosses, the rest is halved (RadGPT, arXiv 2501.04678).

    Lengths run along the pancreas' principal axis, or along left-right where that axis is more than 45 degrees
    off. The largest connected piece of each part is kept; a part without a voxel is left out.
    """
    require_volume(pancreas)
    require_volume(superior_mesenteric_artery)
    cells = np.argwhere(pancreas.crop)
    points = to_world((cells + pancreas.offset).astype(np.float64), pancreas.affine)
    axis = np.linalg.eigh(np.cov((points - points.mean(axis=0)).T))[1][:, -1]
    axis = axis if axis[0] >= 0 else -axis
    if axis[0] < np.cos(np.pi / 4):
        axis = np.array([1.0, 0.0, 0.0])
    artery = to_world(
        (np.argwhere(superior_mesenteric_artery.crop) + superior_mesenteric_artery.offset).astype(np.float64),
        pancreas.affine,
    )
    level = (artery[:, 2] >= points[:, 2].min()) & (artery[:, 2] <= points[:, 2].max())
    crossing = float(((artery[level] if level.any() else artery) @ axis).mean())
    along = points @ axis
    left = float(along.min())
    half = (left + min(crossing, float(along.max()))) / 2
    parts = {
        "head": along > crossing,
        "body": (along <= crossing) & (along > half),
        "tail": (along <= crossing) & (along <= half),
    }
    found = {}
    for name, chosen in parts.items():
        crop = np.zeros_like(pancreas.crop)
        crop[tuple(cells[chosen].T)] = True
        if crop.any():
            found[name] = Mask(_largest(crop), pancreas.offset, pancreas.shape, pancreas.affine)
    return {name: _recropped(mask) for name, mask in found.items()}


def _largest(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    labels, count = label(inside, structure=np.ones((3, 3, 3)))
    return inside if count < 2 else labels == int(np.bincount(labels.ravel())[1:].argmax()) + 1


def _recropped(mask: Mask) -> Mask:
    inner = Mask.of(mask.crop, mask.affine)
    offset = tuple(a + b for a, b in zip(mask.offset, inner.offset, strict=True))
    return Mask(inner.crop, offset, mask.shape, mask.affine)
