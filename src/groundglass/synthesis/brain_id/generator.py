"""Items from draws: one deformation, N images of it, one target. The order of the steps is the paper's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import grid_sample

from groundglass.learn import NumberedBatches
from groundglass.synthesis.brain_artefacts import add_noise, apply_gamma_and_bias
from groundglass.synthesis.brain_id.contrast import LabelContrast, draw_label_contrast, paint
from groundglass.synthesis.brain_id.drawing import IMAGES, Acquisition, ItemDraw, Placement, draw_item
from groundglass.synthesis.brain_id.subject import BrainSubject, template_subject
from groundglass.synthesis.fields import flow, smooth_field
from groundglass.synthesis.resolution import blur_sigma, down_sample, gaussian_blur, resize

Draw = Callable[[np.random.Generator], LabelContrast]


@dataclass(frozen=True)
class BrainItem:
    """`images` (N, X, Y, Z) in [0, 1], `target` (X, Y, Z) T1, `structures` (X, Y, Z) uint8, `right` (X, Y, Z) bool.

    `right` is the patient's right half, so that paired structures have sides: a mirrored item has them swapped.
    """

    images: torch.Tensor
    target: torch.Tensor
    structures: torch.Tensor
    right: torch.Tensor


@dataclass
class BrainItems(NumberedBatches[BrainItem]):
    """Endless items of patches of `shape` voxels; item n depends on `seed` and n alone. `subjects` take turns.

    `contrast` draws the contrast of each image that is no photograph.
    """

    shape: tuple[int, int, int] = (96, 96, 96)
    images: int = IMAGES
    seed: int = 0
    subjects: tuple[BrainSubject, ...] = ()
    contrast: Draw = draw_label_contrast

    def batch(self, number: int) -> BrainItem:
        subjects = self.subjects or (template_subject(),)
        rng = self.generator(number)
        draw = draw_item(rng, self.shape, images=self.images)
        return render_item(draw, subjects[int(rng.integers(len(subjects)))], contrast=self.contrast)


def render_item(draw: ItemDraw, subject: BrainSubject, *, contrast: Draw = draw_label_contrast) -> BrainItem:
    """Make the item: the same draw and subject give the same item."""
    index, right = voxel_positions(draw.placement, draw.shape, subject.affine)
    patch = _Patch(subject, index, without_hindbrain=draw.photo)
    structures = patch.nearest(patch.structures)
    images = [_image(acquisition, patch, draw.photo, contrast) for acquisition in draw.acquisitions]
    return BrainItem(torch.stack(images), patch.linear(patch.target), structures, right)


def voxel_positions(
    placement: Placement, shape: tuple[int, int, int], affine: NDArray[np.float64]
) -> tuple[torch.Tensor, torch.Tensor]:
    """(3, X, Y, Z) voxel coordinates in the subject of every voxel of the patch; (X, Y, Z) which lie right of x = 0."""
    bend = smooth_field(placement.field, shape)
    if placement.integrated:
        bend = flow(bend)
    mirror = np.diag([-1.0 if placement.flip else 1.0, 1.0, 1.0])
    inverse = np.linalg.inv(affine)
    to_voxels = (inverse[:3, :3] @ placement.matrix @ mirror).astype(np.float32)
    start = (inverse[:3, :3] @ placement.centre + inverse[:3, 3]).astype(np.float32)
    axes = [torch.arange(n, dtype=torch.float32) - (n - 1) / 2 for n in shape]
    steps = [
        axis.view([-1 if k == i else 1 for k in range(3)]) + bend[i] for i, axis in enumerate(axes)
    ]  # the field bends the patch before the affine map places it
    index = torch.stack([_combined(to_voxels[k], steps) + float(start[k]) for k in range(3)])
    right = _combined(affine[0, :3], list(index)) + float(affine[0, 3]) > 0
    return index, ~right if placement.flip else right


def _combined(weights: NDArray[np.floating], parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """The weighted sum of three arrays that broadcast."""
    first, second, third = (float(w) * part for w, part in zip(weights, parts, strict=True))
    return first + second + third


def _image(acquisition: Acquisition, patch: _Patch, photo: bool, contrast: Draw) -> torch.Tensor:
    """One image: contrast, warp, gamma, bias, slice blur, coarser grid, noise, back to 1 mm, divided by its maximum."""
    rng = np.random.default_rng(acquisition.seed)
    drawn = draw_label_contrast(rng, bare=True) if photo else contrast(rng)
    image = patch.linear(paint(drawn, patch.codes, rng))
    image = apply_gamma_and_bias(acquisition.artefacts, image)
    taken = acquisition.resolution
    image = gaussian_blur(image, tuple(blur_sigma(t, taken.sharpness) for t in taken.thickness))
    image = add_noise(acquisition.artefacts, down_sample(image, taken.spacing), rng)
    image = resize(image, list(patch.shape))
    return image / image.max().clamp(min=1e-6)


class _Patch:
    """The part of a subject that a patch needs, and the sampling of it."""

    def __init__(self, subject: BrainSubject, index: torch.Tensor, *, without_hindbrain: bool) -> None:
        size = torch.tensor(subject.codes.shape)
        flat = index.flatten(1)
        low = (flat.min(1).values.floor().long() - 1).clamp(min=0)
        high = torch.minimum(flat.max(1).values.ceil().long() + 2, size)
        # A patch that lies off the grid altogether still has two planes to look at.
        low = torch.minimum(low, size - 2)
        high = torch.maximum(high, low + 2)
        cut = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        self.shape = tuple(index.shape[1:])
        self.codes, self.structures, self.target = (a[cut] for a in (subject.codes, subject.structures, subject.target))
        if without_hindbrain:
            gone = replace(subject, structures=self.structures).hindbrain
            self.codes, self.structures, self.target = (
                torch.where(gone, torch.zeros_like(a), a) for a in (self.codes, self.structures, self.target)
            )
        extent = (high - low - 1).float()
        moved = (index - low.float()[:, None, None, None]) / extent[:, None, None, None] * 2 - 1
        self._grid = moved.flip(0).movedim(0, -1)[None].contiguous()

    def linear(self, volume: torch.Tensor) -> torch.Tensor:
        """The volume of the cut at the patch's places, linear; 0 outside."""
        return grid_sample(volume[None, None].float(), self._grid, align_corners=True)[0, 0]

    def nearest(self, volume: torch.Tensor) -> torch.Tensor:
        """The same for labels: the nearest one."""
        found = grid_sample(volume[None, None].float(), self._grid, mode="nearest", align_corners=True)
        return found[0, 0].to(volume.dtype)
