"""The recipes of the hippocampus networks: on real images, and on label maps alone.

Data: Medical Segmentation Decathlon Task04 (Vanderbilt University Medical Center; CC BY-SA 4.0: weights trained on it
are shared alike), crops of T1 MR with anterior (1) and posterior (2) hippocampus. Only the train split is used. "Label
maps alone" are those crops' manual labels with MNI152 tissue maps around them (`HippocampusSurroundings`), half of them
painted T1-like, half in any contrast: no image of a patient.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nibabel as nib
import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.core import ConfigurationError
from groundglass.learn import NumberedBatches
from groundglass.metrics.segmentation import score_masks
from groundglass.segmentation.hippocampus import SHAPE, hippocampus_shares
from groundglass.synthesis import (
    HippocampusSurroundings,
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
    rotation,
    smooth_field,
    surroundings_of,
)

FILTERS = (16, 32, 64, 128)
STEPS = 4000
BATCH = 2
Kind = Literal["real", "synthetic", "one contrast"]
# Means of fluid, grey and white matter in one T1-like contrast.
T1_MEANS = (45.0, 130.0, 200.0)
# Share of the synthetic images that are T1-like, as most of what is read is; the rest has any contrast.
T1_SHARE = 0.5
# Grey values (of 225) between two tissues in a drawn contrast, at least.
LEAST_CONTRAST = 25.0


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
class HippocampusBatches(NumberedBatches[dict[str, torch.Tensor]]):
    """Endless batches: image (B, 1, *SHAPE), structures (B, *SHAPE). Batch n depends on `seed` and n alone.

    `surroundings` is needed for every kind but "real".
    """

    cases: Sequence[Case]
    kind: Kind
    seed: int = 0
    surroundings: HippocampusSurroundings | None = None

    def batch(self, number: int) -> dict[str, torch.Tensor]:
        items = [self._item(self.generator(number, k)) for k in range(BATCH)]
        return {
            "image": torch.stack([i for i, _ in items])[:, None],
            "structures": torch.stack([s for _, s in items]),
        }

    def _item(self, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        case = self.cases[int(rng.integers(len(self.cases)))]
        warp = draw_patch_warp(rng, SHAPE)
        labels = apply_patch_warp(warp, torch.from_numpy(case.labels)[None], nearest=True)[0].to(torch.uint8)
        if self.surroundings is None:
            image = apply_patch_warp(warp, normalise_brain(torch.from_numpy(case.image))[None], nearest=False)[0] * 225
            return _spoil(image, rng, severe=bool(rng.random() < 0.2), coarse=bool(rng.random() < 0.1)), labels
        shares = apply_patch_warp(warp, _tissue_around(case, self.surroundings, rng), nearest=False)
        t1 = self.kind == "one contrast" or bool(rng.random() < T1_SHARE)
        image = _paint(labels, shares, rng, fixed=t1)
        return _spoil(image, rng, severe=bool(rng.random() < 0.3), coarse=bool(rng.random() < 0.1)), labels


def _tissue_around(case: Case, surroundings: HippocampusSurroundings, rng: np.random.Generator) -> torch.Tensor:
    """(3, *SHAPE) shares of fluid, grey, white about a label map, moved at random; 0 outside of the crop."""
    field = smooth_field(coarse_noise(rng, 3, SHAPE, spacing=rng.uniform(7, 16), std=rng.uniform(0, 2.0)), SHAPE)
    field = field + torch.from_numpy(rng.normal(0, 1.2, (3, 1, 1, 1)).astype(np.float32))
    turn = rotation(np.deg2rad(rng.normal(0, 4, 3))) @ np.diag(rng.uniform(0.9, 1.1, 3))
    shares = surroundings.around(case.labels, field, turn=turn)
    # The horn above is slit-like in one and wide in another: fluid gains or loses against tissue.
    wetter = smooth_field(coarse_noise(rng, 1, SHAPE, spacing=rng.uniform(8, 20), std=0.25), SHAPE)[0]
    fluid = (shares[0] + wetter * (shares[0] > 0.05)).clamp(0, 1)
    shares = torch.cat([fluid[None], shares[1:] * ((1 - fluid) / (1 - shares[0]).clamp(min=1e-3))])
    # The atlas is a mean of many brains: one brain's tissues are pure but at their borders.
    pure = shares.clamp(min=1e-4) ** float(rng.uniform(2, 6))
    shares = pure / pure.sum(0)
    held = torch.zeros(SHAPE)
    held[case.slices] = 1
    return shares * held


def _paint(labels: torch.Tensor, shares: torch.Tensor, rng: np.random.Generator, *, fixed: bool) -> torch.Tensor:
    """An image of a hippocampus in its tissue: a mean and a spread for each, hippocampus near grey matter."""
    means = np.array(T1_MEANS) + rng.normal(0, 5, 3) if fixed else _distinct_means(rng)
    spreads = np.full(3, 8.0) if fixed else rng.uniform(3, 18, 3)
    inside = labels > 0
    grey = float(means[1] + rng.normal(0, 8))
    noise = torch.from_numpy(rng.standard_normal(SHAPE, dtype=np.float32))
    lumps = smooth_field(coarse_noise(rng, 4, SHAPE, spacing=rng.uniform(4, 12), std=1.0), SHAPE)
    shares = _with_alveus(shares, inside, lumps[3], rng)
    mean, spread = (torch.from_numpy(v.astype(np.float32)) for v in (means, spreads))
    # Tissue is not even: slow texture beside the noise of each voxel.
    image = torch.einsum("kxyz,k->xyz", shares, mean) + torch.einsum("kxyz,k->xyz", shares, spread) * (
        0.6 * noise + 0.8 * lumps[0]
    )
    image = torch.where(inside, grey + float(spreads[1]) * (0.6 * noise + 0.5 * lumps[1]), image)
    # Vessels and choroid plexus in the fluid around: small lumps of any brightness.
    vessels = (lumps[2] > 1.3) & (shares[0] > 0.3) & ~inside
    image = torch.where(vessels, torch.full_like(image, float(rng.uniform(10, 240))), image)
    return gaussian_blur(image * (shares.sum(0) > 0.5), (float(rng.uniform(0.3, 0.9)),) * 3)


def _distinct_means(rng: np.random.Generator) -> NDArray[np.float64]:
    """Means of fluid, grey and white, U(15, 225) each, at least LEAST_CONTRAST apart: what any sequence shows."""
    while True:
        means = rng.uniform(15, 225, 3)
        if np.diff(np.sort(means)).min() >= LEAST_CONTRAST:
            return means


def _with_alveus(
    shares: torch.Tensor, inside: torch.Tensor, place: torch.Tensor, rng: np.random.Generator
) -> torch.Tensor:
    """White matter in a sheet of one voxel on parts of the hippocampus, as alveus and fimbria are."""
    grown = torch.nn.functional.max_pool3d(inside[None, None].float(), 3, stride=1, padding=1)[0, 0] > 0
    sheet = grown & ~inside & (place > rng.normal(0.2, 0.7)) & (shares.sum(0) > 0.5)
    amount = float(rng.uniform(0.3, 0.9)) * sheet
    mixed = shares * (1 - amount)
    mixed[2] += amount
    return mixed


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

    `kind`: "real" images with augmentation, "synthetic" (label maps alone, T1_SHARE of them T1-like, the rest
    in any contrast), or "one contrast" (label maps, one T1-like contrast: what randomisation is measured against).
    """
    from groundglass.learn.loop import train as run
    from groundglass.learn.objectives.dice_and_cross_entropy import dice_and_cross_entropy
    from groundglass.learn.plan import Plan
    from groundglass.models import save_model
    from groundglass.nets.build import build_network

    if data is None:
        raise ConfigurationError("hippocampus", "needs the label maps of hippocampus-msd", "Pass --data.")
    torch.manual_seed(seed)
    levels = len(FILTERS)
    architecture = {
        "spatial_dims": 3,
        "in_channels": 1,
        "out_channels": 3,
        "kernel_size": [3] * levels,
        "strides": [1] + [2] * (levels - 1),
        "upsample_kernel_size": [2] * (levels - 1),
        "filters": list(FILTERS),
        "act_name": "leakyrelu",
    }
    network = build_network("DynUNet", **architecture)
    plan = Plan(
        steps=steps or STEPS,
        learning_rate=2e-3,
        weight_decay=1e-4,
        warmup=100,
        average=0.998,
        precision="bf16",
        checkpoint_every=500,
        seed=seed,
    )
    cases = load_cases(data / "hippocampus-msd", "train")
    surroundings = None if kind == "real" else surroundings_of([case.labels for case in cases])
    history = run(
        network,
        HippocampusBatches(cases, kind, seed, surroundings=surroundings),
        lambda model, batch: dice_and_cross_entropy(model(batch["image"]), batch["structures"]),
        plan,
        folder=folder / "run",
    )
    dice = evaluate(network, load_cases(data / "hippocampus-msd", "val"))
    config = {
        "name": "hippocampus",
        "version": "0.2",
        "architecture": {"net": "DynUNet", **architecture},
        "labels": ["background", "anterior hippocampus", "posterior hippocampus"],
    }
    save_model(folder, network, config)
    return {"steps": plan.steps, "loss": history.loss[-1], "validation Dice": dice.mean(axis=0).tolist()}


def evaluate(network: torch.nn.Module, cases: Sequence[Case]) -> NDArray[np.float64]:
    """(case, 2) Dice of anterior and posterior on real crops, as `segment_hippocampus` would see them."""
    network.eval()
    pixels = (torch.from_numpy(np.ascontiguousarray(case.image[case.slices])) for case in cases)
    return np.array(
        [agreement(hippocampus_shares(network, p).numpy(), case) for p, case in zip(pixels, cases, strict=True)]
    )


def agreement(shares: NDArray[Any], case: Case) -> list[float]:
    """Dice of anterior and posterior of shares or votes (3, X, Y, Z) on the unpadded crop."""
    found = shares.argmax(axis=0).astype(np.uint8)
    scores = score_masks(found, case.labels[case.slices], 1.0, labels=(1, 2), metrics=("dice",))
    return [scores[label]["dice"] for label in (1, 2)]
