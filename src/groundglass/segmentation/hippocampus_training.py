"""The recipes of the hippocampus networks: on real images, and on label maps alone.

Data: Medical Segmentation Decathlon Task04 (Vanderbilt University Medical Center; CC BY-SA 4.0: weights trained on it
are shared alike), crops of T1 MR with anterior (1) and posterior (2) hippocampus. Only the train split is used.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nibabel as nib
import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.core import ConfigurationError
from groundglass.segmentation.hippocampus import SHAPE
from groundglass.synthesis import (
    add_noise,
    apply_gamma_and_bias,
    apply_patch_warp,
    blur_sigma,
    coarse_noise,
    down_sample,
    draw_artefacts,
    draw_patch_warp,
    draw_resolution,
    gaussian_blur,
    normalise_brain,
    resize,
    smooth_field,
)

FILTERS = (32, 64, 96)
STEPS = 1500
BATCH = 2
Kind = Literal["real", "synthetic", "one contrast"]
# Means and spread of one T1-like contrast: surroundings (white, cortex, fluid, ...), hippocampus.
T1_SURROUNDINGS = (200.0, 130.0, 45.0, 195.0, 140.0, 120.0)
T1_HIPPOCAMPUS = 135.0
SURROUNDINGS = 6


@dataclass(frozen=True)
class Case:
    """One crop, RAS, padded to SHAPE: `image` float32, `labels` uint8; `slices` cut the padding off again."""

    name: str
    image: NDArray[np.float32]
    labels: NDArray[np.uint8]
    slices: tuple[slice, ...]


def load_cases(folder: Path, split: str) -> list[Case]:
    """The crops of one split. Raises ConfigurationError when the folder is not the data set."""
    table = folder / "splits.csv"
    if not table.is_file():
        raise ConfigurationError(folder, "holds no splits.csv", "Give the folder that has hippocampus-msd in it.")
    with table.open(encoding="utf-8") as file:
        names = [row["case"] for row in csv.DictReader(file) if row["split"] == split]
    return [_case(folder, name) for name in names]


def _case(folder: Path, name: str) -> Case:
    stem = name if name.startswith("hippocampus") else f"hippocampus_{name}"
    arrays = [
        np.asanyarray(nib.as_closest_canonical(nib.load(folder / kind / f"{stem}.nii.gz")).dataobj)
        for kind in ("images", "labels")
    ]
    before = [(want - have) // 2 for want, have in zip(SHAPE, arrays[0].shape, strict=True)]
    widths = [(b, want - have - b) for b, want, have in zip(before, SHAPE, arrays[0].shape, strict=True)]
    image, labels = (np.pad(a, widths) for a in arrays)
    slices = tuple(slice(b, b + n) for b, n in zip(before, arrays[0].shape, strict=True))
    return Case(stem, image.astype(np.float32), labels.astype(np.uint8), slices)


@dataclass
class HippocampusBatches(torch.utils.data.IterableDataset):
    """Endless batches: image (B, 1, *SHAPE), structures (B, *SHAPE). Batch n depends on `seed` and n alone."""

    cases: Sequence[Case]
    kind: Kind
    seed: int = 0
    start: int = 0

    def starting_at(self, count: int) -> HippocampusBatches:
        """The same stream without its first `count` batches."""
        return HippocampusBatches(self.cases, self.kind, self.seed, self.start + count)

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        number = self.start
        while True:
            items = [self._item(np.random.default_rng([self.seed, number, k])) for k in range(BATCH)]
            yield {
                "image": torch.stack([i for i, _ in items])[:, None],
                "structures": torch.stack([s for _, s in items]),
            }
            number += 1

    def _item(self, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        case = self.cases[int(rng.integers(len(self.cases)))]
        warp = draw_patch_warp(rng, SHAPE)
        labels = apply_patch_warp(warp, torch.from_numpy(case.labels)[None], nearest=True)[0].to(torch.uint8)
        if self.kind == "real":
            image = apply_patch_warp(warp, normalise_brain(torch.from_numpy(case.image))[None], nearest=False)[0] * 225
            return _spoil(image, rng, severe=bool(rng.random() < 0.3), coarse=bool(rng.random() < 0.15)), labels
        image = _paint(labels, rng, fixed=self.kind == "one contrast")
        return _spoil(image, rng, severe=bool(rng.random() < 0.5), coarse=bool(rng.random() < 0.25)), labels


def _paint(labels: torch.Tensor, rng: np.random.Generator, *, fixed: bool) -> torch.Tensor:
    """Intensities of a label map: hippocampus by its label, what is around it by blobs that touch it at random."""
    blobs = smooth_field(coarse_noise(rng, SURROUNDINGS, SHAPE, spacing=rng.uniform(6, 14), std=1.0), SHAPE)
    around = blobs.argmax(0)
    if fixed:
        means = np.array([T1_HIPPOCAMPUS, T1_HIPPOCAMPUS, *T1_SURROUNDINGS]) + rng.normal(0, 5, 2 + SURROUNDINGS)
        spreads = np.full(2 + SURROUNDINGS, 8.0)
    else:
        means = rng.uniform(25, 225, 2 + SURROUNDINGS)
        spreads = rng.uniform(5, 25, 2 + SURROUNDINGS)
        # Head and body of the hippocampus are one tissue; their border is drawn by shape, not by intensity.
        means[1] = means[0] + rng.normal(0, 6)
        spreads[1] = spreads[0]
    index = torch.where(labels > 0, labels.long() - 1, around + 2)
    noise = torch.from_numpy(rng.standard_normal(SHAPE, dtype=np.float32))
    table = torch.from_numpy(np.stack([means, spreads]).astype(np.float32))
    return gaussian_blur(table[0][index] + table[1][index] * noise, (float(rng.uniform(0.4, 0.9)),) * 3)


def _spoil(image: torch.Tensor, rng: np.random.Generator, *, severe: bool, coarse: bool) -> torch.Tensor:
    artefacts = draw_artefacts(rng, SHAPE, severe=severe)
    image = apply_gamma_and_bias(artefacts, image)
    if coarse:
        resolution = draw_resolution(rng)
        image = gaussian_blur(image, tuple(blur_sigma(t, resolution.sharpness) for t in resolution.thickness))
        image = resize(add_noise(artefacts, down_sample(image, resolution.spacing), rng), list(SHAPE))
    else:
        image = add_noise(artefacts, image, rng)
    return normalise_brain(image)


def train(
    folder: Path, *, data: Path | None = None, seed: int = 0, steps: int | None = None, kind: Kind = "real"
) -> dict[str, Any]:
    """Train into `folder` (weights.safetensors, config.json); Dice of the val split comes back. `data` holds the set.


    `kind`: "real" images with augmentation, "synthetic" (label maps alone, any contrast), or "one contrast" (label
    maps, one T1-like contrast: what randomisation is measured against).
    """
    from groundglass.learn.loop import train as run
    from groundglass.learn.objectives.structures_and_side import dice_and_cross_entropy
    from groundglass.learn.plan import Plan
    from groundglass.models import save_model
    from groundglass.nets.build import build_network

    if data is None:
        raise ConfigurationError("hippocampus", "needs the label maps of hippocampus-msd", "Pass --data.")
    torch.manual_seed(seed)
    architecture = {"out_channels": 3, "filters": list(FILTERS)}
    network = build_network("SubpixelUNet", **architecture)
    plan = Plan(
        steps=steps or STEPS,
        learning_rate=2e-3,
        weight_decay=1e-4,
        warmup=40,
        average=0.99,
        precision="bf16",
        checkpoint_every=250,
        seed=seed,
    )
    history = run(
        network,
        HippocampusBatches(load_cases(data / "hippocampus-msd", "train"), kind, seed),
        lambda model, batch: dice_and_cross_entropy(model(batch["image"]), batch["structures"]),
        plan,
        folder=folder / "run",
    )
    dice = evaluate(network, load_cases(data / "hippocampus-msd", "val"))
    config = {
        "name": "hippocampus",
        "version": "0.1",
        "architecture": {"net": "SubpixelUNet", **architecture},
        "labels": ["background", "anterior hippocampus", "posterior hippocampus"],
    }
    save_model(folder, network, config)
    return {"steps": plan.steps, "loss": history.loss[-1], "validation Dice": dice.mean(axis=0).tolist()}


def evaluate(network: torch.nn.Module, cases: Sequence[Case]) -> NDArray[np.float64]:
    """(case, 2) Dice of anterior and posterior on real crops."""
    network.eval()
    rows = []
    for case in cases:
        with torch.inference_mode():
            output = network(normalise_brain(torch.from_numpy(case.image))[None, None])[0]
        found = output.argmax(0).numpy()[case.slices]
        truth = case.labels[case.slices]
        rows.append(
            [2 * ((found == k) & (truth == k)).sum() / max(1, (found == k).sum() + (truth == k).sum()) for k in (1, 2)]
        )
    return np.array(rows)
