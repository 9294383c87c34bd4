"""A bank of experts: one small binary network per abnormality, with its own part of the film and its own negatives.

An expert is trained on as many negatives as positives; its negatives are normal films and films with other
abnormalities in equal shares (`mixed=False` leaves the others out, which is what goes wrong without them). Its
probabilities are calibrated on the validation films (Platt), and its threshold is Youden's there, of what is said of
a film: an expert that is asked for three segments has three chances to be wrong, so the largest of its answers is
what the threshold is set on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from groundglass.classification.backbones import backbone
from groundglass.classification.operating_points import Platt, answer, fit_platt, youden_threshold
from groundglass.classification.segments import WHOLE, segment_box
from groundglass.core import Box
from groundglass.core.errors import InputError
from groundglass.learn import NumberedBatches, Plan
from groundglass.learn.loop import train

Films = NDArray[np.float32]
_SIZES = {WHOLE: (128, 128)}
_SEGMENT_SIZE = (64, 128)


@dataclass(frozen=True)
class Task:
    """What one expert answers: a term, and the segments that it is asked for, one answer each."""

    term: str
    segments: tuple[str, ...] = (WHOLE,)


@dataclass(frozen=True)
class Labelled:
    """Films (N, H, W) in 0..1, the lungs' box of each (None: thirds of the film), and truth.

    `truth` maps (term, segment) to (N,) bool; a term that is asked for one segment only is looked up there.
    """

    films: Films
    lungs: Sequence[Box | None]
    truth: Mapping[tuple[str, str], NDArray[np.bool_]]

    @property
    def is_normal(self) -> NDArray[np.bool_]:
        return ~np.any(np.stack(list(self.truth.values())), axis=0)

    def only(self, rows: NDArray[np.intp]) -> Labelled:
        """These films alone."""
        truth = {key: value[rows] for key, value in self.truth.items()}
        return Labelled(self.films[rows], [self.lungs[int(i)] for i in rows], truth)


@dataclass(frozen=True)
class Expert:
    """A trained network with its calibration and threshold (on the calibrated probability)."""

    task: Task
    network: nn.Module
    calibration: Platt
    threshold: float


@dataclass(frozen=True)
class Answer:
    """One bit: `state` is "0", "1" or "?"; `probability` is None where the expert failed."""

    term: str
    segment: str
    probability: float | None
    threshold: float
    state: str


def crops(films: Films, lungs: Sequence[Box | None], segment: str) -> Tensor:
    """(N, 1, h, w): the segment of each film, resized; grey values standardised over the whole film."""
    size = _SIZES.get(segment, _SEGMENT_SIZE)
    found = []
    for film, box in zip(films, lungs, strict=True):
        part = segment_box(film.shape, segment, box)
        standard = (film - film.mean()) / (film.std() + 1e-6)
        piece = torch.from_numpy(np.ascontiguousarray(standard[part.slices]))[None, None]
        found.append(nn.functional.interpolate(piece, size=size, mode="bilinear", align_corners=False))
    return torch.cat(found).float()


def train_expert(
    task: Task,
    training: Labelled,
    validation: Labelled,
    *,
    folder: Path,
    steps: int = 400,
    batch: int = 32,
    mixed: bool = True,
    architecture: str = "small",
    seed: int = 0,
) -> Expert:
    """One expert. Raises InputError when the training films lack positives or the wanted negatives."""
    images = torch.cat([crops(training.films, training.lungs, s) for s in task.segments])
    labels = np.concatenate([training.truth[task.term, s] for s in task.segments])
    normal = np.tile(training.is_normal, len(task.segments))
    pools = [np.flatnonzero(labels), np.flatnonzero(~labels & normal)]
    if mixed:
        pools.append(np.flatnonzero(~labels & ~normal))
    if any(len(pool) == 0 for pool in pools):
        raise InputError(task.term, "lacks positives, normal films or films with other findings", "Add such films.")
    torch.manual_seed(seed)
    network = backbone(architecture)
    plan = Plan(steps=steps, learning_rate=2e-3, weight_decay=1e-3, checkpoint_every=steps, seed=seed)
    train(network, _Balanced(images, labels, pools, batch, seed), _loss, plan, folder=folder)
    truth = np.stack([validation.truth[task.term, s] for s in task.segments])
    scores = np.stack([logits_of(network, crops(validation.films, validation.lungs, s)) for s in task.segments])
    calibration = fit_platt(truth.ravel(), scores.ravel())
    threshold = youden_threshold(truth.any(axis=0), calibration(scores).max(axis=0))
    return Expert(task, network.eval(), calibration, threshold)


@dataclass(frozen=True)
class Bank:
    """Experts in the fixed order of the result code. `band`: no answer within this distance of a threshold."""

    experts: tuple[Expert, ...]
    band: float = 0.0

    def probabilities(self, films: Films, lungs: Sequence[Box | None]) -> dict[tuple[str, str], NDArray[np.float64]]:
        """(term, segment) -> (N,) calibrated probabilities."""
        return {
            (expert.task.term, segment): expert.calibration(logits_of(expert.network, crops(films, lungs, segment)))
            for expert in self.experts
            for segment in expert.task.segments
        }

    def read(self, film: Films, lungs: Box | None) -> tuple[Answer, ...]:
        """The answers for one film (H, W). An expert that fails answers "?"; the others still answer."""
        answers = []
        for expert in self.experts:
            for segment in expert.task.segments:
                try:
                    found = expert.calibration(logits_of(expert.network, crops(film[None], [lungs], segment)))
                    probability: float | None = float(found[0])
                except (RuntimeError, ValueError):
                    probability = None
                score = float("nan") if probability is None else probability
                state = answer(score, expert.threshold, band=self.band)
                usable = probability if np.isfinite(score) else None
                answers.append(Answer(expert.task.term, segment, usable, expert.threshold, state))
        return tuple(answers)


@torch.no_grad()
def logits_of(network: nn.Module, images: Tensor) -> NDArray[np.float64]:
    """First output (N,) of the network in evaluation mode for images (N, 1, H, W)."""
    network.eval()
    return np.concatenate([network(part)[:, 0].double().numpy() for part in images.split(128)])


def _loss(network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    images, labels = batch
    return nn.functional.binary_cross_entropy_with_logits(network(images)[:, : labels.shape[1]], labels)


class _Balanced(NumberedBatches[tuple[Tensor, Tensor]]):
    """Half positives, the rest in equal shares from each pool of negatives. Batch n depends on seed and n alone."""

    def __init__(
        self,
        images: Tensor,
        labels: NDArray[Any],
        pools: Sequence[NDArray[np.intp]],
        size: int,
        seed: int,
    ) -> None:
        self.images, self.pools, self.size, self.seed = images, pools, size, seed
        self.labels = torch.from_numpy(np.asarray(labels, dtype=np.float32)).reshape(len(images), -1)

    def batch(self, number: int) -> tuple[Tensor, Tensor]:
        rng = self.generator(number)
        shares = [0.5] + [0.5 / (len(self.pools) - 1)] * (len(self.pools) - 1)
        rows = np.concatenate([rng.choice(p, round(self.size * s)) for p, s in zip(self.pools, shares, strict=True)])
        return jitter(self.images[rows], rng), self.labels[rows]


def jitter(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Shifts of up to 6 % and changes of gain and offset, each image its own."""
    height, width = images.shape[-2:]
    moved = []
    for image in images:
        rows = int(rng.integers(-height // 16, height // 16 + 1))
        columns = int(rng.integers(-width // 16, width // 16 + 1))
        padded = nn.functional.pad(image[None], [abs(columns)] * 2 + [abs(rows)] * 2, mode="replicate")[0]
        top, left = abs(rows) + rows, abs(columns) + columns
        moved.append(padded[:, top : top + height, left : left + width])
    gain = torch.from_numpy(rng.uniform(0.85, 1.15, (len(images), 1, 1, 1))).float()
    offset = torch.from_numpy(rng.normal(0, 0.1, (len(images), 1, 1, 1))).float()
    return torch.stack(moved) * gain + offset


def train_multilabel(
    tasks: Sequence[tuple[str, str]],
    training: Labelled,
    *,
    folder: Path,
    steps: int = 400,
    batch: int = 32,
    architecture: str = "small",
    seed: int = 0,
) -> nn.Module:
    """The baseline: one network with a shared trunk on whole films, one output per (term, segment)."""
    images = crops(training.films, training.lungs, WHOLE)
    labels = np.stack([training.truth[task] for task in tasks], axis=1)
    pools = [np.flatnonzero(labels.any(1)), np.flatnonzero(~labels.any(1))]
    torch.manual_seed(seed)
    network = backbone(architecture, outputs=len(tasks))
    plan = Plan(steps=steps, learning_rate=2e-3, weight_decay=1e-3, checkpoint_every=steps, seed=seed)
    train(network, _Balanced(images, labels, pools, batch, seed), _loss, plan, folder=folder)
    return network.eval()
