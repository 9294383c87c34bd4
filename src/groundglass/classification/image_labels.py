"""A classifier of whole films by labels that may hold together, whose maps show where each answer comes from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from groundglass.classification.place_films import moved
from groundglass.core.errors import InputError
from groundglass.learn import NumberedBatches, Plan
from groundglass.learn.loop import train
from groundglass.learn.objectives.balanced_binary_cross_entropy import balanced_binary_cross_entropy
from groundglass.nets.log_sum_exp_pooling import LogSumExpPooling
from groundglass.nets.map_classifier import MapClassifier, Pooling
from groundglass.nets.transition import TransitionClassifier

Loss = Callable[[Tensor, Tensor], Tensor]
LabelBatch = tuple[Tensor, Tensor]
"""Images (B, 1, H, W), standardised; truth (B, C) of 0 and 1."""


class LabelBatches(NumberedBatches[LabelBatch]):
    """`size` films drawn by chance, each moved by up to 6 % of its side, its gain and offset changed."""

    def __init__(self, images: Tensor, truth: Tensor, *, size: int, seed: int) -> None:
        self.images, self.truth = images, truth
        self.size, self.seed = size, seed

    def batch(self, number: int) -> LabelBatch:
        rng = self.generator(number)
        rows = rng.choice(len(self.images), self.size)
        images = self.images[rows]
        return moved(images, images.new_empty((self.size, 1, 0, 4)), rng)[0], self.truth[rows]


def standardised(films: ArrayLike) -> Tensor:
    """Images (N, 1, H, W) of films (N, H, W): each with mean 0 and standard deviation 1."""
    grey = np.asarray(films, dtype=np.float32)[:, None]
    grey = grey - grey.mean(axis=(2, 3), keepdims=True)
    return torch.from_numpy(grey / (grey.std(axis=(2, 3), keepdims=True) + 1e-6))


def train_image_labels(
    films: ArrayLike,
    truth: ArrayLike,
    *,
    folder: Path,
    steps: int,
    pooling: Pooling | None = None,
    loss: Loss = balanced_binary_cross_entropy,
    batch: int = 24,
    seed: int = 0,
) -> TransitionClassifier:
    """A network with the transition layer of arXiv 1705.02315 for films (N, H, W) and their labels (N, C) of 0 and 1.

    `pooling` is log-sum-exp with r = 10 unless another is given. Weights start at random. Raises InputError when the
    shapes do not go together.
    """
    images, labels = standardised(films), torch.from_numpy(np.asarray(truth, dtype=np.float32))
    if labels.ndim != 2 or len(labels) != len(images):
        raise InputError("labels", f"have shape {tuple(labels.shape)} for {len(images)} films", "Give (films, labels).")
    torch.manual_seed(seed)
    network = TransitionClassifier(labels.shape[1], pooling=pooling or LogSumExpPooling())
    batches = LabelBatches(images, labels, size=batch, seed=seed)
    plan = Plan(steps=steps, learning_rate=2e-3, weight_decay=1e-3, average=0.99, checkpoint_every=steps, seed=seed)

    def objective(model: nn.Module, drawn: LabelBatch) -> Tensor:
        return loss(model(drawn[0]), drawn[1])

    train(network, batches, objective, plan, folder=folder)
    return network.eval()


@torch.no_grad()
def label_logits(network: MapClassifier, films: ArrayLike) -> NDArray[np.float64]:
    """Logits (N, C) of films (N, H, W)."""
    network.eval()
    return torch.cat([network(part) for part in standardised(films).split(64)]).double().numpy()
