"""MedMNIST-C: corruptions as each modality fails, one robustness figure, and the same corruptions as augmentation.

Di Salvo, Doerrich, Ledig, arXiv 2406.17536. Differences: motion blur is an explicit line kernel instead of
ImageMagick's, stain is drawn instead of pasted from templates, letters are in Pillow's font; every random kind draws
from an explicit seed. The classifiers here are small residual networks on PneumoniaMNIST at 28 pixels with the
published severities of 224; their BE is taken against the network without augmentation, never against AlexNet's table
of 224 pixels.

GROUNDGLASS_MEDMNISTC_PYTHON names an interpreter with the package medmnistc for claim 1.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.learn import NumberedBatches, Plan, train
from groundglass.metrics.classification import (
    RobustnessReference,
    alexnet_reference,
    auroc,
    balanced_accuracy,
    robustness,
    youden,
)
from groundglass.metrics.images import ssim
from groundglass.synthesis.corruptions import (
    DETERMINISTIC,
    LEVELS,
    Corruption,
    TargetedAugmentation,
    augmix,
    corrupt,
    corrupt_set,
    corruption_groups,
    corruption_set,
    corruption_sets,
    group_of,
    trivial_augment,
)
from groundglass.systems.proof import Claim, Proof

ENTRY = "groundglass synthesize corrupt IMAGE --kind KIND --severity 1..5"
SET = "pneumoniamnist"
SEEDS = (0, 1, 2, 3, 4)
STEPS, BATCH, TRAINING, TESTED = 160, 64, 1500, 300
DAMAGED = 8
PEER_SETS = ("dermamnist", "pathmnist", "octmnist", "pneumoniamnist")
# Their templates and font are not ours, and their motion blur is ImageMagick's: compared by count, not by pixel.
OWN_DRAWING = ("motion_blur", "stain_deposit", "bubble", "characters")
Augment = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]


def prove(workdir: Path, data: Path | None) -> Proof:
    """All four claims; 1 needs the package's interpreter, 2 and 3 the open data."""
    torch.set_num_threads(1)
    claims = [_closed_form(), *_agreement(workdir, data)]
    used: tuple[str, ...] = ()
    if data is not None:
        films = Films.read(data)
        claims += [_damage(data), *_learning(workdir, films)]
        used = ("pneumoniamnist 28 px (training part of " + str(TRAINING) + ")", "blood-cells-cbc")
    notes = (
        "Severities are the published ones of 224 px, used at 28 px; stain, bubbles and letters are scaled.",
        "Kinds are compared with the package by pixel where they are deterministic, else by mean and spread.",
    )
    return Proof(35, tuple(claims), SEEDS, used, notes)


@dataclass(frozen=True, eq=False)
class Films:
    """Images (N, 28, 28) uint8 and labels (N,) of three parts."""

    train: tuple[NDArray[np.uint8], NDArray[np.int64]]
    val: tuple[NDArray[np.uint8], NDArray[np.int64]]
    test: tuple[NDArray[np.uint8], NDArray[np.int64]]

    @classmethod
    def read(cls, data: Path) -> Films:
        held = np.load(data / "pneumoniamnist" / "pneumoniamnist.npz")
        parts = {}
        for name, most in (("train", TRAINING), ("val", 10**6), ("test", TESTED)):
            order = np.random.default_rng(0).permutation(len(held[f"{name}_images"]))[:most]
            parts[name] = held[f"{name}_images"][order], held[f"{name}_labels"][order, 0].astype(np.int64)
        return cls(**parts)


def _closed_form() -> Claim:
    worst = 0.0
    for name in corruption_sets():
        reference = alexnet_reference(name)
        own = robustness(
            {kind: [error] * LEVELS for kind, error in reference.kinds.items()}, reference.clean, reference
        )
        worst = max(worst, abs(own.be - 1), abs(own.rbe - 1))
    return _claim("AlexNet's table as the model: largest distance of BE and rBE from 1", worst, "= 0", worst < 1e-12)


