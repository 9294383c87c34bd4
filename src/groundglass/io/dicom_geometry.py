"""Planes in patient space to an affine of the array, and what is odd about how they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.io.dicom_frames import Frame

# DICOM's patient axes are left, posterior, superior; ours are right, anterior, superior.
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_DIRECTIONS = {
    "L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1),
}  # fmt: skip


@dataclass(frozen=True)
class Geometry:
    """Affine over (slice, row, column) or, for a flat image, (row, column, normal); RAS+ mm."""

    affine: NDArray[np.float64]
    spacing_known: bool = True
    orientation_known: bool = True
    warnings: tuple[str, ...] = ()


def stack_geometry(frames: Sequence[Frame], spacing: tuple[float, float]) -> Geometry:
    """The affine of planes that are sorted along their normal. Every frame has a position and an orientation.

    The slice column is the mean step between positions, so that the first and the last plane are exact and a
    tilted gantry keeps its shear. PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1.
    """
    first = frames[0]
    assert first.orientation is not None and first.normal is not None
    positions = np.asarray([frame.position for frame in frames], dtype=np.float64)
    warnings: list[str] = []
    known = True
    if len(frames) == 1:
        thickness = first.number("SpacingBetweenSlices") or first.number("SliceThickness")
        known = thickness is not None and thickness > 0
        if not known:
            warnings.append("one slice without a thickness: volumes cannot be measured")
        step = first.normal * (abs(thickness) if thickness else 1.0)
    else:
        step = (positions[-1] - positions[0]) / (len(frames) - 1)
        warnings += spacing_warnings(positions, first.normal)
        warnings += tilt_warnings(step, first.normal)
    lps = _affine(step, first.orientation, spacing, positions[0])
    return Geometry(LPS_TO_RAS @ lps, spacing_known=known, warnings=tuple(warnings))


def spacing_warnings(positions: NDArray[np.float64], normal: NDArray[np.float64]) -> list[str]:
    """Missing slices and uneven spacing of sorted positions (n, 3) along a unit normal."""
    along = positions @ normal
    gaps = np.diff(along)
    usual = float(np.median(gaps))
    even = np.linspace(along[0], along[-1], len(along))
    off = float(np.abs(along - even).max())
    if off <= max(0.01, 0.02 * usual):
        return []
    missing = np.rint(gaps / usual).astype(int) - 1
    explained = bool(np.all(np.abs(gaps - (missing + 1) * usual) <= max(0.01, 0.05 * usual)))
    if explained and missing.sum() > 0:
        after = ", ".join(str(i + 1) for i in np.flatnonzero(missing)[:5])
        return [
            f"{int(missing.sum())} missing slice(s), after slice {after}: positions are off by up to {off:.2f} mm "
            "and volumes are estimates"
        ]
    return [
        f"uneven slice spacing ({gaps.min():.3f} to {gaps.max():.3f} mm): positions are off by up to {off:.2f} mm "
        "and volumes are estimates"
    ]


def tilt_warnings(step: NDArray[np.float64], normal: NDArray[np.float64]) -> list[str]:
    """A warning where the stack is sheared: slices are not stacked along their normal."""
    cosine = min(1.0, abs(float(step @ normal)) / float(np.linalg.norm(step)))
    degrees = float(np.degrees(np.arccos(cosine)))
    # 0.2 degrees: positions are often rounded to 0.1 mm.
    return (
        [f"gantry tilt of {degrees:.1f} degrees: the grid is sheared and the affine says so"] if degrees > 0.2 else []
    )


def plane_geometry(frame: Frame, spacing: tuple[float, float] | None) -> Geometry:
    """The affine of one flat plane over (row, column, normal): from its position, else from PatientOrientation."""
    known = spacing is not None
    rows, columns = spacing or (1.0, 1.0)
    if frame.position is not None and frame.orientation is not None:
        assert frame.normal is not None
        lps = _affine(frame.normal, frame.orientation, (rows, columns), np.asarray(frame.position))
        # From (slice, row, column) to (row, column, normal).
        return Geometry(LPS_TO_RAS @ lps[:, [1, 2, 0, 3]], spacing_known=known)
    directions = [d for v in frame.text("PatientOrientation").split("\\") if (d := _direction(v)) is not None]
    if len(directions) == 2:
        x, y = directions
        normal = np.cross(x, y)
        if np.linalg.norm(normal) > 0.5:
            lps = _affine(normal / np.linalg.norm(normal), (*x, *y), (rows, columns), np.zeros(3))
            return Geometry(LPS_TO_RAS @ lps[:, [1, 2, 0, 3]], spacing_known=known)
    return Geometry(np.diag([rows, columns, 1.0, 1.0]), spacing_known=known, orientation_known=False)


def _direction(letters: str) -> NDArray[np.float64] | None:
    """The main patient direction of a PatientOrientation value ("L", "AFR": the first letter dominates)."""
    main = _DIRECTIONS.get(letters.strip()[:1].upper())
    return None if main is None else np.asarray(main, dtype=np.float64)


def _affine(
    step: NDArray[np.float64],
    orientation: Sequence[float],
    spacing: tuple[float, float],
    origin: NDArray[np.float64],
) -> NDArray[np.float64]:
    """LPS affine over (slice, row, column); `spacing` is DICOM's PixelSpacing (between rows, between columns)."""
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = np.asarray(orientation[3:]) * spacing[0]
    affine[:3, 2] = np.asarray(orientation[:3]) * spacing[1]
    affine[:3, 3] = origin
    return affine
