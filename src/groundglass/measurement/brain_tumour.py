"""Numbers of a brain tumour for a standardised report: foci, side, regions, compartments, resectability.

After Raidionics (Bouget et al. 2022, doi 10.3389/fneur.2022.932219; 2023, doi 10.1038/s41598-023-42048-7). Where its
released code differs from its description, the description holds: the distance between foci is the smallest one
between their surfaces (not the 95th percentile), diameters are in mm on any grid, and left is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.spatial import cKDTree
from skimage.morphology import ball

from groundglass.core import EmptyMaskError, GeometryError, Mask
from groundglass.measurement.geometry import face_points, to_world
from groundglass.measurement.instances import components
from groundglass.measurement.mni152 import Atlas, Region
from groundglass.measurement.volume import volume_ml
from groundglass.measurement.world_transform import MNI_1MM, Grid, WorldTransform, resample

FOCUS_ML = 0.1
FOCUS_GAP_MM = 5.0
SMALLEST_PART_VOXELS = 100


@dataclass(frozen=True, slots=True)
class Foci:
    """`masks`: components of at least 0.1 mL, largest first; `gaps_mm`: each other one's distance to the largest."""

    masks: tuple[Mask, ...]
    gaps_mm: tuple[float, ...]

    @property
    def is_multifocal(self) -> bool:
        """True when a focus lies 5 mm or more from the largest one."""
        return any(gap >= FOCUS_GAP_MM for gap in self.gaps_mm)


@dataclass(frozen=True, slots=True)
class Laterality:
    """Per cent of the tumour on each side of the midsagittal plane, and the distance of the nearer surface to it."""

    left: float
    right: float
    crosses_midline: bool
    midline_mm: float

    @property
    def side(self) -> str:
        """ "left" or "right", where the greater part lies."""
        return "left" if self.left >= self.right else "right"


@dataclass(frozen=True, slots=True)
class Overlap:
    """A region and what tumour and region share. `distance_mm` is 0 where they meet."""

    region: Region
    share_of_tumour: float
    share_of_region: float
    distance_mm: float


@dataclass(frozen=True, slots=True)
class Resectability:
    """Mean probability of resection over the tumour, and the volumes that it stands for (mL)."""

    index: float
    resectable_ml: float
    residual_ml: float


def clean(mask: Mask) -> Mask:
    """A predicted mask: closed with a ball of 2 voxels, parts below 100 voxels dropped. Drawn masks need none."""
    padded = np.pad(mask.array, 3)
    closed = ndi.binary_closing(padded, ball(2))[3:-3, 3:-3, 3:-3]
    kept = [part for part in components(Mask.of(closed, mask.affine)) if part.voxel_count >= SMALLEST_PART_VOXELS]
    inside = np.zeros(mask.shape, dtype=bool)
    for part in kept:
        inside[part.box.slices] |= part.crop
    return Mask.of(inside, mask.affine)


def foci(mask: Mask) -> Foci:
    """The foci of a tumour and their distances. Raises EmptyMaskError.

    A tumour whose parts are all below 0.1 mL has one focus, its largest part.
    """
    parts = components(mask)
    if not parts:
        raise EmptyMaskError("brain tumour", "has no voxel, so it has no focus", "Leave it out or draw it again.")
    kept = tuple(part for part in parts if volume_ml(part) >= FOCUS_ML) or parts[:1]
    return Foci(kept, tuple(surface_gap_mm(kept[0], part) for part in kept[1:]))


def surface_gap_mm(one: Mask, other: Mask) -> float:
    """Smallest distance between the surfaces of two masks of one affine, 0 where voxels are shared. EmptyMaskError."""
    lowest = np.maximum(one.offset, other.offset)
    highest = np.minimum(one.box.stop, other.box.stop)
    if (lowest < highest).all():
        window = tuple(slice(a, b) for a, b in zip(lowest, highest, strict=True))
        if (one.array[window] & other.array[window]).any():
            return 0.0
    return _gap_mm(one, other)


def _gap_mm(one: Mask, other: Mask) -> float:
    first, second = _surface(one), _surface(other)
    beyond = np.maximum(first.min(axis=0) - second, second - first.max(axis=0)).clip(0)
    least = np.linalg.norm(beyond, axis=1)
    # No point can be nearer than its distance to the box of `one`; most need no look-up.
    tree = cKDTree(first)
    bound = float(tree.query(second[least.argmin()])[0])
    return float(tree.query(second[least <= bound])[0].min())


def _surface(mask: Mask) -> NDArray[np.float64]:
    """Midpoints of the voxel faces that look outwards, in mm."""
    if mask.is_empty:
        raise EmptyMaskError("mask", "has no voxel, so no distance to it", "Leave it out or draw it again.")
    return to_world(face_points(mask.crop, (0, 1, 2)) + np.array(mask.offset), mask.affine)