def pictures(data: Path | None, count: int) -> NDArray[np.uint8]:
    """(count, 224, 224, 3): blood smears where the data is, else coloured noise."""
    from PIL import Image
    from scipy.ndimage import gaussian_filter

    if data is not None:
        files = sorted((data / "blood-cells-cbc" / "images").glob("*.jpg"))[:count]
        return np.stack([np.asarray(Image.open(f).convert("RGB").resize((224, 224))) for f in files])
    rng = np.random.default_rng(0)
    fields = gaussian_filter(rng.normal(size=(count, 224, 224, 3)), (0, 6, 6, 0.3))
    low, high = fields.min((1, 2, 3), keepdims=True), fields.max((1, 2, 3), keepdims=True)
    return ((fields - low) / (high - low) * 255).astype(np.uint8)


def _agreement(workdir: Path, data: Path | None) -> list[Claim]:
    """Against the package in its own interpreter: deterministic kinds by pixel, random ones in mean and spread."""
    names = (
        "deterministic kinds equal to the package's pixels (share of kinds and sets)",
        "random kinds: largest relative difference of mean or spread to the package (%)",
    )
    python = os.environ.get("GROUNDGLASS_MEDMNISTC_PYTHON")
    if not python:
        missing = "not run: GROUNDGLASS_MEDMNISTC_PYTHON is not set"
        return [_claim(name, 0.0, missing, False) for name in names]
    shown = pictures(data, 12)
    np.savez(workdir / "in.npz", pictures=shown)
    equal: dict[str, int] = {}
    apart: dict[str, float] = {}
    program = Path(__file__).parent / "peers" / "medmnistc_pictures.py"
    for name in PEER_SETS:
        subprocess.run([python, program, workdir / "in.npz", workdir / "out.npz", name], check=True)
        theirs, table = np.load(workdir / "out.npz"), corruption_set(name)
        for kind in theirs.files:
            ours = np.stack([
                [corrupt(p, Corruption(kind, table.parameter(kind, s), n)) for n, p in enumerate(shown)]
                for s in range(1, LEVELS + 1)
            ])  # fmt: skip
            other = theirs[kind]
            if kind in DETERMINISTIC:
                equal[f"{name} {kind}: largest difference"] = int(np.abs(ours.astype(int) - other).max())
            elif kind not in OWN_DRAWING:
                moments = [(getattr(a, m)(), getattr(b, m)()) for a, b in zip(ours, other, strict=True)
                           for m in ("mean", "std")]  # fmt: skip
                apart[f"{name} {kind}"] = round(max(100 * abs(a / b - 1) for a, b in moments), 3)
    blurs = ("defocus_blur", "gaussian_blur")  # by other arithmetic: a grey level is allowed
    right = [gap <= (1 if any(b in key for b in blurs) else 0) for key, gap in equal.items()]
    share, worst = float(np.mean(right)), max(apart.values())
    return [
        _claim(names[0], share, "= 1 (blurs: within one grey level)", share == 1,
               **{key: gap for key, gap in equal.items() if gap}),
        _claim(names[1], worst, "<= 2", worst <= 2, **apart),
    ]  # fmt: skip


