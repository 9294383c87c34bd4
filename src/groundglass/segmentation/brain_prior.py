"""Where each brain structure is expected: an MNI atlas laid on the patient by affine registration.

The atlas comes from the ICBM 2009a tissue maps (McConnell Brain Imaging Centre) and the CIT168 nuclei (CC BY 4.0); it
is built by `tools/build_brain_prior.py`. Mutual information makes the registration indifferent to the contrast.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage as ndi

from groundglass.core import GroundglassError, Image
from groundglass.measurement import Registration, register_brain

# An affine map misses a person's own folds by some mm: the shares are blurred by as much (voxels of 2 mm).
_BLUR = 1.25
_CHUNK = 16


def place_atlas(pixels: NDArray[np.float32], affine: NDArray[np.float64]) -> Registration | None:
    """The registration of upright 1 mm pixels to MNI152, None where it cannot be trusted."""
    try:
        found = register_brain(Image.of(pixels, affine, name="brain", modality="MR"), deformable=False)
    except GroundglassError:
        return None
    return found if found.reliable else None


def atlas_shares(
    placed: Registration, affine: NDArray[np.float64], box: tuple[slice, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Expected shares (classes, X, Y, Z) in a box of the patient's grid, and mm to the right of the MNI midline."""
    shares, atlas_affine = _atlas()
    to_atlas = np.linalg.inv(atlas_affine)
    shape = tuple(s.stop - s.start for s in box)
    expected = np.zeros((len(shares), *shape), dtype=np.float32)
    right = np.zeros(shape, dtype=np.float32)
    for first in range(0, shape[0], _CHUNK):
        part = slice(first, min(first + _CHUNK, shape[0]))
        index = np.indices((part.stop - part.start, *shape[1:])).reshape(3, -1).T
        index = index + np.array([box[0].start + first, box[1].start, box[2].start])
        mni = placed.to_template(apply_affine(affine, index))
        where = apply_affine(to_atlas, mni).T
        size = (part.stop - part.start, *shape[1:])
        right[part] = mni[:, 0].reshape(size)
        for value, share in enumerate(shares):
            expected[value, part] = ndi.map_coordinates(share, where, order=1, cval=float(value == 0)).reshape(size)
    return expected, right


@cache
def _atlas() -> tuple[tuple[NDArray[np.float32], ...], NDArray[np.float64]]:
    path = resources.files("groundglass.segmentation") / "data" / "brain_prior_2mm.npz"
    with path.open("rb") as file, np.load(file) as held:
        shares = tuple(ndi.gaussian_filter(s.astype(np.float32) / 255, _BLUR) for s in held["shares"])
        return shares, held["affine"]
