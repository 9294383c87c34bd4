"""Reference-less motion score: the SSIM that a brain MR slice would have against its motion-free self.

Sciarra, Chatterjee et al., arXiv 2206.06725. A ResNet-18 guesses SSIM from the spoilt slice alone, trained on slices
that are spoilt in k-space (few poses, or every line at its own) with the contrast of the network's input changed at
random. Differences from the paper: subjects are simulated (MNI152 warped, sequences' contrasts from its tissues),
slices are 96 x 96, the network is a quarter as wide, ResNet-101 is left out, contrast is also changed out of order
(the levels that another sequence would give within the head); the outside test is on real slices of three open scans,
on which motion is simulated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.learn import NumberedBatches, Plan, train
from groundglass.measurement import (
    mni152_template,
    mni152_tissue,
    motion_network,
    network_scores,
    prepare_slice,
    score_class,
    score_objective,
)
from groundglass.metrics.images import no_reference_features, ssim
from groundglass.synthesis.motion import (
    CHANGES,
    LEVELS,
    Trajectory,
    change_contrast,
    corrupt_slice,
    draw_contrast_change,
    moved_kspace,
    still,
    to_kspace,
    with_motion,
)
from groundglass.systems.proof import Claim, Proof

ENTRY = "groundglass synthesize motion IMAGE; groundglass.measurement.score_motion"
SIZE, WIDTH = 96, 16
TRAIN, TEST, OTHER = 12000, 300, 300
STEPS, AUGMENTED_STEPS, CONTRAST_STEPS, SHORT_STEPS = 12000, 1800, 6000, 800
SEEDS = (0, 1, 2, 3)
SEQUENCES = ("T1", "T2", "FLAIR")
# Signal of fluid, grey and white matter, and of the scalp relative to the template's: lowest and highest of a sequence.
# T1 weighting comes with and without suppression of fat: where every head of training has a bright rim, no change of
# tones can take it away, and the score comes to rest on it.
SIGNAL = {
    "T1": ((0.08, 0.40), (0.51, 0.69), (0.72, 0.98), (0.35, 1.15)),
    "T2": ((0.85, 1.15), (0.53, 0.71), (0.36, 0.48), (0.42, 0.58)),
    "FLAIR": ((0.10, 0.14), (0.64, 0.86), (0.51, 0.69), (0.38, 0.52)),
}
REAL = (
    ("stroke-chronic-cstar/T1.nii.gz", "T1"),
    ("stroke-chronic-cstar/T2.nii.gz", "T2"),
    ("tumour-tcia-example/TCGA-FG-6692_flair.nii.gz", "FLAIR"),
)


@dataclass(frozen=True, eq=False)
class Items:
    """`slices` (n, SIZE, SIZE) spoilt, `scores` (n,) SSIM, `severity` (n,)."""

    slices: NDArray[np.float32]
    scores: NDArray[np.float64]
    severity: NDArray[np.float64]


def prove(workdir: Path, data: Path | None) -> Proof:
    """Closed forms, regression, contrast augmentation over four seeds, real slices where `data` is given."""
    torch.set_num_threads(1)
    training = items(TRAIN, seed=100, sequences=SEQUENCES)
    test = items(TEST, seed=200, sequences=SEQUENCES)
    plain = fitted(workdir / "plain", training, seed=0, steps=STEPS)
    augmented = fitted(workdir / "augmented", training, seed=0, steps=AUGMENTED_STEPS, changes=CHANGES)
    claims = [*_closed_forms(), *_regression(plain, augmented, training, test), _contrasts(workdir, training)]
    used = ["MNI152 2 mm (shipped), warped: simulated subjects"]
    if data is not None:
        claims.append(_real_slices(augmented, data))
        used.append("brain-mri-samples")
    claims.append(_other_algorithm(workdir))
    notes = (
        "SSIM: scikit-image's uniform window of 7, data range 1, whole slice with its background.",
        "Test slices have the contrasts of training: their rows are of the network without change of contrast, and the"
        " other's sigma stands beside. Real slices have contrasts of their own: their row is of the network with it.",
        "Unseen contrasts: trained with new levels drawn for the network's input (any brightness for any value within"
        " the head's outline), not with the tone curves that keep the order of values: those make no T2 of a T1.",
        "Subjects are simulated; every item is a subject of its own, so that no subject is in two parts.",
        "Dipy's slices are not installed here: real slices come from brain-mri-samples.",
    )
    return Proof(42, tuple(claims), (*SEEDS, 100, 200, 300, 400), tuple(used), notes)


@cache
def _template() -> tuple[NDArray[np.float64], ...]:
    """The template in [0, 1], and the shares of fluid, grey and white matter of its voxels."""
    from scipy.ndimage import gaussian_filter

    labels = mni152_tissue().labels
    shares = (gaussian_filter((labels == n).astype(np.float64), 0.5) for n in (1, 2, 3))
    return (mni152_template().t1 / 255.0, *shares)


def clean_slice(rng: np.random.Generator, sequence: str) -> NDArray[np.float32]:
    """A slice of a simulated subject: the template warped, a sequence's contrast, bias, noise and blur."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    axis, template = int(rng.integers(3)), _template()
    level = int(rng.uniform(0.36, 0.64) * template[0].shape[axis])
    flat = [np.take(volume, level, axis) for volume in template]
    turn, scale = rng.uniform(-0.25, 0.25), rng.uniform(0.95, 1.3, 2)
    rows, columns = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    warp = [gaussian_filter(rng.standard_normal((SIZE, SIZE)), 10) for _ in range(2)]
    warp = [field / np.abs(field).max() * rng.uniform(0, 4) for field in warp]
    at = (
        flat[0].shape[0] / 2 + scale[0] * (np.cos(turn) * rows - np.sin(turn) * columns) + warp[0],
        flat[0].shape[1] / 2 + scale[1] * (np.sin(turn) * rows + np.cos(turn) * columns) + warp[1],
    )
    t1, *tissue = (map_coordinates(part, at, order=1) for part in flat)
    *levels, scalp = (rng.uniform(low, high) for low, high in SIGNAL[sequence])
    texture = 1 + 0.5 * (t1 - gaussian_filter(t1, 2))
    brain = sum(level * share for level, share in zip(levels, tissue, strict=True)) * texture
    value = brain + (1 - np.clip(sum(tissue), 0, 1)) * scalp * t1
    bias = gaussian_filter(rng.standard_normal((SIZE, SIZE)), 25)
    value = gaussian_filter(value, rng.uniform(0, 0.7)) * np.exp(0.2 * bias / np.abs(bias).max())
    value = np.hypot(value + rng.normal(0, 0.01, value.shape), rng.normal(0, 0.01, value.shape))
    return np.clip(value / np.percentile(value, 99.8), 0, 1).astype(np.float32)


