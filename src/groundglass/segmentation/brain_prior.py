"""Where each brain structure is expected: an MNI atlas laid on the patient by affine registration.

The atlas comes from the ICBM 2009a tissue maps (McConnell Brain Imaging Centre) and the CIT168 nuclei (CC BY 4.0); it
is built by `tools/build_brain_prior.py`. Mutual information makes the registration indifferent to the contrast.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage as ndi

from groundglass.core import Image
from groundglass.measurement import Registration, register_brain
from groundglass.synthesis import ShareMaps

# An affine map misses a person's own folds by some mm: the shares are blurred by as much (voxels of 2 mm).
_BLUR = 1.5


def place_atlas(pixels: NDArray[np.float32], affine: NDArray[np.float64]) -> Registration:
    """The affine registration of upright pixels to MNI152, whether it can be trusted (`reliable`) or not."""
    return register_brain(Image.of(pixels, affine, name="brain", modality="MR"), deformable=False)


def affine_to_template(placed: Registration, affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """4x4: voxels of a grid with `affine` -> MNI mm, of a registration without a deformable part."""
    corners = placed.to_template(np.vstack([np.zeros(3), np.eye(3)]))
    world = np.eye(4)
    world[:3, :3] = (corners[1:] - corners[0]).T
    world[:3, 3] = corners[0]
    return np.asarray(world @ affine)


def positions_of(matrix: NDArray[np.float64], box: tuple[slice, ...], *, step: int = 1) -> torch.Tensor:
    """(3, X, Y, Z) where `matrix` (4x4) takes the voxels of a box; `step` 2: the centres of blocks of 2 x 2 x 2."""
    axes = [torch.arange(s.start, s.stop, step, dtype=torch.float32) + (step - 1) / 2 for s in box]
    i, j, k = axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :]
    m = matrix.tolist()
    return torch.stack([m[a][0] * i + m[a][1] * j + m[a][2] * k + m[a][3] for a in range(3)])


@cache
def share_maps() -> ShareMaps:
    """The atlas's shares, blurred by what affine registration leaves open."""
    path = resources.files("groundglass.segmentation") / "data" / "brain_prior_2mm.npz"
    with path.open("rb") as file, np.load(file) as held:
        shares = np.stack([ndi.gaussian_filter(s.astype(np.float32) / 255, _BLUR) for s in held["shares"]])
        return ShareMaps(torch.from_numpy(shares), held["affine"])
