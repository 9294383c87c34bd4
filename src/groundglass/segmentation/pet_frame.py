"""A whole body's PET and CT as one input of fixed size, and the way back (ConTEXTual Net 3D, arXiv 2502.00528).

Axes become R, A, S; voxels stay the PET's own, since the SUVmax that a report states is that of a voxel. The body is
the box of SUV above 0.2; it is centred across and keeps its head at the far end of the long axis, so that what a frame
is too short for, and what it is padded with, lies at the feet. No part is mirrored or cut out about a lesion: "right"
and "upper" would lose their meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from groundglass.core import GeometryError, Image, InputError, Mask
from groundglass.io.suv import SUV
from groundglass.measurement import Grid, WorldTransform, resample

FRAME = (192, 192, 352)
"""Voxels of the paper's frame."""
BODY_SUV = 0.2
SUV_TOP = 10.0
HU_LOW, HU_HIGH = -150.0, 250.0
AIR = -1024.0

Slices = tuple[slice, ...]
Voxel = TypeVar("Voxel", bound=np.generic)


class _Axes(NamedTuple):
    """Which axis of the PET's storage runs along R, A and S, and whether along (1) or against (-1) it."""

    order: tuple[int, ...]
    signs: tuple[int, ...]

    @classmethod
    def of(cls, affine: NDArray[np.float64]) -> _Axes:
        from nibabel.orientations import io_orientation

        world, signs = io_orientation(affine).astype(int).T
        order = np.argsort(world)
        return cls(tuple(order.tolist()), tuple(signs[order].tolist()))

    def upright(self, stored: NDArray[Voxel]) -> NDArray[Voxel]:
        return stored.transpose(self.order)[self._turn]

    def stored(self, upright: NDArray[Voxel]) -> NDArray[Voxel]:
        return np.ascontiguousarray(upright[self._turn].transpose(np.argsort(self.order)))

    @property
    def _turn(self) -> Slices:
        return tuple(slice(None, None, sign) for sign in self.signs)


@dataclass(frozen=True, eq=False)
class PetFrame:
    """`pixels` (2, *frame) float32: PET and CT, each 0 to 1. `mask` brings a mask of the frame to the PET's grid."""

    pixels: NDArray[np.float32]
    affine: NDArray[np.float64]
    shape: tuple[int, ...]
    _axes: _Axes
    _inside: Slices
    _framed: Slices

    @classmethod
    def of(cls, pet: Image, ct: Image, *, frame: tuple[int, int, int] = FRAME) -> PetFrame:
        """Raises InputError for a PET that is no volume in SUV or holds no body, and for a CT that is no volume."""
        if not pet.is_volume or pet.units != SUV:
            raise InputError(pet.name, f"is no volume in {SUV}", "Give the PET, with weight and dose in its header.")
        if not ct.is_volume:
            raise InputError(ct.name, "is no volume", "Give the CT of the same exam.")
        axes = _Axes.of(pet.affine)
        suv = axes.upright(np.asarray(pet.array[0], dtype=np.float32))
        hits = np.argwhere(suv > BODY_SUV)
        if not len(hits):
            raise InputError(pet.name, f"has no voxel above SUV {BODY_SUV}", "Check its units and its dose.")
        inside, framed = _placed(hits.min(axis=0), hits.max(axis=0) + 1, frame)
        pixels = np.zeros((2, *frame), dtype=np.float32)
        pixels[0][framed] = np.clip(suv[inside] / SUV_TOP, 0, 1)
        hu = axes.upright(_on_grid(ct, pet))
        pixels[1][framed] = np.clip((hu[inside] - HU_LOW) / (HU_HIGH - HU_LOW), 0, 1)
        return cls(pixels, pet.affine, pet.shape, axes, inside, framed)

    def mask(self, found: NDArray[np.bool_]) -> Mask:
        """A mask (*frame) on the PET's grid; what the frame does not hold is outside."""
        upright = np.zeros([self.shape[axis] for axis in self._axes.order], dtype=bool)
        upright[self._inside] = found[self._framed]
        return Mask.of(self._axes.stored(upright), self.affine)

    def framed(self, mask: Mask) -> NDArray[np.bool_]:
        """A mask on the PET's grid as the frame holds it. Raises GeometryError when it is on another grid."""
        if mask.shape != self.shape:
            raise GeometryError("mask", f"its grid {mask.shape} is not the PET's {self.shape}", "Resample it first.")
        made = np.zeros(self.pixels.shape[1:], dtype=bool)
        made[self._framed] = self._axes.upright(mask.array)[self._inside]
        return made


def _placed(low: NDArray[np.intp], high: NDArray[np.intp], frame: tuple[int, int, int]) -> tuple[Slices, Slices]:
    """Where the body's box is cut from and where it is put: centred, but the last axis ends with the frame."""
    inside, framed = [], []
    for axis, (start, stop, side) in enumerate(zip(low.tolist(), high.tolist(), frame, strict=True)):
        length = min(side, stop - start)
        first = stop - length if axis == 2 else start + (stop - start - length) // 2
        at = side - length if axis == 2 else (side - length) // 2
        inside.append(slice(first, first + length))
        framed.append(slice(at, at + length))
    return tuple(inside), tuple(framed)


def _on_grid(ct: Image, pet: Image) -> NDArray[np.float32]:
    """HU on the PET's grid, linear; air where the CT does not reach."""
    import SimpleITK as sitk

    same = WorldTransform(sitk.Transform(3, sitk.sitkIdentity))
    above = np.asarray(ct.array[0], dtype=np.float32) - np.float32(AIR)  # `resample` fills with 0
    moved = resample(above, ct.affine, Grid(pet.shape, pet.affine), same, labels=False)
    return np.asarray(moved + np.float32(AIR), dtype=np.float32)
