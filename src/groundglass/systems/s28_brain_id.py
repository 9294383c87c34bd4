"""Brain-ID (arXiv 2311.16914): features of every voxel of a brain that stay the same whatever the contrast.

The generator is the card's in full (`groundglass.synthesis.brain_id`): several images of one deformed subject share one
target, the subject's T1. The features are the last map of a U-Net (`nets.feature_unet`), of unit norm; one layer on top
gives the T1 (`learn.objectives.edges_and_values`), or a segmentation (`learn.pixel_probe`). What differs here: the
contrastive term, an option of the released code, is part of the recipe (`learn.objectives.same_places`, on views that
are moved against each other), because the T1 alone leaves the features of a short training almost the same at every
place; the proof runs in two dimensions, on slices of 2 mm, with 16 to 128 features instead of 64 to 1,024, for a few
hundred steps; the one real anatomy is the MNI152 template, and its random deformations stand for people.
Super-resolution and bias-field heads are not run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import normalize

from groundglass.learn.pixel_probe import fit_pixel_probe
from groundglass.synthesis import blur_sigma, gaussian_blur
from groundglass.synthesis.brain_id import draw_label_contrast, paint, tissue_contrast
from groundglass.systems.brain_id_trials import (
    CONTRASTS,
    FILTERS,
    NAMES,
    Slices,
    new_network,
    person,
    segmenter,
    slabs,
    trained_network,
)
from groundglass.systems.proof import Claim, Proof

ENTRY = "groundglass.synthesis.brain_id.BrainItems; groundglass.nets.feature_unet"
SEEDS = (0, 1, 2)
HELD_OUT, SHOWN = 3, 5
# Pixels by which the image of another contrast may be moved against the T1: places must not be counted from the border.
MOVED = 4
T1, T2, FLAIR = (list(CONTRASTS).index(name) for name in ("T1", "T2", "FLAIR"))


def prove(workdir: Path, data: Path | None) -> Proof:
    """Card 28's four checks."""
    torch.set_num_threads(1)
    people = [person(seed) for seed in range(100, 100 + SHOWN + HELD_OUT)]
    shown, held = people[:SHOWN], people[SHOWN:]
    drawn = {seed: slabs(seed) for seed in SEEDS}
    full = {seed: trained_network(workdir / f"shared-{seed}", seed, drawn[seed]) for seed in SEEDS}
    t1 = slabs(0, contrast=lambda _rng: tissue_contrast(*CONTRASTS["T1"]))
    one = trained_network(workdir / "t1", 0, t1)
    torch.manual_seed(0)
    untrained = new_network().eval()
    alone = {seed: trained_network(workdir / f"alone-{seed}", seed, drawn[seed], shared=False) for seed in SEEDS}
    severe = {seed: trained_network(workdir / f"severe-{seed}", seed, slabs(seed, mild=False)) for seed in SEEDS}
    return Proof(
        28,
        (
            *_robustness(full[0], one, untrained, held),
            _transfer(full[0], shown, held, workdir),
            _ablation("without sharing", alone, full, held),
            _ablation("severe only", severe, full, held),
            *_moments(),
        ),
        SEEDS,
        ("MNI152 2009a template (nilearn), randomly deformed",),
        (
            "in two dimensions with narrow networks: a reduced form of the card's check",
            f"a pixel is 2 mm; images of one person are moved against each other by up to {MOVED} pixels an axis",
            "without sharing every set of views is of single images: the contrastive term then pairs an image with "
            "itself, moved",
        ),
    )


@torch.no_grad()
def features(net: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """(N, F, X, Y) features of unit norm of (N, X, Y)."""
    return normalize(net(images[:, None]), dim=1)


def maps(net: nn.Module, person_: Slices) -> list[torch.Tensor]:
    """Features (N, F, X, Y) of each contrast; all but the T1 were moved when the network saw them."""
    rng, found = np.random.default_rng(28), []
    for view in range(len(CONTRASTS)):
        by = rng.integers(-MOVED, MOVED + 1, 2) * (view != T1)
        seen = features(net, torch.roll(person_.images[:, view], by.tolist(), (1, 2)))
        found.append(torch.roll(seen, (-by).tolist(), (2, 3)))
    return found


def _robustness(net: nn.Module, one: nn.Module, untrained: nn.Module, held: Sequence[Slices]) -> list[Claim]:
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
              baseline=matching_error(untrained, held), simulated=True,
              detail={"T1 only": matching_error(one, held)}),
    ]  # fmt: skip