def items(count: int, *, seed: int, sequences: tuple[str, ...], kinds: tuple[str, ...] | None = None) -> Items:
    """Item n depends on (seed, n) alone; its severity is uniform in [0, 1]."""
    rows = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        clean, severity = clean_slice(rng, sequences[number % len(sequences)]), float(rng.uniform())
        spoilt = (
            corrupt_slice(clean, rng, severity=severity)
            if kinds is None
            else corrupt_slice(clean, rng, severity=severity, kinds=kinds)
        )
        rows.append((np.clip(spoilt.image, 0, 1.2), spoilt.score, severity))
    slices, scores, severities = zip(*rows, strict=True)
    return Items(np.stack(slices), np.array(scores), np.array(severities))


class _Batches(NumberedBatches[tuple[torch.Tensor, torch.Tensor]]):
    def __init__(self, held: Items, seed: int, changes: tuple[str, ...]) -> None:
        self.held, self.seed, self.changes = held, seed, changes

    def batch(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = self.generator(number)
        chosen = rng.integers(len(self.held.scores), size=24)
        slices = []
        for index in chosen:
            value = self.held.slices[index]
            value = value[:: rng.choice((-1, 1)), :: rng.choice((-1, 1))]
            value = value.T if rng.random() < 0.5 else value
            if self.changes:
                value = change_contrast(value, draw_contrast_change(rng, kinds=self.changes))
            slices.append(value)
        scores = torch.from_numpy(self.held.scores[chosen].astype(np.float32))
        return torch.from_numpy(np.stack(slices).astype(np.float32))[:, None], scores


def fitted(folder: Path, held: Items, *, seed: int, steps: int, changes: tuple[str, ...] = ()) -> torch.nn.Module:
    """A network trained on items, whose contrast is changed in one of the ways of `changes` (none: it is left)."""
    torch.manual_seed(seed)
    model = motion_network(WIDTH).to(memory_format=torch.channels_last)
    plan = Plan(steps=steps, learning_rate=2e-3, weight_decay=1e-4, warmup=40, average=0.98, seed=seed,
                precision="bf16", checkpoint_every=10**6)  # fmt: skip
    train(model, _Batches(held, seed, changes), score_objective, plan, folder=folder)
    return model


def _residual(model: torch.nn.Module, test: Items) -> NDArray[np.float64]:
    return network_scores(model, test.slices) - test.scores


def _regression(model: torch.nn.Module, augmented: torch.nn.Module, training: Items, test: Items) -> list[Claim]:
    from scipy.stats import spearmanr
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def features(held: Items) -> NDArray[np.float64]:
        values = np.stack([no_reference_features(part) for part in held.slices])
        return np.concatenate([values, np.log(np.maximum(values, 1e-6))], axis=1)

    ridge = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13)))
    ridge.fit(features(training)[:800], training.scores[:800])
    by_ridge = float(np.std(ridge.predict(features(test)) - test.scores))
    residual = _residual(model, test)
    sigma, spread = float(residual.std()), float(test.scores.std())
    explained = 1 - float((residual**2).mean()) / spread**2
    predicted = test.scores + residual
    detail = {
        "mean residual": round(float(residual.mean()), 4),
        "MAE": round(float(np.abs(residual).mean()), 4),
        "Spearman": round(float(spearmanr(predicted, test.scores).statistic), 3),
        "sigma of the mean as a guess": round(spread, 4),
        "sigma of ridge": round(by_ridge, 4),
        "sigma with change of contrast in training": round(float(_residual(augmented, test).std()), 4),
    }
    detail |= {
        f"accuracy, {n} classes of 0..1": round(
            float((score_class(predicted, n) == score_class(test.scores, n)).mean()), 3
        )
        for n in (3, 5, 10)
    }
    return [
        _claim("test slices: standard deviation of the residual", sigma, "<= 0.04", sigma <= 0.04, spread, **detail),
        _claim("test slices: R2", explained, ">= 0.85", explained >= 0.85, 0.0),
        _claim("residual beside ridge on classical features (ratio)", sigma / by_ridge, "<= 0.6",
               sigma <= 0.6 * by_ridge, 1.0),
    ]  # fmt: skip


