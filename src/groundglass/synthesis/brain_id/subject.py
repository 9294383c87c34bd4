"""A subject to make images of: generation labels with partial volume, structures to learn, and a T1 as the target.

The authors make theirs from real scans by SynthStrip and SynthSeg. Here the MNI152 template is the one real anatomy,
and further subjects are it, bent by large smooth fields: people who do not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage as ndi

from groundglass.synthesis.brain_atlases import LABEL, STRUCTURES, BrainAtlas, brain_atlas, template_t1
from groundglass.synthesis.fields import coarse_noise, smooth_field

# Generation labels: whole numbers for what is pure, and 50 steps from white to grey and from grey to fluid.
WHITE, GREY, FLUID = 2, 3, 4
STEPS = 50
WHITE_TO_GREY, GREY_TO_FLUID = 150, 200
PURE_FLUID = GREY_TO_FLUID + STEPS
# A structure that is painted on its own has this much added to its value.
OWN = 10
# What lies outside of the brain: above all other labels, so that it can be taken away at once.
OUTSIDE_BRAIN = 256
LAYERS_MM = (2.0, 7.0, 9.0, 16.0)
LABEL_COUNT = OUTSIDE_BRAIN + len(LAYERS_MM)
# What each structure mostly consists of.
TISSUE = {
    **dict.fromkeys(STRUCTURES, "grey matter"),
    "background": "background",
    **dict.fromkeys(("cerebrospinal fluid", "lateral ventricle", "third ventricle", "fourth ventricle"), "fluid"),
    **dict.fromkeys(
        ("cerebral white matter", "cerebellar white matter", "brainstem", "globus pallidus"), "white matter"
    ),
}
_TISSUES = ("background", "fluid", "grey matter", "white matter")
_FLUIDS = tuple(LABEL[n] for n in ("lateral ventricle", "third ventricle", "fourth ventricle"))
_MIXED = tuple(LABEL[n] for n in ("cerebrospinal fluid", "cerebral cortex", "cerebral white matter"))


@dataclass(frozen=True)
class BrainSubject:
    """Arrays on one RAS grid of 1 mm (X, Y, Z); `affine` leads to MNI mm.

    `codes` (int16) are generation labels: WHITE, GREY, FLUID, 150 to 250 for their mixtures, OWN + structure, and from
    OUTSIDE_BRAIN on what surrounds the brain. `structures` (uint8) indexes `brain_atlases.STRUCTURES`. `target` is the
    skull-stripped T1, 1 in the median of white matter.
    """

    codes: torch.Tensor
    structures: torch.Tensor
    target: torch.Tensor
    affine: NDArray[np.float64]

    @property
    def hindbrain(self) -> torch.Tensor:
        """(X, Y, Z) bool: cerebellum, brainstem and fourth ventricle, which photographs of slabs leave out."""
        names = ("cerebellar cortex", "cerebellar white matter", "brainstem", "fourth ventricle")
        return torch.isin(self.structures, torch.tensor([LABEL[n] for n in names], dtype=torch.uint8))


@cache
def template_subject() -> BrainSubject:
    """The MNI152 template. Raises ConfigurationError where nilearn, which brings its tissue maps, is not installed."""
    atlas = brain_atlas()
    t1 = template_t1()
    target = np.where(atlas.labels > 0, t1 / np.median(t1[atlas.white > 0.95]), 0).astype(np.float32)
    return BrainSubject(
        torch.from_numpy(generation_labels(atlas)),
        torch.from_numpy(atlas.labels),
        torch.from_numpy(target),
        atlas.affine,
    )


def warped_subject(rng: np.random.Generator, *, std_mm: float = 5.0, spacing_mm: float = 40.0) -> BrainSubject:
    """The template bent by a smooth field of `std_mm` on a grid of `spacing_mm`: another subject on the same grid."""
    template = template_subject()
    shape = template.codes.shape
    field = smooth_field(coarse_noise(rng, 3, shape, spacing=spacing_mm, std=std_mm), shape).numpy()
    moved = np.indices(shape, dtype=np.float32) + field
    nearest = [
        torch.from_numpy(ndi.map_coordinates(array.numpy(), moved, order=0))
        for array in (template.codes, template.structures)
    ]
    target = torch.from_numpy(ndi.map_coordinates(template.target.numpy(), moved, order=1))
    return BrainSubject(nearest[0], nearest[1], target * (nearest[1] > 0), template.affine)


def generation_labels(atlas: BrainAtlas) -> NDArray[np.int16]:
    """(X, Y, Z) labels to paint: mixtures where tissue shares say so, layers of a head around the brain."""
    codes = np.where(atlas.labels > 0, atlas.labels.astype(np.int16) + OWN, 0).astype(np.int16)
    mixed = np.isin(atlas.labels, _MIXED)
    codes[mixed] = _mixtures(atlas.grey[mixed], atlas.white[mixed])
    codes[np.isin(atlas.labels, _FLUIDS)] = PURE_FLUID
    outside = atlas.labels == 0
    layer = np.searchsorted(LAYERS_MM, atlas.depth)
    head = outside & (layer < len(LAYERS_MM))
    codes[head] = OUTSIDE_BRAIN + layer[head]
    return codes


def _mixtures(grey: NDArray[np.float32], white: NDArray[np.float32]) -> NDArray[np.int16]:
    """Labels of tissue shares: along white - grey - fluid, by the two that a voxel has most of."""
    fluid = np.clip(1 - grey - white, 0, 1)
    towards_grey = grey / np.maximum(grey + white, 1e-6)
    towards_fluid = fluid / np.maximum(grey + fluid, 1e-6)
    steps = np.where(fluid > white, GREY_TO_FLUID + STEPS * towards_fluid, WHITE_TO_GREY + STEPS * towards_grey)
    return np.round(steps).astype(np.int16)


def tissues(structures: torch.Tensor) -> torch.Tensor:
    """Structures (any shape) as 0 background, 1 fluid, 2 grey matter, 3 white matter."""
    table = torch.tensor([_TISSUES.index(TISSUE[name]) for name in STRUCTURES], dtype=torch.uint8)
    return table[structures.long()]
