"""Label patches of brains that do not exist: the atlas deformed, atrophied, refolded, in a head or without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.synthesis.brain_atlases import LABEL, BrainAtlas
from groundglass.synthesis.brain_deformation import Deformation, atlas_positions, draw_deformation, move_ventricle_walls
from groundglass.synthesis.fields import coarse_noise, smooth_field

# Values above the structures are tissue outside of the brain: seen in the image, background for the network.
OUTER_FLUID, SKULL, MARROW, SCALP, FACE, LESION = 14, 15, 16, 17, 21, 25
FACE_KINDS, LESION_KINDS = 4, 3
PLEXUS = LESION + LESION_KINDS
LABEL_COUNT = PLEXUS + 1
CORTEX, WHITE, FLUID = LABEL["cerebral cortex"], LABEL["cerebral white matter"], LABEL["cerebrospinal fluid"]


@dataclass(frozen=True)
class Anatomy:
    """One draw: deformation, tissue biases (smooth), folding, head and lesions. Coarse arrays, applied later."""

    deformation: Deformation
    fluid_bias: NDArray[np.float32]
    fluid_offset: float
    white_offset: float
    folds: NDArray[np.float32] | None
    fold_width: float
    fold_depth: float
    thickness: float
    plexus: NDArray[np.float32] | None
    head: bool
    rim: bool
    layers: tuple[float, float, float]
    ripple: NDArray[np.float32]
    face: NDArray[np.float32]
    lesions: NDArray[np.float32] | None
    lesion_level: float


def draw_anatomy(rng: np.random.Generator, extent: tuple[int, ...], *, head_probability: float = 0.5) -> Anatomy:
    """Draw an anatomy for a patch of `extent` mm."""
    folded = rng.random() < 0.45
    diseased = rng.random() < 0.4
    return Anatomy(
        deformation=draw_deformation(rng, extent),
        fluid_bias=coarse_noise(rng, 2, extent, spacing=rng.uniform(20, 50), std=0.15),
        fluid_offset=float(rng.uniform(-0.2, 0.3)),
        # Averaging many people makes the template's cortex thick: most draws are thinner.
        white_offset=float(rng.uniform(-0.1, 0.35)),
        folds=coarse_noise(rng, 1, extent, spacing=rng.uniform(6, 11), std=1.0) if folded else None,
        fold_width=float(rng.uniform(0.3, 1.6)),
        fold_depth=float(rng.uniform(14, 30)),
        thickness=float(rng.uniform(2.1, 3.5)),
        plexus=coarse_noise(rng, 1, extent, spacing=rng.uniform(4, 9), std=1.0) if rng.random() < 0.6 else None,
        head=bool(rng.random() < head_probability),
        rim=bool(rng.random() < 0.3),
        layers=(float(rng.uniform(-0.5, 6)), float(rng.uniform(2, 9)), float(rng.uniform(2, 10))),
        ripple=coarse_noise(rng, 1, extent, spacing=rng.uniform(12, 40), std=rng.uniform(0, 2.5)),
        face=coarse_noise(rng, FACE_KINDS, extent, spacing=rng.uniform(8, 20), std=1.0),
        lesions=coarse_noise(rng, LESION_KINDS, extent, spacing=rng.uniform(6, 30), std=1.0) if diseased else None,
        lesion_level=float(rng.uniform(1.3, 2.4)),
    )


def apply_anatomy(
    anatomy: Anatomy, atlas: BrainAtlas, shape: tuple[int, int, int], *, voxel: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(seen, structures, right): labels with head and lesions, labels to learn, and the right half; each (X, Y, Z).

    `right` is decided by the atlas's own mid-plane, so a mirrored patch has its sides swapped by construction.
    """
    positions = atlas_positions(anatomy.deformation, shape, voxel=voxel)
    maps = _Maps.of(atlas)
    geometry = maps.distances(positions)
    right = positions[0] > 0
    if anatomy.deformation.flip:
        right = ~right
    moved, widened = move_ventricle_walls(positions, geometry[1], geometry[2:5], anatomy.deformation.widening)
    structures = maps.labels(moved)
    tissue = maps.tissue(moved)
    structures = _rebalance(anatomy, structures, tissue, shape)
    depth = geometry[0]
    if anatomy.folds is not None:
        structures = _fold(anatomy, structures, depth, geometry[1], voxel)
    eaten = (structures == WHITE) | (structures == CORTEX) | (structures == LABEL["caudate nucleus"])
    structures[widened & eaten & (moved[0].abs() > 0.6)] = LABEL["lateral ventricle"]
    seen = structures.clone()
    if anatomy.lesions is not None:
        _add_lesions(anatomy, seen, shape)
    if anatomy.plexus is not None:
        # Choroid plexus or pulsating fluid: neither looks like fluid in every sequence, both are part of the ventricle.
        seen[(structures == LABEL["lateral ventricle"]) & (smooth_field(anatomy.plexus, shape)[0] > 0.75)] = PLEXUS
    if anatomy.head:
        _add_head(anatomy, seen, structures, depth, positions, shape)
    elif anatomy.rim:
        # Skull stripping that keeps some of the fluid around the brain.
        seen[(structures == 0) & (depth < max(anatomy.layers[0] / 2, 0.0))] = OUTER_FLUID
    structures[seen == OUTER_FLUID] = FLUID
    return seen, structures, right


