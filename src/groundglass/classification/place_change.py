"""Change between two films place by place: improved, no change, worsened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from groundglass.classification.place_films import PlaceBatch, PlaceBatches, PlaceFilms, place_batch
from groundglass.core.errors import InputError
from groundglass.learn import Plan
from groundglass.learn.loop import train
from groundglass.nets.place_net import PlaceChange

CHANGES = ("improved", "no change", "worsened")


def train_place_change(
    films: PlaceFilms, *, folder: Path, steps: int, prior: bool = True, batch: int = 12, seed: int = 0
) -> PlaceChange:
    """A network for pairs of films (truth: index of CHANGES, one question a place; negative does not count).

    Every pair of a batch is shown in both orders, improved and worsened swapped. Without `prior` the earlier film is
    not looked at. Raises InputError for films that are not pairs and for other truths.
    """
    if films.films.shape[1] != 2 or films.truth.shape[2] != 1 or films.truth.max() >= len(CHANGES):
        raise InputError("place films", "are not pairs with one change a place", "Give two exams and 0, 1, 2 or -1.")
    torch.manual_seed(seed)
    network = PlaceChange(films.truth.shape[1], prior=prior)
    plan = Plan(steps=steps, learning_rate=2e-3, weight_decay=1e-2, average=0.99, checkpoint_every=steps, seed=seed)
    train(network, PlaceBatches(films, size=batch, seed=seed), _loss, plan, folder=folder)
    return network.eval()


@torch.no_grad()
def place_changes(network: PlaceChange, films: PlaceFilms) -> NDArray[np.float64]:
    """Logits (N, P, 3) in the order of CHANGES, NaN where one of the films has no such place."""
    network.eval()
    images, boxes, _ = place_batch(films)
    parts = zip(images.split(32), boxes.split(32), strict=True)
    scores = torch.cat([network(part, held)[0] for part, held in parts]).double().numpy()
    return np.where(films.shown[..., None], scores, np.nan)


def swapped(films: PlaceFilms) -> PlaceFilms:
    """The pairs in the other order: improved becomes worsened and the reverse."""
    truth = np.where(films.truth < 0, films.truth, 2 - films.truth)
    return PlaceFilms(films.films[:, ::-1].copy(), films.boxes[:, ::-1].copy(), truth)


def _loss(network: nn.Module, batch: PlaceBatch) -> Tensor:
    images, boxes, truth = batch
    truth = torch.cat([truth, torch.where(truth < 0, truth, 2 - truth)])[..., 0]
    logits = torch.cat(network(images, boxes))
    stated = truth >= 0
    return nn.functional.cross_entropy(logits[stated], truth[stated])
