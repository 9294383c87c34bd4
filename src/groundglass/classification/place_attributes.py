"""Findings place by place: training of the place-wise networks, and of one for the whole film to hold against them."""

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
from groundglass.nets.map_classifier import MapClassifier
from groundglass.nets.place_net import PlaceAttributes


def train_place_attributes(
    films: PlaceFilms, *, folder: Path, steps: int, graph: bool = False, batch: int = 24, seed: int = 0
) -> PlaceAttributes:
    """A network that says K attributes of each place of single films (truth 0 or 1; negative does not count).

    With `graph` the places exchange what they hold along their co-occurrence in the training films. Raises InputError
    for films of more than one exam and for other truths.
    """
    _check(films)
    torch.manual_seed(seed)
    places, attributes = films.truth.shape[1:]
    adjacency = torch.from_numpy(co_occurrence(films)) if graph else None
    network = PlaceAttributes(places, attributes, adjacency=adjacency)
    batches = PlaceBatches(films, size=batch, seed=seed)
    train(network, batches, _place_loss, _plan(steps, seed), folder=folder)
    return network.eval()


def train_image_attributes(
    films: PlaceFilms, *, folder: Path, steps: int, batch: int = 24, seed: int = 0
) -> MapClassifier:
    """A network that says of the whole film which attributes it has in any place, for as many steps on the same
    films."""
    _check(films)
    torch.manual_seed(seed)
    network = MapClassifier(films.truth.shape[2])
    batches = PlaceBatches(films, size=batch, seed=seed)
    train(network, batches, _image_loss, _plan(steps, seed), folder=folder)
    return network.eval()


def co_occurrence(films: PlaceFilms) -> NDArray[np.float32]:
    """(P, P): films in which both places have a finding over the geometric mean of those in which either has; 0 on the
    diagonal."""
    found = np.asarray(((films.truth > 0) & films.stated).any(axis=2), dtype=np.float64)
    together = found.T @ found
    alone = np.sqrt(np.outer(found.sum(axis=0), found.sum(axis=0)))
    weights = np.divide(together, alone, out=np.zeros_like(together), where=alone > 0)
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float32)


@torch.no_grad()
def place_scores(network: PlaceAttributes, films: PlaceFilms) -> NDArray[np.float64]:
    """Logits (N, P, K) of single films, NaN where the film has no such place."""
    network.eval()
    images, boxes, _ = place_batch(films)
    parts = zip(images.split(64), boxes[:, 0].split(64), strict=True)
    scores = torch.cat([network(part, held) for part, held in parts]).double().numpy()
    return np.where(films.shown[..., None], scores, np.nan)


def _plan(steps: int, seed: int) -> Plan:
    return Plan(steps=steps, learning_rate=2e-3, weight_decay=1e-3, average=0.99, checkpoint_every=steps, seed=seed)


def _place_loss(network: nn.Module, batch: PlaceBatch) -> Tensor:
    images, boxes, truth = batch
    return _masked(network(images, boxes[:, 0]), truth)


def _image_loss(network: nn.Module, batch: PlaceBatch) -> Tensor:
    images, _, truth = batch
    return _masked(network(images), truth.amax(dim=1))


def _masked(logits: Tensor, truth: Tensor) -> Tensor:
    """Binary cross-entropy over what is stated."""
    stated = truth >= 0
    return nn.functional.binary_cross_entropy_with_logits(logits[stated], truth[stated].to(logits))


def _check(films: PlaceFilms) -> None:
    if films.films.shape[1] != 1 or films.truth.max() > 1:
        raise InputError("place films", "are not single exams with truths 0 and 1", "Give one exam and 0, 1 or -1.")