def _contrasts(workdir: Path, training: Items) -> Claim:
    """Trained on T1-like slices only, tested on T2- and FLAIR-like ones, with and without the change of contrast."""
    own = Items(training.slices[::3], training.scores[::3], training.severity[::3])
    other = items(OTHER, seed=300, sequences=("T2", "FLAIR"))

    def sigma(name: str, seed: int, changes: tuple[str, ...]) -> float:
        model = fitted(workdir / f"{name}{seed}", own, seed=seed, steps=CONTRAST_STEPS, changes=changes)
        return float(_residual(model, other).std())

    wins, detail = 0, {}
    for seed in SEEDS:
        with_it, without = sigma("with", seed, (LEVELS,)), sigma("without", seed, ())
        wins += with_it <= 0.8 * without
        detail |= {f"seed {seed}: sigma with": round(with_it, 4), f"seed {seed}: sigma without": round(without, 4)}
    name = "unseen contrasts: seeds of 4 whose sigma with contrast augmentation is <= 0.8 of that without"
    return _claim(name, wins, ">= 3", wins >= 3, 0, **detail)


def _real_slices(model: torch.nn.Module, data: Path) -> Claim:
    """Real slices spoilt ever more by the same course of motion: the score must fall."""
    from scipy.stats import spearmanr

    from groundglass.io import read_image

    levels, found, detail = np.linspace(0, 1, 9), [], {}
    for file, name in REAL:
        image = read_image(data / "brain-mri-samples" / file)
        axis = int(np.argmax(image.spacing))
        volume = np.moveaxis(image.array[0], axis, 0)
        clean = prepare_slice(volume[len(volume) // 2], size=SIZE, top=float(np.percentile(volume, 99.9)))
        for seed in SEEDS:
            spoilt = [corrupt_slice(clean, np.random.default_rng([400, seed]), severity=float(s)) for s in levels]
            scores = network_scores(model, np.stack([np.clip(one.image, 0, 1.2) for one in spoilt]))
            correlation = float(spearmanr(levels, scores).statistic)
            detail[f"{name}, course {seed}"] = round(correlation, 3)
            found.append(correlation)
    median = float(np.median(found))
    return _claim("real slices: Spearman of severity and score (median)", median, "<= -0.8", median <= -0.8, 0.0,
                  **detail)  # fmt: skip


def _other_algorithm(workdir: Path) -> Claim:
    """Trained on few poses (A), tested on motion line by line (B): reported, with what it loses."""
    few, lines = ("few poses",), ("drift", "sudden", "periodic")
    training = items(1500, seed=500, sequences=SEQUENCES, kinds=few)
    model = fitted(workdir / "few", training, seed=0, steps=SHORT_STEPS, changes=CHANGES)
    own = float(_residual(model, items(100, seed=600, sequences=SEQUENCES, kinds=few)).std())
    other = float(_residual(model, items(100, seed=700, sequences=SEQUENCES, kinds=lines)).std())
    return _claim("trained on few poses, tested line by line: sigma (reported)", other, "is finite",
                  bool(np.isfinite(other)), own)  # fmt: skip


def _closed_forms() -> list[Claim]:
    from skimage.metrics import structural_similarity

    clean = np.pad(clean_slice(np.random.default_rng(7), "T1")[8:-8, 8:-8], 8).astype(np.float64)
    lines = len(clean)
    nothing = max(float(np.abs(with_motion(clean, still(lines, axis=a)) - clean).max()) for a in (0, 1))
    shift = Trajectory(np.zeros(lines), np.tile([[4.0, -3.0]], (lines, 1)))
    rolled = float(np.abs(with_motion(clean, shift) - np.roll(clean, (4, -3), (0, 1))).max())
    degrees = np.zeros(lines)
    degrees[10:17] = 3.0
    changed = np.abs(moved_kspace(clean, Trajectory(degrees, np.zeros((lines, 2)))) - to_kspace(clean)).max(axis=1)
    outside = float(np.delete(changed, np.arange(10, 17)).max())
    spoilt = corrupt_slice(clean, np.random.default_rng(8), severity=0.7).image.astype(np.float64)
    theirs = structural_similarity(spoilt, clean, data_range=1.0)
    apart = abs(ssim(spoilt, clean, data_range=1.0, window="uniform-7") - theirs)
    return [
        _claim("no motion: largest change of the image", nothing, "<= 1e-6", nothing <= 1e-6),
        _claim("constant shift: distance to the circular shift", rolled, "<= 1e-5", rolled <= 1e-5),
        _claim("turning lines 10-16: largest change of another line", outside, "= 0", outside == 0.0),
        _claim("SSIM: difference to scikit-image", apart, "<= 1e-9", apart <= 1e-9),
    ]


def _claim(name: str, measured: float, required: str, passed: bool, baseline: float | None = None,
           **detail: float | int | str) -> Claim:  # fmt: skip
    return Claim(name, float(measured), required, bool(passed), baseline, simulated=True, detail=detail)
