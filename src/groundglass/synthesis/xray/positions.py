"""Views by name or by angle around a volume: PA, AP, laterals, any gantry position; cone or parallel.

Angles are DICOM's positioner angles (PS3.3 C.8.7.5): the detector in front of the patient is (0, 0), so that PA is
0, the left lateral +90 and AP 180; the secondary angle raises the detector towards the head. The image is shown as
readers hang it: head up, the patient's right on the left in every frontal view, front to the left in a left lateral.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError, GeometryError
from groundglass.synthesis.xray.view import XrayView

# name -> (primary, secondary angle in degrees, source-to-detector distance in mm).
NAMED = {"PA": (0.0, 0.0, 1800.0), "AP": (180.0, 0.0, 1000.0), "LAT": (90.0, 0.0, 1800.0), "RLAT": (-90.0, 0.0, 1800.0)}
GAP_MM = 50.0
MARGIN = 1.02


def xray_view(
    shape: Sequence[int],
    affine: NDArray[Any],
    view: str | tuple[float, float] = "PA",
    *,
    size: int | tuple[int, int] = 512,
    pixel_mm: float | None = None,
    distance_mm: float | None = None,
    gap_mm: float = GAP_MM,
    parallel: bool = False,
) -> XrayView:
    """A view of the volume of `shape` voxels under `affine` (indices to RAS+ mm).

    `view` is PA, AP, LAT (left side at the detector), RLAT, or (primary, secondary) degrees. `size`: rows and columns.
    `pixel_mm` None: square pixels, small enough that the whole volume is in the field. `distance_mm` from source to
    detector (PA and laterals 1800, AP 1000, angles 1800); `gap_mm` from the volume to the detector. Raises
    ConfigurationError for another name or size, GeometryError where the source would lie in the volume.
    """
    primary, secondary, usual, name = _angles(view)
    rows, columns = (size, size) if isinstance(size, int) else size
    if min(rows, columns) < 1 or (pixel_mm is not None and pixel_mm <= 0):
        raise ConfigurationError(f"size {size}", "is no detector", "Give whole positive numbers of pixels and mm.")
    beam, right, down = _axes(primary, secondary)
    corners = _corners(shape, np.asarray(affine, dtype=np.float64))
    centre = 0.5 * (corners.min(axis=0) + corners.max(axis=0))
    depth = (corners - centre) @ beam
    distance = usual if distance_mm is None else distance_mm
    to_detector = float(depth.max()) + gap_mm
    if not parallel and distance - to_detector <= -depth.min():
        raise GeometryError(
            "X-ray view",
            f"a source {distance:g} mm before the detector lies in the volume",
            f"Give --distance more than {to_detector - depth.min():.0f} mm.",
        )
    source = None if parallel else centre - (distance - to_detector) * beam
    middle = centre + to_detector * beam
    scale = 1.0 if source is None else distance / (depth + distance - to_detector)
    reach_u = np.abs((corners - centre) @ right * scale).max()
    reach_v = np.abs((corners - centre) @ down * scale).max()
    step = pixel_mm or float(MARGIN * max(2 * reach_u / columns, 2 * reach_v / rows))
    corner = middle - 0.5 * (columns - 1) * step * right - 0.5 * (rows - 1) * step * down
    return XrayView(
        corner, step * down, step * right, (rows, columns), source, beam if source is None else None, name=name
    )


def siddon_jacobs_view(
    shape: Sequence[int],
    spacing: Sequence[float],
    *,
    rotation: Sequence[float] = (0.0, 0.0, 0.0),
    translation: Sequence[float] = (0.0, 300.0, 0.0),
    size: tuple[int, int] = (512, 512),
    pixel_mm: float = 0.51,
    distance_mm: float = 1000.0,
) -> tuple[XrayView, NDArray[np.float64]]:
    """The geometry of DRR-RATE's tool (Wu, Insight Journal 784), and the affine that goes with it.

    The volume's axes are the file's x, y, z (LPS), its origin and directions are reset: it fills [0, size * spacing].
    Isocentre = its centre; source `distance_mm` before it along y; the image plane through the isocentre. The volume is
    turned by `rotation` (degrees about x, y, z; Euler ZYX) about the isocentre and moved by `translation` mm; the usual
    (0, 300, 0) pushes a chest away from the source until it fits into the field. Rows run along z, columns along x.
    The lateral view is `rotation=(0, 0, -90)`. Values there are integrals divided by the distance from
    source to pixel: see `tool_values`.
    """
    extent = np.asarray(spacing, dtype=np.float64)
    middle = extent * np.asarray(shape) / 2
    affine = np.diag([*extent, 1.0])
    affine[:3, 3] = extent / 2
    turn = _euler_zyx(np.radians(rotation))

    def in_volume(point: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(turn.T @ (point - middle - np.asarray(translation, dtype=np.float64)) + middle)

    rows, columns = size
    first = middle + pixel_mm * np.array([-(columns - 1) / 2, 0.0, -(rows - 1) / 2])
    down, right = turn.T @ np.array([0.0, 0.0, pixel_mm]), turn.T @ np.array([pixel_mm, 0.0, 0.0])
    source = in_volume(middle - np.array([0.0, distance_mm, 0.0]))
    return XrayView(in_volume(first), down, right, size, source, name="Siddon-Jacobs"), affine


def tool_values(integrals: NDArray[Any], view: XrayView) -> NDArray[np.float64]:
    """Integrals over mm as the tool gives them: over the fraction of the way from source to pixel."""
    if view.source is None:
        raise GeometryError("parallel beam", "has no source-to-pixel distance", "Use a cone beam.")
    return np.asarray(integrals / np.linalg.norm(view.pixels - view.source, axis=-1))


def _angles(view: str | tuple[float, float]) -> tuple[float, float, float, str]:
    if isinstance(view, str):
        if view.upper() not in NAMED:
            raise ConfigurationError(f"view {view}", "is not known", f"Use {', '.join(NAMED)} or two angles.")
        return (*NAMED[view.upper()], view.upper())
    primary, secondary = view
    if not np.isfinite([primary, secondary]).all() or abs(secondary) > 89:
        raise ConfigurationError(f"angles {view}", "are no view", "Give finite degrees, the second within 89.")
    return float(primary), float(secondary), 1800.0, f"{primary:g},{secondary:g}"


def _axes(primary: float, secondary: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Unit vectors in RAS+: of the beam, along columns (to the right of the picture), along rows (down)."""
    a, b = np.radians(primary), np.radians(secondary)
    beam = np.array([-np.sin(a) * np.cos(b), np.cos(a) * np.cos(b), np.sin(b)])
    right = np.array([-np.cos(a), -np.sin(a), 0.0])
    down = np.cross(beam, right)
    down = down if down[2] < 0 else -down
    # Seen from behind the patient would be mirrored: his right stays on the left of the picture.
    return beam, right if np.cos(a) > -1e-9 else -right, down


def _corners(shape: Sequence[int], affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """(8, 3) mm: the outer corners of the voxels."""
    ends = [(-0.5, n - 0.5) for n in shape]
    return np.asarray(np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3) @ affine[:3, :3].T + affine[:3, 3])


def _euler_zyx(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rz Ry Rx: ITK's Euler3DTransform with ComputeZYX."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_euler("xyz", angles).as_matrix())