def spread_between(net: nn.Module, people: Sequence[Slices]) -> float:
    """Mean over pairs of contrasts, people and brain pixels of the L1 distance of their features."""
    found = []
    for person_ in people:
        brain = person_.labels > 0
        found += [float((a - b).abs().sum(1)[brain].mean()) for a, b in combinations(maps(net, person_), 2)]
    return float(np.mean(found))


def matching_error(net: nn.Module, people: Sequence[Slices], *, points: int = 150) -> float:
    """Median distance, in pixels, from a place in T1 to the place of the most alike feature in T2 and FLAIR."""
    rng, errors = np.random.default_rng(28), []
    for person_ in people:
        seen = maps(net, person_)
        for level, labels in enumerate(person_.labels):
            places = (labels > 0).nonzero()
            chosen = places[torch.from_numpy(rng.choice(len(places), points, replace=False))]
            source = seen[T1][level][:, chosen[:, 0], chosen[:, 1]].T
            for other in (T2, FLAIR):
                target = seen[other][level][:, places[:, 0], places[:, 1]]
                nearest = places[(source @ target).argmax(1)]
                errors.append((nearest - chosen).float().norm(dim=1))
    return float(torch.cat(errors).median())


def _transfer(net: nn.Module, shown: Sequence[Slices], held: Sequence[Slices], folder: Path) -> Claim:
    """Check 2: one layer, learnt in T1, used in T2 and FLAIR; against a network that learnt in T1 alone."""
    scale = FILTERS[0] ** 0.5
    stack = torch.cat([features(net, p.images[:, T1]).movedim(1, -1).reshape(-1, FILTERS[0]) for p in shown])
    labels = torch.cat([p.labels.flatten() for p in shown])
    rows = torch.from_numpy(np.random.default_rng(0).choice(len(stack), 40_000, replace=False))
    head = fit_pixel_probe(stack[rows] * scale, labels[rows].long(), len(NAMES))
    whole = segmenter(shown, T1, folder / "one-contrast")

    def probed(images: torch.Tensor) -> torch.Tensor:
        return head(features(net, images).movedim(1, -1) * scale).argmax(-1)

    def learnt(images: torch.Tensor) -> torch.Tensor:
        return whole(images[:, None]).argmax(1)

    def scored(way: Callable[[torch.Tensor], torch.Tensor], views: Sequence[int]) -> NDArray[np.float64]:
        return np.mean([dice(way(p.images[:, view]), p.labels) for p in held for view in views], axis=0)

    ours, theirs = (scored(way, (T2, FLAIR)) for way in (probed, learnt))
    gain = float(ours.mean() - theirs.mean())
    detail: dict[str, float | int | str] = {
        f"Dice {n}": f"{a:.3f} ({b:.3f})" for n, a, b in zip(NAMES[1:], ours, theirs, strict=True)
    }
    detail |= {
        "one layer, T1": float(scored(probed, (T1,)).mean()),
        "network of one contrast, T1": float(scored(learnt, (T1,)).mean()),
        "one layer, other contrasts": float(ours.mean()),
    }
    return Claim("Dice in other contrasts: one layer on features above a network of one contrast", gain, ">= 0.10",
                 gain >= 0.10, baseline=float(theirs.mean()), simulated=True, detail=detail)  # fmt: skip


def dice(found: torch.Tensor, truth: torch.Tensor) -> NDArray[np.float64]:
    """(3,) Dice of fluid, grey and white matter."""
    return np.array([
        float(2 * ((found == k) & (truth == k)).sum() / ((found == k).sum() + (truth == k).sum())) for k in (1, 2, 3)
    ])  # fmt: skip


def _ablation(name: str, changed: dict[int, nn.Module], full: dict[int, nn.Module], held: Sequence[Slices]) -> Claim:
    """Check 3: what a part of the recipe is worth, in each seed."""
    spread = {seed: (spread_between(changed[seed], held), spread_between(full[seed], held)) for seed in full}
    error = {seed: (matching_error(changed[seed], held), matching_error(full[seed], held)) for seed in full}
    worse = sum(other > ours for other, ours in spread.values())
    detail: dict[str, float | int | str] = {f"seed {s}": "{:.3f} against {:.3f}".format(*spread[s]) for s in full}
    detail |= {f"seed {s}, matching error": "{:.1f} against {:.1f}".format(*error[s]) for s in full}
    return Claim(f"{name}: seeds in which contrasts lie further apart", float(worse), ">= 2 of 3", worse >= 2,
                 simulated=True, detail=detail)  # fmt: skip


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
