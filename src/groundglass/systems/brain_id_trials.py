"""The trainings and the people of Brain-ID's proof: slices of 2 mm, whole across, of the template deformed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, normalize

from groundglass.learn import NumberedBatches, Plan, train
from groundglass.learn.objectives.dice_and_cross_entropy import dice_and_cross_entropy
from groundglass.learn.objectives.edges_and_values import edges_and_values
from groundglass.learn.objectives.same_places import same_places
from groundglass.nets.feature_unet import FeatureUNet
from groundglass.synthesis import coarse_noise
from groundglass.synthesis.brain_id import (
    Views,
    draw_item,
    draw_label_contrast,
    moved_views,
    render_item,
    template_subject,
    tissue_contrast,
    tissues,
    unmoved,
)
from groundglass.synthesis.brain_id.generator import Draw

FILTERS = (16, 32, 64, 128)
# Slabs of 1 mm whose every second slice is taken; views are what is left of a slice of 2 mm.
SLABS, SLAB, MARGIN = 150, (176, 208, 16), 16
STEPS, VIEWS, AT_ONCE, WEIGHT, TEMPERATURE = 600, 4, 4, 0.1, 0.05
# Means of white matter, grey matter and fluid (of 225).
CONTRASTS = {"T1": (190, 125, 45), "T2": (80, 115, 215), "FLAIR": (105, 135, 30), "CT": (95, 110, 75)}
NAMES = ("background", "fluid", "grey matter", "white matter")


@dataclass(frozen=True)
class Slices:
    """`images` (N, V, X, Y) in V contrasts, `target` (N, X, Y) T1, `labels` (N, X, Y) of NAMES; pixels of 2 mm."""

    images: torch.Tensor
    target: torch.Tensor
    labels: torch.Tensor


def slabs(seed: int, *, contrast: Draw = draw_label_contrast, mild: bool = True) -> list[Slices]:
    """SLABS deformed slabs, each in VIEWS contrasts; `mild` False makes all of them severe."""
    found = []
    for number in range(SLABS):
        # With twice the images the second half, the severe one, is VIEWS.
        draw = draw_item(np.random.default_rng([seed, number]), SLAB, images=VIEWS if mild else 2 * VIEWS)
        draw = replace(draw, acquisitions=draw.acquisitions[-VIEWS:])
        item = render_item(draw, template_subject(), contrast=contrast)
        found.append(_coarse(item.images, item.target, item.structures, slice(None, None, 2)))
    return found


def _coarse(images: torch.Tensor, target: torch.Tensor, structures: torch.Tensor, chosen: slice) -> Slices:
    """The `chosen` axial slices of a slab (V, X, Y, Z), in pixels of 2 mm."""
    return Slices(
        avg_pool2d(images[..., chosen].movedim(-1, 0), 2),
        avg_pool2d(target[..., chosen].movedim(-1, 0), 2),
        tissues(structures[::2, ::2, chosen].movedim(-1, 0)),
    )


@dataclass
class ViewBatches(NumberedBatches[list[Views]]):
    """AT_ONCE sets of VIEWS moved views a batch. Without `shared` every set holds two anatomies, each twice the same
    image: what is left of the method where no anatomy is seen in two contrasts."""

    held: Sequence[Slices]
    seed: int
    shared: bool = True

    def batch(self, number: int) -> list[Views]:
        rng = self.generator(number)
        return [self._shared(rng) if self.shared else self._alone(rng) for _ in range(AT_ONCE)]

    def _slice(self, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        slab = self.held[int(rng.integers(len(self.held)))]
        level = int(rng.integers(len(slab.images)))
        return slab.images[level], slab.target[level].expand(VIEWS, -1, -1)

    def _shared(self, rng: np.random.Generator) -> Views:
        return moved_views(rng, *self._slice(rng), margin=MARGIN)

    def _alone(self, rng: np.random.Generator) -> Views:
        images, targets = zip(*(self._slice(rng) for _ in range(VIEWS // 2)), strict=True)
        one = [image[int(rng.integers(VIEWS))].expand(2, -1, -1) for image in images]
        two = [target[:2] for target in targets]
        return moved_views(rng, torch.cat(one), torch.cat(two), margin=MARGIN, pair=(0, 1))


def new_network() -> nn.Module:
    """(B, 1, X, Y) -> (B, FILTERS[0], X, Y)."""
    return FeatureUNet(dims=2, filters=FILTERS)


def trained_network(folder: Path, seed: int, held: Sequence[Slices], *, shared: bool = True) -> nn.Module:
    """A feature network, trained to give the T1 through one layer, and the same features to the same places."""
    torch.manual_seed(seed)
    net = new_network()
    both = nn.ModuleDict({"net": net, "head": nn.Conv2d(FILTERS[0], 1, 1)})
    plan = Plan(steps=STEPS, learning_rate=2e-3, weight_decay=1e-4, warmup=25, precision="bf16", average=0.98,
                checkpoint_every=STEPS, seed=seed)  # fmt: skip

    def objective(model: nn.Module, batch: list[Views]) -> torch.Tensor:
        parts: Any = model
        found = normalize(parts["net"](torch.cat([views.images for views in batch])).float(), dim=1)
        loss = edges_and_values(parts["head"](found), torch.cat([views.targets for views in batch]))
        alike = [
            same_places(f, views.places, temperature=TEMPERATURE)
            for f, views in zip(found.split(VIEWS), batch, strict=True)
        ]
        return loss + WEIGHT * torch.stack(alike).mean()

    train(both, ViewBatches(held, seed, shared=shared), objective, plan, folder=folder)
    return net.eval()


def segmenter(people: Sequence[Slices], view: int, folder: Path) -> nn.Module:
    """The same network with a head for tissues, trained on one contrast of these people alone."""
    torch.manual_seed(0)
    model = nn.Sequential(FeatureUNet(dims=2, filters=FILTERS), nn.Conv2d(FILTERS[0], len(NAMES), 1))
    batches = [(person_.images[:, view, None], person_.labels) for person_ in people]
    plan = Plan(steps=300, learning_rate=2e-3, warmup=10, checkpoint_every=300, seed=0)
    train(model, batches, lambda m, b: dice_and_cross_entropy(m(b[0]), b[1]), plan, folder=folder)
    return model.eval().requires_grad_(False)


def person(seed: int) -> Slices:
    """Four axial slices of a deformed template in each of CONTRASTS, mildly imperfect."""
    rng = np.random.default_rng(seed)
    bend = coarse_noise(rng, 3, (160, 192, 160), spacing=40, std=5.0)
    found = []
    for level in (-6.0, 8.0, 22.0, 36.0):
        # A thin slab, of which one slice is used: fields need a few voxels to be smooth in.
        draw = draw_item(rng, (160, 192, 4), images=1)
        node = int(np.clip(round((level + 80) / 40), 0, bend.shape[3] - 1))
        placed = unmoved(np.array([0.0, -18.0, level]), field=bend[..., node : node + 1].repeat(2, axis=3))
        draw = replace(draw, placement=placed, photo=False)
        fine = replace(draw.acquisitions[0].resolution, spacing=(1.0,) * 3, thickness=(1.0,) * 3)
        draw = replace(draw, acquisitions=(replace(draw.acquisitions[0], resolution=fine),))
        items = [
            render_item(draw, template_subject(), contrast=lambda _rng, m=means: tissue_contrast(*m))
            for means in CONTRASTS.values()
        ]
        images = torch.cat([item.images for item in items])
        found.append(_coarse(images, items[0].target, items[0].structures, slice(2, 3)))
    return Slices(*(torch.cat([getattr(f, name) for f in found]) for name in ("images", "target", "labels")))
