"""The ventricles' wall placed half-way between the intensities of fluid and of the tissue around, in any contrast.

A network's shares say where the ventricles are; near them each voxel's share of fluid follows from its intensity, as
for any mixture of two materials. What lies deeper than the network's own error and is not fluid (choroid plexus,
pulsation) stays in the ventricle.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage as ndi

from groundglass.segmentation.mask_window import window_about

# mm on the 1 mm grid: how far outside of the network's ventricle fluid may lie, how deep inside all is ventricle.
REACH, DEPTH = 1.0, 2.0
SHELL = (2.0, 7.0)
LEAST_VOXELS = 500
CLOSING = 2
# Fluid and tissue must differ by this many standard deviations of the tissue, else the network's wall stays.
LEAST_DIFFERENCE = 1.5


def sharpen_ventricles(
    shares: torch.Tensor, images: Sequence[NDArray[np.float32]], ventricles: Sequence[int], fluid: int
) -> torch.Tensor:
    """Shares (classes, X, Y, Z) with ventricles either whole or absent in each voxel; changed in place and returned.

    `images` (X, Y, Z) are one or more contrasts, of whose shares of fluid the median counts; `ventricles` are the
    classes of the ventricles, `fluid` that of the other fluid, which no wall separates from tissue.
    """
    together = shares[list(ventricles)].sum(dim=0)
    region = _large_pieces((together > 0.5).numpy())
    if region.sum() < LEAST_VOXELS:
        return shares
    box = window_about(region, round(SHELL[1]) + CLOSING + 1)
    inner = (slice(None), *box)
    region = region[box]
    away = ndi.distance_transform_edt(~region)
    tissue = (1 - together[box] - shares[0][box] - shares[fluid][box]).numpy() > 0.8
    shell = (away > SHELL[0]) & (away < SHELL[1]) & tissue
    seen = [f for f in (_fluid_share(pixels[box], region, shell) for pixels in images) if f is not None]
    if not seen:
        return shares
    near = (away <= REACH) & (shares[fluid][box] < 0.5).numpy()
    wall = ((np.median(seen, axis=0) > 0.5) & near) | (ndi.distance_transform_edt(region) > DEPTH)
    closed = ndi.binary_fill_holes(ndi.binary_closing(wall, iterations=CLOSING))
    found = torch.from_numpy(np.asarray(closed))
    part = shares[inner]
    of_ventricles = part[list(ventricles)] + 1e-6
    others = torch.ones(len(shares), dtype=torch.bool)
    others[list(ventricles)] = False
    rest = part[others] + 1e-6
    part[others] = torch.where(found, torch.zeros(()), rest / rest.sum(dim=0))
    part[list(ventricles)] = torch.where(found, of_ventricles / of_ventricles.sum(dim=0), torch.zeros(()))
    shares[list(ventricles)] *= _mask_of(box, together.shape)
    shares[inner] = part
    return shares


def _fluid_share(
    pixels: NDArray[np.float32], region: NDArray[np.bool_], shell: NDArray[np.bool_]
) -> NDArray[np.float32] | None:
    """The share of fluid by intensity, None where fluid does not differ from tissue."""
    around = pixels[shell]
    if around.size < LEAST_VOXELS:
        return None
    tissue, inside = float(np.median(around)), pixels[region]
    # The purest fifth of the region: its rest may be wall and plexus.
    fluid = float(np.percentile(inside, 80 if np.median(inside) > tissue else 20))
    if abs(fluid - tissue) <= LEAST_DIFFERENCE * float(around.std()):
        return None
    return np.clip((pixels - tissue) / (fluid - tissue), 0, 1)


def _large_pieces(mask: NDArray[np.bool_], least: int = 100) -> NDArray[np.bool_]:
    labels, _ = ndi.label(mask)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.isin(labels, np.flatnonzero(sizes >= least))


def _mask_of(box: tuple[slice, ...], shape: Sequence[int]) -> torch.Tensor:
    """1 in the box, 0 outside: faint shares of ventricle far from any add up to millilitres."""
    mask = torch.zeros(tuple(shape))
    mask[box] = 1
    return mask
