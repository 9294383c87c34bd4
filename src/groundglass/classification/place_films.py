"""Films with boxed places: what is stated of each place, and batches of them, moved and brightened anew each time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from groundglass.core.errors import InputError
from groundglass.learn import NumberedBatches


@dataclass(frozen=True)
class PlaceFilms:
    """`films` (N, E, H, W) in 0..1, of E exams in time order; `boxes` (N, E, P, 4): top, left, bottom, right in pixels
    (half-open), NaN where the film has no such place; `truth` (N, P, K): an integer for each of K questions of the
    place, negative where nothing is stated: a place that is missing or not spoken of is not normal.

    Raises InputError when the shapes do not go together.
    """

    films: NDArray[np.float32]
    boxes: NDArray[np.float32]
    truth: NDArray[np.int64]

    def __post_init__(self) -> None:
        films, boxes, truth = self.films.shape, self.boxes.shape, self.truth.shape
        if len(films) != 4 or boxes != (*films[:2], truth[1], 4) or truth[0] != films[0]:
            raise InputError(
                "place films",
                f"have shapes {films} (films), {boxes} (boxes), {truth} (truth)",
                "Give (N, E, H, W), (N, E, P, 4) and (N, P, K).",
            )

    def __len__(self) -> int:
        return len(self.films)

    def only(self, rows: NDArray[np.intp]) -> PlaceFilms:
        """These rows alone."""
        return PlaceFilms(self.films[rows], self.boxes[rows], self.truth[rows])

    @property
    def shown(self) -> NDArray[np.bool_]:
        """(N, P): places that every exam shows."""
        return np.asarray(~np.isnan(self.boxes).any(axis=(1, 3)))

    @property
    def stated(self) -> NDArray[np.bool_]:
        """(N, P, K): what is stated of a place that every exam shows."""
        return (self.truth >= 0) & self.shown[..., None]


PlaceBatch = tuple[Tensor, Tensor, Tensor]
"""Images (B, E, H, W), standardised; boxes (B, E, P, 4); truth (B, P, K), negative where it does not count."""


def place_batch(films: PlaceFilms) -> PlaceBatch:
    """All of the films as one batch: grey values standardised film by film."""
    grey = films.films - films.films.mean(axis=(2, 3), keepdims=True)
    grey /= films.films.std(axis=(2, 3), keepdims=True) + 1e-6
    truth = np.where(films.stated, films.truth, -1)
    return torch.from_numpy(grey), torch.from_numpy(films.boxes), torch.from_numpy(truth)


class PlaceBatches(NumberedBatches[PlaceBatch]):
    """`size` films drawn by chance, each moved by up to 6 % of its side with its boxes, its gain and offset changed."""

    def __init__(self, films: PlaceFilms, *, size: int, seed: int) -> None:
        self.images, self.boxes, self.truth = place_batch(films)
        self.size, self.seed = size, seed

    def batch(self, number: int) -> PlaceBatch:
        rng = self.generator(number)
        rows = rng.choice(len(self.images), self.size)
        return (*moved(self.images[rows], self.boxes[rows], rng), self.truth[rows])


def moved(images: Tensor, boxes: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Images (B, E, H, W) moved by up to 6 % of their sides, edges repeated, and brightened; boxes move along."""
    batch, exams, height, width = images.shape
    rows = rng.integers(-height // 16, height // 16 + 1, (batch, exams))
    columns = rng.integers(-width // 16, width // 16 + 1, (batch, exams))
    pad = max(height, width) // 16 + 1
    padded = nn.functional.pad(images, [pad] * 4, mode="replicate")
    found = torch.empty_like(images)
    for index in np.ndindex(batch, exams):
        top, left = pad - rows[index], pad - columns[index]
        found[index] = padded[index][top : top + height, left : left + width]
    shift = torch.from_numpy(np.stack([rows, columns, rows, columns], axis=-1)[:, :, None]).to(boxes)
    side = torch.tensor([height, width, height, width]).to(boxes)
    gain = torch.from_numpy(rng.uniform(0.85, 1.15, (batch, exams, 1, 1))).float()
    offset = torch.from_numpy(rng.normal(0, 0.1, (batch, exams, 1, 1))).float()
    return found * gain + offset, torch.minimum((boxes + shift).clamp(min=0), side)
