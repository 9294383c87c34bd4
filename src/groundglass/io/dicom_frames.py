"""Every image plane of a file as one `Frame`, whether the file holds one plane, a cine loop or functional groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence

from groundglass.io.dicom_header import Header, value_of

Vector = tuple[float, ...]


@dataclass(slots=True, eq=False)
class Frame:
    """One plane: where its pixels are and where it lies. Positions are DICOM's LPS mm, as in the file.

    `position` is the centre of the first pixel, `orientation` the directions of growing column and row index.
    `datasets` are searched in order for a value: the frame's own functional groups, the shared ones, the file.
    """

    header: Header
    index: int
    datasets: tuple[Dataset, ...]
    position: Vector | None = None
    orientation: Vector | None = None

    def value(self, keyword: str) -> Any:
        """The first value of this keyword, None where no data set has one."""
        for dataset in self.datasets:
            found = value_of(dataset, keyword)
            if found is not None:
                return found
        return None

    def text(self, keyword: str) -> str:
        """The value as text, several values joined by a backslash, "" where there is none."""
        found = self.value(keyword)
        if found is None or isinstance(found, DicomSequence):
            return ""
        several = not isinstance(found, (str, bytes)) and hasattr(found, "__iter__")
        return "\\".join(str(v) for v in found) if several else str(found).strip()

    def numbers(self, keyword: str, count: int | None = None) -> Vector | None:
        """The finite numbers of this keyword; None where they are missing, damaged or not `count`."""
        found = self.value(keyword)
        if found is None or isinstance(found, (DicomSequence, bytes)):
            return None
        several = not isinstance(found, str) and hasattr(found, "__iter__")
        try:
            values = tuple(float(v) for v in (found if several else (found,)))
        except (TypeError, ValueError, OverflowError):
            return None
        fits = bool(values) and (count is None or len(values) == count) and bool(np.isfinite(values).all())
        return values if fits else None

    def number(self, keyword: str) -> float | None:
        """The first number of this keyword, None where there is none."""
        values = self.numbers(keyword)
        return None if values is None else values[0]

    @property
    def normal(self) -> NDArray[np.float64] | None:
        """Unit normal of the plane (column direction x row direction) in LPS."""
        return None if self.orientation is None else np.cross(self.orientation[:3], self.orientation[3:])


def frames_of(header: Header) -> list[Frame]:
    """All planes of a file, in stored order."""
    root = header.dataset
    groups = value_of(root, "PerFrameFunctionalGroupsSequence")
    shared = _inner(value_of(root, "SharedFunctionalGroupsSequence"))
    claimed = Frame(header, 0, (root,)).number("NumberOfFrames") or 1
    count = max(1, int(claimed))
    if isinstance(groups, DicomSequence) and len(groups):
        return [_located(Frame(header, i, (*_inner([item]), *shared, root))) for i, item in enumerate(groups[:count])]
    if count == 1:
        return [_located(Frame(header, 0, (*shared, root)))]
    return _classic(header, count, shared)


def _classic(header: Header, count: int, shared: Sequence[Dataset]) -> list[Frame]:
    """Frames that share one data set: a cine loop, or a stack with its offsets along the normal (dose, NM)."""
    first = _located(Frame(header, 0, (*shared, header.dataset)))
    frames = [Frame(header, i, first.datasets, first.position, first.orientation) for i in range(count)]
    offsets = _offsets(first, count)
    if offsets is None or first.position is None or first.normal is None:
        return frames
    for frame, offset in zip(frames, offsets, strict=True):
        frame.position = tuple(np.asarray(first.position) + offset * first.normal)
    return frames


def _offsets(first: Frame, count: int) -> Vector | None:
    """mm along the normal of each frame of a classic multi-frame stack, None for a loop in time.

    RT Dose says them in GridFrameOffsetVector (PS3.3 C.8.8.3.2); reconstructed NM is evenly spaced by
    SpacingBetweenSlices (C.8.4.15).
    """
    grid = first.numbers("GridFrameOffsetVector", count)
    if grid is not None:
        # The offsets may be relative (first is 0) or patient z coordinates; differences serve both.
        return tuple(v - grid[0] for v in grid)
    step = first.number("SpacingBetweenSlices")
    if first.text("Modality") in ("NM", "PT", "CT", "MR") and step and "TOMO" in first.text("ImageType").upper():
        return tuple(step * i for i in range(count))
    return None


def _inner(items: Any) -> tuple[Dataset, ...]:
    """The data sets inside the functional group macros of the first item."""
    if not isinstance(items, (DicomSequence, list)) or not len(items):
        return ()
    found: list[Dataset] = []
    for group in _first_items(items[0]):
        # Diffusion gradients lie one level deeper (PS3.3 C.8.13.5.9).
        found += [group, *_first_items(group)]
    return tuple(found)


def _first_items(dataset: Dataset) -> list[Dataset]:
    """The first item of every sequence in a data set; damaged elements are left out."""
    found = []
    for tag in dataset.keys():  # noqa: SIM118 - iterating the data set itself decodes, and may raise
        try:
            element = dataset[tag]
        except Exception:
            continue
        if element.VR == "SQ" and len(element.value):
            found.append(element.value[0])
    return found


def _located(frame: Frame) -> Frame:
    frame.position = frame.numbers("ImagePositionPatient", 3)
    frame.orientation = _orthonormal(frame.numbers("ImageOrientationPatient", 6))
    if frame.orientation is None or frame.position is None:
        detector = _inner_dataset(frame, "DetectorInformationSequence")
        if detector is not None:
            frame.position = frame.position or detector.numbers("ImagePositionPatient", 3)
            frame.orientation = frame.orientation or _orthonormal(detector.numbers("ImageOrientationPatient", 6))
    return frame


def _inner_dataset(frame: Frame, keyword: str) -> Frame | None:
    items = frame.value(keyword)
    return Frame(frame.header, 0, (items[0],)) if isinstance(items, DicomSequence) and len(items) else None


def _orthonormal(directions: Vector | None) -> Vector | None:
    """The directions as they are when they are unit and at right angles to 0.1 %, else None (a damaged header)."""
    if directions is None:
        return None
    x, y = np.asarray(directions[:3]), np.asarray(directions[3:])
    unit = abs(np.linalg.norm(x) - 1) < 1e-3 and abs(np.linalg.norm(y) - 1) < 1e-3
    return directions if unit and abs(float(x @ y)) < 1e-3 else None