def _damage(data: Path) -> Claim:
    """SSIM to the clean picture must fall with severity, mean over pictures, for every set and kind.

    Numbers of letters and blobs are drawn up to a limit that grows: with three pictures a mean can rise by chance.
    """
    shown = pictures(data, DAMAGED)
    grey = [np.asarray(p, dtype=np.float64).mean(axis=2) for p in shown]
    wrong, count, allowed = [], 0, {(t.name, kind) for t in corruption_sets().values() for kind in t.not_monotone}
    for table in corruption_sets().values():
        for kind in table.kinds:
            if (table.name, kind) in allowed:
                continue
            levels = [
                np.mean([
                    ssim(corrupt(p, Corruption(kind, table.parameter(kind, s), n)).astype(float).mean(axis=2), g,
                         data_range=255, window="uniform-7")
                    for n, (p, g) in enumerate(zip(shown, grey, strict=True))
                ])
                for s in range(1, LEVELS + 1)
            ]  # fmt: skip
            count += 1
            if not all(a > b for a, b in itertools.pairwise(levels)):
                wrong.append(f"{table.name} {kind}")
    share = 1 - len(wrong) / count
    name = "SSIM falls at every step of severity (share of sets and kinds outside the listed exceptions)"
    detail = {f"listed exception: {' '.join(one)}": 1 for one in sorted(allowed)}
    return _claim(name, share, "= 1", not wrong, **detail, **{f"not monotone: {one}": 1 for one in wrong})


