"""How far round a vessel a tumour lies: degrees of contact, and the length of contact along the vessel.

The rule of RadGPT (arXiv 2501.04678) and of the pancreatic cancer criteria (Callery et al., Ann Surg Oncol
2009;16:1727; > 0 contact, >= 180 degrees encasement): the part of the vessel's circumference with tumour within
2 mm of the wall, per cross-section of the main branch, averaged over 4 mm along the vessel, at its maximum.
Measured on rays in planes square to the centreline rather than on counted ring voxels, so that the angle does not
depend on how the vessel runs through the grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter, gaussian_filter1d, map_coordinates, uniform_filter1d

from groundglass.core import Line, Mask
from groundglass.measurement.centreline import main_centreline
from groundglass.measurement.geometry import grown_window, require_volume, to_voxel, window_of

_RAYS = 180
_RAY_STEP = 0.25
_MARGIN = 25.0
# Least run of tumour on a ray, in mm, that counts as contact: below it the mask's own staircase decides.
_LEAST_RUN = 0.75


@dataclass(frozen=True, slots=True)
class VesselContact:
    """Greatest contact in degrees, contact length in mm, and where: the vessel's centre there (voxels), its slice.

    `profile` holds the degrees per mm along the main branch.
    """

    degrees: float
    length: float
    centre: Line | None = None
    profile: tuple[float, ...] = ()

    @property
    def encased(self) -> bool:
        """180 degrees or more."""
        return self.degrees >= 180.0


NO_CONTACT = VesselContact(0.0, 0.0)


def vessel_contact(vessel: Mask, tumour: Mask, *, reach: float = 2.0, slab: float = 4.0) -> VesselContact:
    """Contact of `tumour` with `vessel` (masks of one grid). Lengths in mm, angles in degrees.

    `reach`: a tumour this near to the wall touches it. `slab`: the length over which the angle is averaged.
    Raises EmptyMaskError, GeometryError.
    """
    require_volume(vessel)
    require_volume(tumour)
    near = grown_window(tumour, reach + 2.0)
    if not window_of(vessel, near).any():
        return NO_CONTACT
    window = grown_window(tumour, _MARGIN)
    frame, tube, lump = _isotropic(vessel, tumour, window)
    points, tangents = main_centreline(tube > 0.5)
    # A ray that is still inside at 2.5 times the trunk's radius runs along a branch and meets no wall.
    longest = 2.5 * float(distance_transform_edt(np.pad(tube > 0.5, 1)).max()) + reach + 1.0
    fractions = _contact_fractions(points, tangents, tube, lump, reach, np.arange(0.0, longest, _RAY_STEP))
    if not len(fractions):
        return NO_CONTACT
    averaged = uniform_filter1d(fractions, max(round(slab), 1), mode="nearest")
    best = int(averaged.argmax())
    centre = to_voxel((frame @ np.append(points[best], 1.0))[None, :3], vessel.affine)[0]
    if averaged[best] <= 0:
        return NO_CONTACT
    return VesselContact(
        degrees=float(360 * averaged[best]),
        length=float((fractions > 0).sum()),
        centre=Line((tuple(float(v) for v in centre),), "centre of the vessel at greatest contact"),
        profile=tuple(float(360 * f) for f in fractions),
    )


def _isotropic(
    vessel: Mask, tumour: Mask, window: tuple[slice, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(grid to RAS+ mm, vessel, tumour) on a 1 mm grid along the array's axes; values 0 to 1, slightly smoothed."""
    linear = vessel.affine[:3, :3]
    turned, upper = np.linalg.qr(linear)
    turned = turned * np.sign(np.diag(upper))
    start = np.array([s.start for s in window], dtype=np.float64)
    size = np.array([s.stop - s.start for s in window])
    corners = np.stack(np.meshgrid(*[(0, n - 1) for n in size], indexing="ij"), -1).reshape(-1, 3) @ linear.T @ turned
    low, high = corners.min(axis=0), corners.max(axis=0)
    frame = np.eye(4)
    frame[:3, :3] = turned
    frame[:3, 3] = (vessel.affine @ np.append(start, 1.0))[:3] + turned @ low
    shape = np.floor(high - low + 1e-6).astype(int) + 1
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij")).reshape(3, -1)
    index = np.linalg.solve(linear, turned @ (grid + low[:, None]))
    sampled = []
    for mask in (vessel, tumour):
        crop = window_of(mask, window).astype(np.float32)
        values = map_coordinates(crop, index, order=1, mode="nearest").reshape(shape)
        sampled.append(gaussian_filter(values.astype(np.float64), 0.6, mode="nearest"))
    return frame, sampled[0], sampled[1]


