"""Brain-ID (arXiv 2311.16914): features of every voxel of a brain that stay the same whatever the contrast.

The generator is the card's in full (`groundglass.synthesis.brain_id`): several images of one deformed subject share one
target, the subject's T1. The features are the last map of a U-Net (`nets.feature_unet`); one layer on top gives the T1
(`learn.objectives.edges_and_values`), or a segmentation (`learn.pixel_probe`). What differs here: the proof runs in two
dimensions, on slices, with 16 to 128 features instead of 64 to 1,024, for a few hundred steps; the one real anatomy is
the MNI152 template, and its random deformations stand for people. Super-resolution and bias-field heads are not run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import normalize

from groundglass.learn import NumberedBatches, Plan, train
from groundglass.learn.objectives.dice_and_cross_entropy import dice_and_cross_entropy
from groundglass.learn.objectives.edges_and_values import edges_and_values
from groundglass.learn.pixel_probe import fit_pixel_probe
from groundglass.nets.feature_unet import FeatureUNet
from groundglass.synthesis import blur_sigma, coarse_noise, gaussian_blur
from groundglass.synthesis.brain_id import (
    BrainItem,
    LabelContrast,
    draw_item,
    draw_label_contrast,
    paint,
    render_item,
    template_subject,
    tissue_contrast,
    tissues,
    unmoved,
)
from groundglass.systems.proof import Claim, Proof

ENTRY = "groundglass.synthesis.brain_id.BrainItems; groundglass.nets.feature_unet"
SEEDS = (0, 1, 2)
# Thin slabs, of which one slice is used: fields need a few voxels to be smooth in.
SHAPE, SEEN, SLICE = (96, 96, 4), (160, 192, 4), 2
FILTERS, STEPS = (16, 32, 64, 128), 300
# Means of white matter, grey matter and fluid (of 225).
CONTRASTS = {"T1": (190, 125, 45), "T2": (80, 115, 215), "FLAIR": (105, 135, 30), "CT": (95, 110, 75)}
NAMES = ("background", "fluid", "grey matter", "white matter")
HELD_OUT, SHOWN = 3, 5


class Slices(NumberedBatches[dict[str, torch.Tensor]]):
    """Slices of items: image (N, 1, X, Y), target (N or 1, 1, X, Y).

    `shared` False gives every image an item, so a target, of its own; `mild` False makes all images severe.
    """

    def __init__(self, seed: int, *, contrast: Callable[..., LabelContrast], shared: bool = True, mild: bool = True):
        self.seed, self._contrast, self._shared, self._mild = seed, contrast, shared, mild

    def batch(self, number: int) -> dict[str, torch.Tensor]:
        rng = self.generator(number)
        items = [self._item(rng)] if self._shared else [self._item(rng, only=k) for k in range(4)]
        images = torch.cat([item.images[:, None, ..., SLICE] for item in items])
        return {"image": images, "target": torch.stack([item.target[None, ..., SLICE] for item in items])}

    def _item(self, rng: np.random.Generator, only: int | None = None) -> BrainItem:
        # With eight images the second half, the severe one, is four.
        draw = draw_item(rng, SHAPE, images=4 if self._mild else 8)
        taken = draw.acquisitions[-4:]
        draw = replace(draw, acquisitions=taken if only is None else taken[only : only + 1])
        return render_item(draw, template_subject(), contrast=self._contrast)


def prove(workdir: Path, data: Path | None) -> Proof:
    """Card 28's four checks."""
    torch.set_num_threads(1)
    people = [person(seed) for seed in range(100, 100 + SHOWN + HELD_OUT)]
    shown, held = people[:SHOWN], people[SHOWN:]
    runs = {s: features_net(workdir / f"shared-{s}", s) for s in SEEDS}
    one = features_net(workdir / "t1", 0, contrast=lambda _rng: tissue_contrast(*CONTRASTS["T1"]))
    torch.manual_seed(0)
    untrained = FeatureUNet(dims=2, filters=FILTERS).eval()
    return Proof(
        28,
        (
            *_robustness(runs[0], one, untrained, held),
            _transfer(runs[0], shown, held, workdir),
            *_ablations(runs, held, workdir),
            *_moments(),
        ),
        SEEDS,
        ("MNI152 2009a template (nilearn), randomly deformed",),
        ("in two dimensions with narrow networks: a reduced form of the card's check",),
    )


