"""Volume of a mask."""

from __future__ import annotations

from groundglass.core import Mask
from groundglass.measurement.geometry import voxel_volume


def volume_ml(mask: Mask) -> float:
    """Millilitres by counting voxels (DICOM 126030, sum of segmented voxels); 0 for an empty mask."""
    return mask.voxel_count * voxel_volume(mask.affine) / 1000.0


def touches_border(mask: Mask, *, axes: tuple[int, ...] | None = None) -> bool:
    """True when a voxel lies in the first or last layer of the grid along one of `axes` (all by default).

    A structure cut by the border of the scan has no volume of its own: its measured part is a lower bound.
    """
    if mask.is_empty:
        return False
    checked = range(len(mask.shape)) if axes is None else axes
    # An axis of one layer (a single slice) is all border and says nothing.
    return any(mask.box.start[a] == 0 or mask.box.stop[a] == mask.shape[a] for a in checked if mask.shape[a] > 1)
