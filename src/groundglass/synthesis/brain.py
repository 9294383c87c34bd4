"""Training items for brain MR of any contrast, made from a label atlas or two (Brain-ID's generator).

What differs from the paper (Liu et al., ECCV 2024, arXiv 2311.16914): partial volume comes from a slight blur of the
drawn image, not from fractional labels; "photo" mode is left out; ventricle width, sulcal width, other gyri, lesions
and the tissue around the brain are drawn, since there are few templates; tied contrasts (see brain_contrast).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch

from groundglass.learn import NumberedBatches
from groundglass.synthesis.brain_anatomy import apply_anatomy, draw_anatomy
from groundglass.synthesis.brain_artefacts import Grade, add_noise, apply_gamma_and_bias, draw_graded_artefacts
from groundglass.synthesis.brain_atlases import BrainAtlas, brain_atlas
from groundglass.synthesis.brain_contrast import Contrast, apply_contrast, draw_contrast
from groundglass.synthesis.brain_deformation import registered_positions
from groundglass.synthesis.normalise import normalise_brain
from groundglass.synthesis.resolution import Resolution, blur_sigma, down_sample, draw_resolution, gaussian_blur, resize
from groundglass.synthesis.share_maps import ShareMaps, halved

# The images of one anatomy. The paper has two mild and two severe ones; most real scans lie between.
GRADES: tuple[Grade, ...] = ("mild", "middling", "middling", "severe")
IMAGES = len(GRADES)
FINE = Resolution((1.0, 1.0, 1.0), (1.0, 1.0, 1.0))


def extent_mm(shape: tuple[int, ...], voxel: float) -> tuple[int, ...]:
    """Size in whole mm of a patch of `shape` voxels."""
    return tuple(round(n * voxel) for n in shape)


def render(
    seen: torch.Tensor,
    rng: np.random.Generator,
    *,
    grade: Grade = "middling",
    voxel: float = 1.0,
    contrast: Contrast | None = None,
    resolution: Resolution | None = None,
) -> torch.Tensor:
    """An image (X, Y, Z), normalised, of a map of seen labels: contrast, artefacts, resolution in the card's order."""
    shape = tuple(seen.shape)
    drawn = draw_contrast(rng) if contrast is None else contrast
    image = gaussian_blur(apply_contrast(drawn, seen, rng), (float(rng.uniform(0.3, 0.8)),) * 3)
    artefacts = draw_graded_artefacts(rng, extent_mm(shape, voxel), grade)
    image = apply_gamma_and_bias(artefacts, image)
    resolution = resolution or draw_resolution(rng)
    image = gaussian_blur(image, tuple(blur_sigma(t, resolution.sharpness) / voxel for t in resolution.thickness))
    image = add_noise(artefacts, down_sample(image, tuple(max(1.0, s / voxel) for s in resolution.spacing)), rng)
    image = resize(image, list(shape))
    if drawn.mean[0] == 0 and rng.random() < 0.7:
        # Skull-stripped files and magnitude images masked by the vendor have exact zeros outside.
        image = torch.where(seen > 0, image, torch.zeros_like(image))
    return normalise_brain(image)


@dataclass
class BrainBatches(NumberedBatches[dict[str, torch.Tensor]]):
    """Endless batches of one patch.

    image (1, 1, *shape), structures (1, *shape) and expected (1, classes, *shape / 2): the shares that an imperfect
    affine registration of `maps` expects. As in the paper four images share each anatomy (`GRADES`); anatomies are made
    from `atlases` in turn. Batch n depends on `seed` and n alone.
    """

    maps: ShareMaps
    shape: tuple[int, int, int] = (64, 64, 64)
    voxel: float = 1.0
    seed: int = 0
    draw: Callable[[np.random.Generator], Contrast] = draw_contrast
    atlases: tuple[BrainAtlas, ...] = field(default_factory=lambda: (brain_atlas(),))

    def __post_init__(self) -> None:
        # The images of one anatomy follow one another: it is drawn once.
        self._subject = lru_cache(1)(self._drawn)

    def batch(self, number: int) -> dict[str, torch.Tensor]:
        subject, part = divmod(number, IMAGES)
        seen, structures, expected = self._subject(subject)
        paint = self.generator(subject, part)
        # The first two are fine, or half of a short training would go by on what nobody can see.
        resolution = FINE if part < 2 else None
        image = render(
            seen, paint, grade=GRADES[part], voxel=self.voxel, contrast=self.draw(paint), resolution=resolution
        )
        return {"image": image[None, None], "structures": structures[None], "expected": expected}

    def _drawn(self, subject: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Labels seen, labels to learn and the shares expected there."""
        anatomy = draw_anatomy(self.generator(subject), extent_mm(self.shape, self.voxel))
        atlas = self.atlases[subject % len(self.atlases)]
        seen, structures, _ = apply_anatomy(anatomy, atlas, self.shape, voxel=self.voxel)
        registered = registered_positions(anatomy.deformation, self.shape, voxel=self.voxel)
        return seen, structures, self.maps.at(halved(registered))[None]