def _rebalance(
    anatomy: Anatomy, structures: torch.Tensor, tissue: torch.Tensor, shape: tuple[int, int, int]
) -> torch.Tensor:
    """Wider or narrower sulci, thicker or thinner cortex: the tissue shares compete with smooth random biases."""
    bias = smooth_field(anatomy.fluid_bias, shape)
    grey, white = tissue[0], tissue[1]
    fluid = (1 - grey - white) + anatomy.fluid_offset + bias[0]
    white = white + anatomy.white_offset + bias[1]
    for cortex, matter in ((CORTEX, WHITE), (LABEL["cerebellar cortex"], LABEL["cerebellar white matter"])):
        here = (structures == cortex) | (structures == matter)
        structures = torch.where(here, torch.where(white > grey, matter, cortex).to(structures.dtype), structures)
        structures[here & (fluid > grey) & (fluid > white)] = FLUID
    return structures


def _fold(
    anatomy: Anatomy,
    structures: torch.Tensor,
    depth: torch.Tensor,
    ventricle: torch.Tensor,
    voxel: float,
) -> torch.Tensor:
    """Other gyri: sulci are the zero sheets of a smooth field, the cortex follows them at its thickness."""
    field = smooth_field(anatomy.folds, tuple(structures.shape))[0]
    slope = sum(g.square() for g in torch.gradient(field, spacing=voxel)).sqrt()
    sheet = field.abs() / slope.clamp(min=0.03)
    fits = ((structures == CORTEX) | (structures == WHITE) | (structures == FLUID)) & (ventricle > 8) & (depth < 0)
    inner = depth < -anatomy.fold_depth
    sheet = torch.where(inner, torch.full_like(sheet, 99.0), sheet)
    nearest = torch.minimum(sheet - anatomy.fold_width * 0.6, -depth)
    folded = torch.where(nearest < anatomy.thickness, CORTEX, WHITE).to(structures.dtype)
    folded[sheet < anatomy.fold_width * 0.6] = FLUID
    keep = inner & (structures != FLUID)
    return torch.where(fits & ~keep, folded, structures)


def _add_lesions(anatomy: Anatomy, seen: torch.Tensor, shape: tuple[int, int, int]) -> None:
    blobs = smooth_field(anatomy.lesions, shape)
    for kind in range(LESION_KINDS):
        where = (seen == WHITE) if kind < 2 else (seen > FLUID) & (seen < OUTER_FLUID)
        seen[where & (blobs[kind] > anatomy.lesion_level * (1 if kind < 2 else 1.3) * 0.6)] = LESION + kind


