"""A DICOM Segmentation as findings with masks, on its own grid or on that of an image."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from groundglass.core.errors import GeometryError, InputError, UnsupportedError
from groundglass.core.finding import Evidence, Finding, Location
from groundglass.core.image import Image
from groundglass.core.mask import Mask
from groundglass.io.dicom_codes import side_of, term_of
from groundglass.io.dicom_header import quiet
from groundglass.io.dicom_source import frame_positions

if TYPE_CHECKING:
    from highdicom.seg import Segmentation


def read_seg(path: str | os.PathLike[str], like: Image | None = None) -> tuple[Finding, ...]:
    """The segments of a DICOM SEG (binary, fractional from one half, or label map) as findings, in segment order.

    With `like`, masks lie on its grid: each frame is placed by its position, so `like` may be stored in any axis
    order or direction, but must have the same voxels. Without, the grid is the SEG's own: frames sorted by
    position, (slice, row, column), or (row, column) for a SEG without patient geometry.

    Raises InputError when the file is not a SEG, GeometryError when its frames do not fit the grid.
    """
    seg = _open(path)
    positions = frame_positions(seg)
    if positions is None:
        grid, affine = _flat_grid(seg, like)
        voxels_of = None
    else:
        grid, affine = _own_grid(seg, positions, path) if like is None else (like.shape, like.affine)
        voxels_of = _Placement(seg, positions, grid, affine, str(path))
    numbers = [int(n) for n in seg.segment_numbers]
    masks = {n: np.zeros(grid, dtype=bool) for n in numbers if n != 0}
    for frame, shown in _frames(seg):
        for number in masks:
            inside = shown == number
            if not inside.any():
                continue
            if voxels_of is None:
                masks[number] |= inside
            else:
                masks[number][voxels_of(frame, np.argwhere(inside))] = True
    name = like.name if like is not None else None
    return tuple(_finding(seg.get_segment_description(n), Mask.of(mask, affine), name) for n, mask in masks.items())


def _open(path: str | os.PathLike[str]) -> Segmentation:
    from highdicom.seg import segread

    try:
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return segread(path)
    except FileNotFoundError as error:
        raise InputError(path, "does not exist", "Check the path.") from error
    except (OSError, ValueError, AttributeError, KeyError, TypeError, EOFError, InvalidDicomError) as error:
        raise UnsupportedError(path, f"is not a DICOM segmentation ({error})", "Pass a SEG file.") from error


def _frames(seg: Segmentation) -> list[tuple[int, NDArray[np.int64]]]:
    """Per frame its number from 0 and an array of the segment number shown at each pixel (0: none)."""
    kind = seg.segmentation_type.value
    groups = seg.PerFrameFunctionalGroupsSequence
    shared = seg.SharedFunctionalGroupsSequence[0]
    shown = []
    for frame in range(seg.number_of_frames):
        pixels = seg.get_stored_frame(frame + 1)
        if kind == "LABELMAP":
            shown.append((frame, pixels.astype(np.int64)))
            continue
        where = groups[frame].get("SegmentIdentificationSequence") or shared.get("SegmentIdentificationSequence")
        threshold = 1 if kind == "BINARY" else int(seg.MaximumFractionalValue) / 2
        shown.append((frame, (pixels >= threshold) * int(where[0].ReferencedSegmentNumber)))
    return shown


class _Placement:
    """Voxel indices on a grid of the pixels of a frame."""

    def __init__(
        self,
        seg: Dataset,
        positions: NDArray[np.float64],
        grid: tuple[int, ...],
        affine: NDArray[np.float64],
        name: str,
    ) -> None:
        self.positions, self.grid, self.name = positions, grid, name
        self.to_index = np.linalg.inv(affine)
        self.pixel_steps = _pixel_steps(seg)

    def __call__(self, frame: int, pixels: NDArray[np.intp]) -> tuple[NDArray[np.intp], ...]:
        places = self.positions[frame] + pixels @ self.pixel_steps
        index = places @ self.to_index[:3, :3].T + self.to_index[:3, 3]
        whole = np.rint(index).astype(np.intp)
        grid = (*self.grid, 1)[:3]
        if np.abs(index - whole).max() > 0.1:
            raise GeometryError(
                self.name, "its pixels lie between the voxels of the image", "Resample the segmentation."
            )
        if (whole < 0).any() or (whole >= grid).any():
            raise GeometryError(self.name, "reaches out of the image", "Pass the image that it was made on.")
        return tuple(whole.T[: len(self.grid)])


def _pixel_steps(seg: Dataset) -> NDArray[np.float64]:
    """(2, 3) RAS mm from one row, and one column, to the next."""
    shared, first = seg.SharedFunctionalGroupsSequence[0], seg.PerFrameFunctionalGroupsSequence[0]
    plane = shared.get("PlaneOrientationSequence") or first.get("PlaneOrientationSequence")
    measures = shared.get("PixelMeasuresSequence") or first.get("PixelMeasuresSequence")
    cosines = np.array(plane[0].ImageOrientationPatient, dtype=float).reshape(2, 3) * (-1, -1, 1)
    between_rows, between_columns = map(float, measures[0].PixelSpacing)
    return np.stack([cosines[1] * between_rows, cosines[0] * between_columns])


def _own_grid(
    seg: Dataset, positions: NDArray[np.float64], path: str | os.PathLike[str]
) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    """Shape and affine of the smallest regular stack that holds all frames."""
    steps = _pixel_steps(seg)
    normal = np.cross(steps[1], steps[0])
    normal /= np.linalg.norm(normal)
    along = positions @ normal
    order = np.argsort(along)
    first, last = positions[order[0]], positions[order[-1]]
    gaps = np.diff(np.unique(np.round(along, 3)))
    measures = (seg.SharedFunctionalGroupsSequence[0].get("PixelMeasuresSequence") or [Dataset()])[0]
    stated = float(measures.get("SpacingBetweenSlices") or measures.get("SliceThickness") or 1.0)
    gap = min(float(gaps.min()), stated) if gaps.size else stated
    count = round(float(along[order[-1]] - along[order[0]]) / gap) + 1
    step = (last - first) / (count - 1) if count > 1 else normal * gap
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2], affine[:3, 3] = step, steps[0], steps[1], first
    if count > 20 * len(positions) + 1000:
        raise GeometryError(path, "its frames do not form a stack", "Pass the image that it was made on.")
    return (count, int(seg.Rows), int(seg.Columns)), affine


def _flat_grid(seg: Dataset, like: Image | None) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    shape = (int(seg.Rows), int(seg.Columns))
    if like is not None and like.shape != shape:
        raise GeometryError(like.name, f"has {like.shape} pixels, the segmentation {shape}", "Pass the image it is of.")
    return shape, np.eye(4) if like is None else like.affine


def _finding(segment: Dataset, mask: Mask, image: str | None) -> Finding:
    kind = segment.SegmentedPropertyTypeCodeSequence[0]
    what = term_of(kind)
    regions = segment.get("AnatomicRegionSequence") or []
    modifiers = (
        (regions[0].get("AnatomicRegionModifierSequence") if regions else None)
        or kind.get("SegmentedPropertyTypeModifierCodeSequence")
        or []
    )
    side = next((found for found in map(side_of, modifiers) if found), None)
    is_structure = segment.SegmentedPropertyCategoryCodeSequence[0].CodeValue in ("91723000", "123037004")
    anatomy = term_of(regions[0]) if regions else what if is_structure else None
    algorithm = (segment.get("SegmentationAlgorithmIdentificationSequence") or [Dataset()])[0]
    manual = segment.SegmentAlgorithmType == "MANUAL"
    name = str(algorithm.get("AlgorithmName") or segment.get("SegmentAlgorithmName") or "unknown")
    evidence = Evidence("person" if manual else "model", name, str(algorithm.get("AlgorithmVersion") or ""))
    identity = str(segment.get("TrackingID") or f"s{segment.SegmentNumber}")
    where = Location(anatomy=anatomy, side=side, mask=mask, image=image)
    return Finding(identity, what, where=where, evidence=(evidence,))