def in_template(mask: Mask, to_patient: WorldTransform) -> Mask:
    """The mask on the 1 mm grid of MNI152, by nearest neighbour."""
    moved = resample(mask.array.astype(np.uint8), mask.affine, MNI_1MM, to_patient, labels=True)
    return Mask.of(moved, MNI_1MM.affine)


def laterality(tumour: Mask) -> Laterality:
    """Sides of a tumour in template space, where x = 0 mm is the midsagittal plane. Raises EmptyMaskError.

    Voxels centred on the plane count half for each side. The midline is crossed when each side holds 0.1 mL.
    """
    cells = np.argwhere(tumour.crop)
    if not cells.size:
        raise EmptyMaskError("brain tumour", "has no voxel in template space", "Check the registration.")
    x = to_world((cells + tumour.offset).astype(np.float64), tumour.affine)[:, 0]
    left = float((x < 0).sum() + 0.5 * (x == 0).sum())
    right = len(x) - left
    voxel_ml = Grid(tumour.shape, tumour.affine).voxel_ml
    crosses = min(left, right) * voxel_ml >= FOCUS_ML
    half = 0.5 * float(np.abs(tumour.affine[0, :3]).sum())
    nearest = max(0.0, float(np.abs(x).min()) - half)
    return Laterality(100 * left / len(x), 100 * right / len(x), crosses, 0.0 if crosses else nearest)


def overlaps(tumour: Mask, atlas: Atlas) -> tuple[Overlap, ...]:
    """What tumour (in template space) and every region of the atlas share, greatest share of the tumour first.

    The atlas is brought onto the tumour's grid by nearest neighbour. Raises EmptyMaskError.
    """
    import SimpleITK as sitk

    same = atlas.labels.shape == tumour.shape and np.allclose(atlas.affine, tumour.affine)
    grid = Grid(tumour.shape, tumour.affine)
    still = WorldTransform(sitk.Transform(3, sitk.sitkIdentity))
    labels = atlas.labels if same else resample(atlas.labels, atlas.affine, grid, still, labels=True)
    boxes = ndi.find_objects(labels)
    found = []
    for region in atlas.regions:
        box = boxes[region.value - 1] if 0 < region.value <= len(boxes) else None
        if box is not None:
            place = Mask(labels[box] == region.value, tuple(s.start for s in box), tumour.shape, tumour.affine)
            found.append(_overlap(tumour, labels, region, place))
    return tuple(sorted(found, key=lambda o: (-o.share_of_tumour, o.distance_mm, o.region.title)))


def _overlap(tumour: Mask, labels: NDArray[Any], region: Region, place: Mask) -> Overlap:
    shared = int((tumour.crop & (labels[tumour.box.slices] == region.value)).sum())
    gap = 0.0 if shared else _gap_mm(tumour, place)
    return Overlap(region, 100 * shared / tumour.voxel_count, 100 * shared / place.voxel_count, gap)


def region_masks(
    atlas: Atlas, inside: Mask, to_template: WorldTransform, regions: Iterable[Region]
) -> dict[Region, Mask]:
    """The part of `inside` (patient space) in each region: inverse transform, nearest neighbour."""
    if inside.is_empty:
        return dict.fromkeys(regions, inside)
    affine = inside.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ np.array(inside.offset)
    labels = resample(atlas.labels, atlas.affine, Grid(inside.crop.shape, affine), to_template, labels=True)
    found = {}
    for region in regions:
        part = Mask.of(inside.crop & (labels == region.value), inside.affine)
        offset = tuple(a + b for a, b in zip(part.offset, inside.offset, strict=True))
        found[region] = Mask(part.crop, offset, inside.shape, inside.affine)
    return found


def resectability(
    tumour: Mask,
    left: NDArray[np.floating[Any]],
    right: NDArray[np.floating[Any]] | None = None,
    *,
    side: str = "left",
) -> Resectability:
    """Index, resectable and expected residual volume from maps of the probability of resection (0 to 1).

    The maps lie on the tumour's grid; that of the tumour's `side` is used (Müller et al. 2020, doi
    10.1093/noajnl/vdaa035). No map ships: theirs may not be passed on. Raises EmptyMaskError, GeometryError.
    """
    if tumour.is_empty:
        raise EmptyMaskError("brain tumour", "has no voxel, so nothing can be resected", "Leave it out.")
    chosen = right if side == "right" and right is not None else left
    if chosen.shape != tumour.shape:
        raise GeometryError(
            "resection map", f"is {chosen.shape}, the tumour {tumour.shape}", "Resample it to the MNI152 1 mm grid."
        )
    values = np.nan_to_num(np.asarray(chosen[tumour.box.slices][tumour.crop], dtype=np.float64))
    voxel_ml = Grid(tumour.shape, tumour.affine).voxel_ml
    resectable = float(values.sum()) * voxel_ml
    return Resectability(float(values.mean()), resectable, values.size * voxel_ml - resectable)