def _add_head(
    anatomy: Anatomy,
    seen: torch.Tensor,
    structures: torch.Tensor,
    depth: torch.Tensor,
    positions: torch.Tensor,
    shape: tuple[int, int, int],
) -> None:
    """Layers outside: fluid, bone, marrow in it, scalp; below and in front of the brain mixed tissue and air."""
    fluid, bone, skin = anatomy.layers
    outside = structures == 0
    d = depth + smooth_field(anatomy.ripple, shape)[0]
    edge = max(fluid, 0.0)
    head = outside & (d < edge + bone + skin)
    face_kinds = smooth_field(anatomy.face, shape).argmax(0).to(seen.dtype)
    x, y, z = positions
    low = z < -22 - 0.25 * (y - 20).clamp(min=-60)
    face = outside & low & (d > edge) & ((x / 72) ** 2 + ((y - 5) / 92) ** 2 < 1)
    seen[head] = SCALP
    seen[outside & (d < edge + bone)] = SKULL
    seen[outside & ((d - edge - bone / 2).abs() < bone * 0.22)] = MARROW
    seen[face] = FACE + face_kinds[face]
    seen[outside & (d < edge)] = OUTER_FLUID
    eyes = outside & ((x.abs() - 33) ** 2 + (y - 62) ** 2 + (z + 36) ** 2 < 144)
    seen[eyes] = SCALP + 1
    seen[outside & (seen == FACE) & (d < edge + bone)] = SKULL


class _Maps:
    """Atlas arrays as tensors for grid_sample, made once."""

    _held: ClassVar[dict[int, _Maps]] = {}

    @classmethod
    def of(cls, atlas: BrainAtlas) -> _Maps:
        if id(atlas) not in cls._held:
            cls._held[id(atlas)] = cls(atlas)
        return cls._held[id(atlas)]

    def __init__(self, atlas: BrainAtlas) -> None:
        self.origin = torch.from_numpy(atlas.affine[:3, 3].astype(np.float32))
        self.extent = torch.tensor(atlas.labels.shape, dtype=torch.float32) - 1
        self._labels = torch.from_numpy(atlas.labels)
        self._tissue = torch.from_numpy(np.stack([atlas.grey, atlas.white]))[None]
        # Distances are smooth, so half the resolution will do.
        stack = np.concatenate([atlas.depth[None], atlas.ventricle[None], atlas.outward])[:, ::2, ::2, ::2]
        self._distances = torch.from_numpy(np.ascontiguousarray(stack))[None]
        self._distance_extent = (torch.tensor(stack.shape[1:], dtype=torch.float32) - 1) * 2

    def _sample(self, volume: torch.Tensor, positions: torch.Tensor, extent: torch.Tensor) -> torch.Tensor:
        index = (positions.movedim(0, -1) - self.origin) / extent * 2 - 1
        grid = index.flip(-1)[None]
        return torch.nn.functional.grid_sample(volume, grid, padding_mode="border", align_corners=True)[0]

    def distances(self, positions: torch.Tensor) -> torch.Tensor:
        """(5, ...): signed mm to the brain's surface, to the ventricles, and the latter's direction."""
        return self._sample(self._distances, positions, self._distance_extent)

    def tissue(self, positions: torch.Tensor) -> torch.Tensor:
        """(2, ...) shares of grey and white matter."""
        return self._sample(self._tissue, positions, self.extent)

    def labels(self, positions: torch.Tensor) -> torch.Tensor:
        """(...) nearest label; background off the atlas."""
        index = (positions - self.origin[:, None, None, None]).round().long()
        inside = torch.ones(index.shape[1:], dtype=torch.bool)
        for axis, size in enumerate(self._labels.shape):
            inside &= (index[axis] >= 0) & (index[axis] < size)
            index[axis].clamp_(0, size - 1)
        found = self._labels[index[0], index[1], index[2]]
        return torch.where(inside, found, torch.zeros_like(found))