def features_net(folder: Path, seed: int, *, contrast: Callable[..., LabelContrast] = draw_label_contrast,
                 shared: bool = True, mild: bool = True) -> FeatureUNet:  # fmt: skip
    """A feature network, trained to give the T1 through one layer."""
    torch.manual_seed(seed)
    net = FeatureUNet(dims=2, filters=FILTERS)
    both = nn.ModuleDict({"net": net, "head": nn.Conv2d(FILTERS[0], 1, 1)})
    plan = Plan(steps=STEPS, learning_rate=2e-3, weight_decay=1e-4, warmup=20, checkpoint_every=STEPS, seed=seed)

    def objective(model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return edges_and_values(model["head"](model["net"](batch["image"])), batch["target"])  # type: ignore[index]

    train(both, Slices(seed, contrast=contrast, shared=shared, mild=mild), objective, plan, folder=folder)
    return net.eval()


def person(seed: int) -> dict[str, BrainItem]:
    """Four axial slabs (4, X, Y, Z) of a deformed template in each of CONTRASTS, mildly imperfect."""
    rng = np.random.default_rng(seed)
    bend = coarse_noise(rng, 3, (160, 192, 160), spacing=40, std=5.0)
    found: dict[str, list[BrainItem]] = {name: [] for name in CONTRASTS}
    for level in (-6.0, 8.0, 22.0, 36.0):
        draw = draw_item(rng, SEEN, images=1)
        node = int(np.clip(round((level + 80) / 40), 0, bend.shape[3] - 1))
        placed = unmoved(np.array([0.0, -18.0, level]), field=bend[..., node : node + 1].repeat(2, axis=3))
        draw = replace(draw, placement=placed, photo=False)
        fine = replace(draw.acquisitions[0].resolution, spacing=(1.0,) * 3, thickness=(1.0,) * 3)
        draw = replace(draw, acquisitions=(replace(draw.acquisitions[0], resolution=fine),))
        for name, means in CONTRASTS.items():
            item = render_item(draw, template_subject(), contrast=lambda _rng, m=means: tissue_contrast(*m))
            found[name].append(item)
    return {name: _stacked(items) for name, items in found.items()}


def _stacked(items: list[BrainItem]) -> BrainItem:
    return BrainItem(
        torch.cat([i.images for i in items]), *(torch.stack([getattr(i, k) for i in items]) for k in
                                                 ("target", "structures", "right"))
    )  # fmt: skip


@torch.no_grad()
def features(net: nn.Module, item: BrainItem) -> torch.Tensor:
    """(4, F, X, Y) features of unit norm."""
    return normalize(net(item.images[:, None, ..., SLICE]), dim=1)


def _robustness(net: nn.Module, one: nn.Module, untrained: nn.Module, held: list[dict[str, BrainItem]]) -> list[Claim]:
    """Check 1: the same features in every contrast, and still different from place to place."""
    spread = {name: spread_between(n, held) for name, n in (("all", net), ("T1 only", one), ("untrained", untrained))}
    bound = 0.5 * min(spread["T1 only"], spread["untrained"])
    error = matching_error(net, held)
    return [
        Claim("pairwise L1 of unit features between contrasts of one person", spread["all"],
              "<= half of the network trained on T1 only and of the untrained one", spread["all"] <= bound,
              baseline=min(spread["T1 only"], spread["untrained"]), simulated=True,
              detail={"T1 only": spread["T1 only"], "untrained": spread["untrained"]}),
        Claim("median error of matching places across contrasts by nearest feature (pixels)", error, "< 3", error < 3,
              baseline=matching_error(untrained, held), simulated=True),
    ]  # fmt: skip


def spread_between(net: nn.Module, people: list[dict[str, BrainItem]]) -> float:
    """Mean over pairs of contrasts, people and brain pixels of the L1 distance of their features."""
    found = []
    for contrasts in people:
        maps = {name: features(net, item) for name, item in contrasts.items()}
        brain = contrasts["T1"].structures[..., SLICE] > 0
        found += [float((maps[a] - maps[b]).abs().sum(1)[brain].mean()) for a, b in combinations(maps, 2)]
    return float(np.mean(found))


def matching_error(net: nn.Module, people: list[dict[str, BrainItem]], *, points: int = 150) -> float:
    """Median distance, in pixels, from a place in T1 to the place of the most alike feature in T2 and FLAIR."""
    rng, errors = np.random.default_rng(28), []
    for contrasts in people:
        brain = contrasts["T1"].structures[0, ..., SLICE] > 0
        places = brain.nonzero()
        chosen = places[torch.from_numpy(rng.choice(len(places), points, replace=False))]
        source = features(net, contrasts["T1"])[0][:, chosen[:, 0], chosen[:, 1]].T
        for other in ("T2", "FLAIR"):
            target = features(net, contrasts[other])[0][:, places[:, 0], places[:, 1]]
            nearest = places[(source @ target).argmax(1)]
            errors.append((nearest - chosen).float().norm(dim=1))
    return float(torch.cat(errors).median())


def _transfer(
    net: nn.Module, shown: list[dict[str, BrainItem]], held: list[dict[str, BrainItem]], folder: Path
) -> Claim:
    """Check 2: one layer, learnt in T1, used in T2 and FLAIR; against a network that learnt in T1 alone."""
    seen = [person_["T1"] for person_ in shown]
    stack = torch.cat([features(net, item).movedim(1, -1).reshape(-1, FILTERS[0]) for item in seen])
    labels = torch.cat([tissues(item.structures)[..., SLICE].flatten() for item in seen])
    rows = torch.from_numpy(np.random.default_rng(0).choice(len(stack), 40_000, replace=False))
    head = fit_pixel_probe(stack[rows] * FILTERS[0] ** 0.5, labels[rows].long(), len(NAMES))
    whole = _segmenter(seen, folder / "one-contrast")

    def probed(item: BrainItem) -> torch.Tensor:
        return head(features(net, item).movedim(1, -1) * FILTERS[0] ** 0.5).argmax(-1)

    def learnt(item: BrainItem) -> torch.Tensor:
        return whole(item.images[:, None, ..., SLICE]).argmax(1)

    others = [person_[name] for person_ in held for name in ("T2", "FLAIR")]
    ours, theirs = (np.mean([dice(way(item), item) for item in others], axis=0) for way in (probed, learnt))
    same = np.mean([dice(probed(person_["T1"]), person_["T1"]) for person_ in held], axis=0)
    gain = float(ours.mean() - theirs.mean())
    detail: dict[str, float | int | str] = {
        f"Dice {n}": f"{a:.3f} ({b:.3f})" for n, a, b in zip(NAMES[1:], ours, theirs, strict=True)
    }
    detail |= {"one layer, T1": float(same.mean()), "one layer, other contrasts": float(ours.mean())}
    return Claim("Dice in other contrasts: one layer on features above a network of one contrast", gain, ">= 0.10",
                 gain >= 0.10, baseline=float(theirs.mean()), simulated=True, detail=detail)  # fmt: skip


def _segmenter(items: list[BrainItem], folder: Path) -> nn.Module:
    """The same network with a head for tissues, trained on these images alone."""
    torch.manual_seed(0)
    model = nn.Sequential(FeatureUNet(dims=2, filters=FILTERS), nn.Conv2d(FILTERS[0], len(NAMES), 1))
    batches = [(i.images[:, None, ..., SLICE], tissues(i.structures)[..., SLICE]) for i in items]
    plan = Plan(steps=80, learning_rate=2e-3, warmup=10, checkpoint_every=80, seed=0)
    train(model, batches, lambda m, b: dice_and_cross_entropy(m(b[0]), b[1]), plan, folder=folder)
    return model.eval().requires_grad_(False)


def dice(found: torch.Tensor, item: BrainItem) -> NDArray[np.float64]:
    """(3,) Dice of fluid, grey and white matter."""
    truth = tissues(item.structures)[..., SLICE]
    return np.array([
        float(2 * ((found == k) & (truth == k)).sum() / ((found == k).sum() + (truth == k).sum())) for k in (1, 2, 3)
    ])  # fmt: skip


def _ablations(runs: dict[int, FeatureUNet], held: list[dict[str, BrainItem]], folder: Path) -> list[Claim]:
    """Check 3: a target of its own for each image, and no mild images."""
    claims = []
    full = {seed: spread_between(net, held) for seed, net in runs.items()}
    for name, change in (("without sharing", {"shared": False}), ("severe only", {"mild": False})):
        other = {s: spread_between(features_net(folder / f"{name}-{s}", s, **change), held) for s in SEEDS}
        worse = sum(other[s] > full[s] for s in SEEDS)
        detail: dict[str, float | int | str] = {f"seed {s}": f"{other[s]:.4f} against {full[s]:.4f}" for s in SEEDS}
        said = f"{name}: seeds in which contrasts lie further apart"
        claims.append(Claim(said, float(worse), ">= 2 of 3", worse >= 2, simulated=True, detail=detail))
    return claims


def _moments() -> list[Claim]:
    """Check 4: what is painted has the drawn mean and spread; a slice's blur has the width that theory gives."""
    rng = np.random.default_rng(4)
    contrast, off = draw_label_contrast(rng), 0.0
    for label in (2, 3, 4, 170, 225):
        cube = paint(contrast, torch.full((70, 70, 70), label, dtype=torch.int16), rng)
        found = np.array([float(cube.mean()), float(cube.std())])
        off = max(off, float(np.abs(found / (contrast.mean[label], contrast.spread[label]) - 1).max()))
    widths = []
    for thickness in (2.0, 4.0, 6.0):
        line = torch.zeros(1, 1, 101)
        line[..., 50] = 1
        profile = gaussian_blur(line, (0, 0, blur_sigma(thickness)))[0, 0].numpy()
        sigma = np.sqrt((profile * (np.arange(101) - 50.0) ** 2).sum())
        widths.append(abs(sigma / (np.log(5) / np.pi * thickness) - 1))
    return [
        Claim("largest relative error of a label's mean and spread", off, "<= 2 %", off <= 0.02),
        Claim("largest relative error of the blur's width", max(widths), "<= 5 %", max(widths) <= 0.05),
    ]