def _contact_fractions(
    points: NDArray[np.float64],
    tangents: NDArray[np.float64],
    tube: NDArray[np.float64],
    lump: NDArray[np.float64],
    reach: float,
    radii: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Per centreline point: the part of the circumference with tumour within `reach` of the wall."""
    rays = _rays(tangents)
    # The angle is seen from the centre of the cross-section; a skeleton may run half a voxel beside it.
    wall, _ = _wall(_along(tube, points, rays, radii))
    points = np.asarray(points + _offset_of_centre(np.asarray(wall * _RAY_STEP), rays))
    wall, usable = _wall(_along(tube, points, rays, radii))
    place = np.arange(len(radii))
    band = (place >= wall[..., None]) & (place < wall[..., None] + round((reach + _LEAST_RUN) / _RAY_STEP))
    tumour = _along(lump, points, rays, radii) >= 0.5
    touched = (tumour & band).sum(axis=2) * _RAY_STEP >= _LEAST_RUN
    # A centre outside of the vessel (a sharp bend) has no circumference to speak of.
    return np.where(usable, touched.mean(axis=1), 0.0)


def _along(
    field: NDArray[np.float64], points: NDArray[np.float64], rays: NDArray[np.float64], radii: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(points, rays, radii) values of `field` on the rays."""
    sites = points[:, None, None, :] + radii[None, None, :, None] * rays[:, :, None, :]
    values = map_coordinates(field, np.moveaxis(sites, -1, 0).reshape(3, -1), order=1, mode="nearest")
    return values.reshape(sites.shape[:3])


def _wall(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(index of the first sample outside per ray, whether the centre is inside)."""
    outside = values < 0.5
    return np.where(outside.any(axis=2), outside.argmax(axis=2), outside.shape[2]), ~outside[:, 0, 0]


def _offset_of_centre(wall: NDArray[np.float64], rays: NDArray[np.float64]) -> NDArray[np.float64]:
    """(points, 3) from each point to the centroid of its cross-section, smoothed along the vessel.

    A ray that runs out through a side branch is cut at 1.5 times the median radius.
    """
    radius = np.minimum(wall, 1.5 * np.median(wall, axis=1, keepdims=True))
    moment = (radius[..., None] ** 3 * rays).sum(axis=1) / 3
    area = (radius**2).sum(axis=1) / 2
    offset = moment / np.maximum(area, 1e-9)[:, None]
    return gaussian_filter1d(offset, 2.0, axis=0, mode="nearest")


def _rays(tangents: NDArray[np.float64]) -> NDArray[np.float64]:
    """(points, rays, 3) unit vectors square to the smoothed tangents."""
    smooth = gaussian_filter1d(tangents, 1.5, axis=0, mode="nearest")
    smooth = smooth / np.linalg.norm(smooth, axis=1, keepdims=True)
    helper = np.eye(3)[np.abs(smooth).argmin(axis=1)]
    across = np.cross(smooth, helper)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    beside = np.cross(smooth, across)
    angles = np.arange(_RAYS) * (2 * np.pi / _RAYS)
    return np.cos(angles)[None, :, None] * across[:, None] + np.sin(angles)[None, :, None] * beside[:, None]