class _Batches(NumberedBatches[tuple[torch.Tensor, torch.Tensor]]):
    def __init__(self, films: Films, seed: int, augment: Augment | None) -> None:
        self.films, self.seed, self.augment = films, seed, augment

    def batch(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = self.generator(number)
        images, labels = self.films.train
        chosen = rng.integers(len(labels), size=BATCH)
        held = [np.roll(images[n], rng.integers(-2, 3, 2), (0, 1)) for n in chosen]
        if self.augment is not None:
            held = [self.augment(image, rng) for image in held]
        return _tensor(np.stack(held)), torch.from_numpy(labels[chosen])


def network() -> torch.nn.Module:
    """A residual network of 16, 32 and 64 channels for 28 x 28 pixels."""
    from monai.networks.nets.resnet import ResNet

    return ResNet(block="basic", layers=[1, 1, 1, 1], block_inplanes=[12, 24, 48, 48], spatial_dims=2,
                  n_input_channels=1, conv1_t_size=3, conv1_t_stride=1, no_max_pool=True, num_classes=2)  # fmt: skip


def _objective(model: torch.nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(model(batch[0]), batch[1])


@torch.no_grad()
def _scores(model: torch.nn.Module, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    parts = [model(part).softmax(1)[:, 1] for part in _tensor(images).split(512)]
    return np.asarray(torch.cat(parts).double().numpy())


def _tensor(images: NDArray[np.uint8]) -> torch.Tensor:
    return (torch.from_numpy(images.astype(np.float32))[:, None] / 255 - 0.57) / 0.17


@dataclass(frozen=True)
class Outcome:
    """Balanced errors of one network: clean, and per kind at each severity; AUROC on the clean test."""

    clean: float
    kinds: dict[str, list[float]]
    auroc: float

    def corrupted(self, kinds: tuple[str, ...] | None = None) -> float:
        return float(np.mean([self.kinds[kind] for kind in kinds or tuple(self.kinds)]))


def outcome(
    films: Films, spoilt: dict[str, NDArray[np.uint8]], *, seed: int, augment: Augment | None, folder: Path
) -> Outcome:
    """Train, set the threshold on the clean validation part, measure. Balanced error = 1 - balanced accuracy."""
    torch.manual_seed(seed)
    model = network()
    plan = Plan(steps=STEPS, learning_rate=3e-3, weight_decay=1e-3, warmup=20, average=0.97, seed=seed,
                checkpoint_every=10**6)  # fmt: skip
    train(model, _Batches(films, seed, augment), _objective, plan, folder=folder)
    threshold = youden(films.val[1], _scores(model, films.val[0])).threshold
    labels = films.test[1]

    def error(scores: NDArray[np.float64]) -> float:
        return 1 - balanced_accuracy(labels, (scores >= threshold).astype(int))

    clean = _scores(model, films.test[0])
    kinds = {
        kind: [error(part) for part in np.split(_scores(model, images), LEVELS)] for kind, images in spoilt.items()
    }
    return Outcome(error(clean), kinds, float(auroc(labels, clean).value))


def _learning(workdir: Path, films: Films) -> list[Claim]:
    table = corruption_set(SET)
    spoilt = {kind: corrupt_set(films.test[0], table, kind, seed=1)[0] for kind in table.kinds}
    ways: dict[str, Augment | None] = {
        "none": None, "TrivialAugment": trivial_augment, "AugMix": augmix, "targeted": TargetedAugmentation(table),
    }  # fmt: skip
    found = {
        name: [outcome(films, spoilt, seed=seed, augment=way, folder=workdir / f"{name}{seed}") for seed in SEEDS]
        for name, way in ways.items()
    }
    error = {name: float(np.mean([o.corrupted() for o in runs])) for name, runs in found.items()}
    clean = {name: float(np.mean([o.clean for o in runs])) for name, runs in found.items()}
    detail: dict[str, float | int | str] = {}
    for name, runs in found.items():
        detail |= {f"{name}: corrupted error": round(error[name], 4), f"{name}: clean error": round(clean[name], 4)}
        detail[f"{name}: clean AUROC"] = round(float(np.mean([o.auroc for o in runs])), 4)
    reference = _reference(found["none"])
    figures = [robustness(run.kinds, run.clean, reference) for run in found["targeted"]]
    detail["targeted: BE against no augmentation"] = round(float(np.mean([f.be for f in figures])), 3)
    generic = min(error["TrivialAugment"], error["AugMix"])
    rising = [kind for kind in table.kinds if np.mean([o.kinds[kind][4] - o.kinds[kind][0] for o in found["none"]]) > 0]
    gain, beyond = 1 - error["targeted"] / error["none"], 1 - error["targeted"] / generic
    cost = clean["targeted"] - clean["none"]
    return [
        _claim("balanced error rises from severity 1 to 5 (share of kinds, no augmentation)",
               len(rising) / len(table.kinds), ">= 0.8", len(rising) >= 0.8 * len(table.kinds)),
        _claim("targeted augmentation: corrupted error saved of that without (relative)", gain, ">= 0.20",
               gain >= 0.20, 0.0, **detail),
        _claim("targeted augmentation: corrupted error saved of the better generic one's (relative)", beyond,
               ">= 0.05", beyond >= 0.05, 0.0),
        _claim("targeted augmentation: clean error added", cost, "<= 0.02", cost <= 0.02, 0.0),
        _held_out(workdir, films, spoilt, found["none"]),
    ]  # fmt: skip


def _held_out(workdir: Path, films: Films, spoilt: dict[str, NDArray[np.uint8]], bare: list[Outcome]) -> Claim:
    """Each group of corruptions tested by a network that was augmented with the other groups only (two seeds)."""
    table = corruption_set(SET)
    gains: dict[str, float] = {}
    for group in corruption_groups():
        kinds = tuple(kind for kind in table.kinds if group_of(kind) == group)
        if not kinds:
            continue
        way = TargetedAugmentation(table, without=(group,))
        part = {kind: spoilt[kind] for kind in kinds}
        errors = [
            outcome(films, part, seed=seed, augment=way, folder=workdir / f"without {group}{seed}").corrupted(kinds)
            for seed in SEEDS[:2]
        ]
        gains[group] = round(float(np.mean([o.corrupted(kinds) for o in bare[:2]]) - np.mean(errors)), 4)
    mean = float(np.mean(list(gains.values())))
    return _claim("groups that training has not seen: error saved (mean over groups)", mean, "> 0", mean > 0, 0.0,
                  **gains)  # fmt: skip


def _reference(runs: list[Outcome]) -> RobustnessReference:
    kinds = {kind: float(np.mean([o.kinds[kind] for o in runs])) for kind in runs[0].kinds}
    return RobustnessReference("no augmentation, 28 px", float(np.mean([o.clean for o in runs])), kinds)


def _claim(name: str, measured: float, required: str, passed: bool, baseline: float | None = None,
           **detail: float | int | str) -> Claim:  # fmt: skip
    return Claim(name, float(measured), required, bool(passed), baseline, detail=detail)
