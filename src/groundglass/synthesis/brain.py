"""Training items for brain MR of any contrast, made from one label atlas (Brain-ID's generator, one subject).

What differs from the paper (Liu et al., ECCV 2024, arXiv 2311.16914): partial volume comes from a slight blur of the
drawn image, not from fractional labels; "photo" mode is left out; ventricle width, sulcal width, other gyri, lesions
and the tissue around the brain are drawn, since there is one template; tied contrasts (see brain_contrast).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from groundglass.synthesis.brain_anatomy import apply_anatomy, draw_anatomy
from groundglass.synthesis.brain_artefacts import add_noise, apply_gamma_and_bias, draw_artefacts
from groundglass.synthesis.brain_atlas import BrainAtlas, brain_atlas
from groundglass.synthesis.brain_contrast import Contrast, apply_contrast, draw_contrast
from groundglass.synthesis.normalise import normalise_brain
from groundglass.synthesis.resolution import blur_sigma, down_sample, draw_resolution, gaussian_blur, resize


def extent_mm(shape: tuple[int, ...], voxel: float) -> tuple[int, ...]:
    """Size in whole mm of a patch of `shape` voxels."""
    return tuple(round(n * voxel) for n in shape)


def render(
    seen: torch.Tensor, rng: np.random.Generator, *, severe: bool, voxel: float = 1.0, contrast: Contrast | None = None
) -> torch.Tensor:
    """An image (X, Y, Z), normalised, of a map of seen labels: contrast, artefacts, resolution in the card's order."""
    shape = tuple(seen.shape)
    drawn = draw_contrast(rng) if contrast is None else contrast
    image = gaussian_blur(apply_contrast(drawn, seen, rng), (float(rng.uniform(0.3, 0.8)),) * 3)
    artefacts = draw_artefacts(rng, extent_mm(shape, voxel), severe=severe)
    image = apply_gamma_and_bias(artefacts, image)
    resolution = draw_resolution(rng)
    image = gaussian_blur(image, tuple(blur_sigma(t, resolution.sharpness) / voxel for t in resolution.thickness))
    image = add_noise(artefacts, down_sample(image, tuple(max(1.0, s / voxel) for s in resolution.spacing)), rng)
    image = resize(image, list(shape))
    if drawn.mean[0] == 0 and rng.random() < 0.7:
        # Skull-stripped files and magnitude images masked by the vendor have exact zeros outside.
        image = torch.where(seen > 0, image, torch.zeros_like(image))
    return normalise_brain(image)


@dataclass
class BrainBatches(torch.utils.data.IterableDataset):
    """Endless batches of one patch: image (1, 1, *shape), structures (1, *shape), right half (1, *shape).

    Two images, one mild and one severe, share each anatomy. `item` n depends on `seed` and n alone.
    """

    shape: tuple[int, int, int] = (80, 96, 80)
    voxel: float = 2.0
    seed: int = 0
    start: int = 0
    contrast: Contrast | None = None
    atlas: BrainAtlas = field(default_factory=brain_atlas)

    def starting_at(self, count: int) -> BrainBatches:
        """The same stream without its first `count` batches."""
        return BrainBatches(self.shape, self.voxel, self.seed, self.start + count, self.contrast, self.atlas)

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        number = self.start
        while True:
            subject = number // 2
            rng = np.random.default_rng([self.seed, subject])
            anatomy = draw_anatomy(rng, extent_mm(self.shape, self.voxel))
            seen, structures, right = apply_anatomy(anatomy, self.atlas, self.shape, voxel=self.voxel)
            for part in range(number % 2, 2):
                paint = np.random.default_rng([self.seed, subject, part])
                image = render(seen, paint, severe=part == 1, voxel=self.voxel, contrast=self.contrast)
                yield {"image": image[None, None], "structures": structures[None], "right": right[None]}
                number += 1
