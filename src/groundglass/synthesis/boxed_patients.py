"""Phantom patients with several chest radiographs each, which of the signs they have, and the true box of each sign."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from groundglass.io.atomic import atomic_path
from groundglass.synthesis.thorax import PhantomRadiograph, PlantedFinding, expose, random_beam, random_thorax

CHEST_LABELS = ("cardiomegaly", "effusion", "consolidation", "nodule")
# Share of patients.
_SHARE = {"cardiomegaly": 0.3, "effusion": 0.3, "consolidation": 0.35, "nodule": 0.35}
# Extent as `PlantedFinding` has it.
_EXTENT = {"effusion": (0.15, 0.45), "consolidation": (0.50, 0.70), "nodule": (0.13, 0.19)}
_SIDES = ("left", "right")
_ZONES = ("upper", "middle", "lower")


@dataclass(frozen=True)
class BoxedChests:
    """`films` (N, H, W) float32 in 0..1; `patients` (N,) the number of each film's patient; `truth` (N, L) which of
    `CHEST_LABELS` it shows; `boxes` (N, L, 4) float32: top, left, bottom, right (half-open pixels), NaN where it does
    not."""

    films: NDArray[np.float32]
    patients: NDArray[np.int64]
    truth: NDArray[np.bool_]
    boxes: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.films)

    def only(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> BoxedChests:
        """These films alone."""
        return BoxedChests(self.films[rows], self.patients[rows], self.truth[rows], self.boxes[rows])


def boxed_chests(
    patients: int,
    seed: int,
    *,
    films: int = 4,
    size: int = 128,
    cache: Path | None = None,
) -> BoxedChests:
    """`patients` with `films` each; patient n depends on (seed, n) only. `cache` (.npz) is read if there, else written.

    A patient keeps the thorax and which signs there are; where they lie and how large they are is drawn anew for each
    film, as are view and development. A sign outside the film is not shown, so that its label is false.
    """
    if cache is not None and cache.exists():
        with np.load(cache) as held:
            return BoxedChests(held["films"], held["patients"], held["truth"], held["boxes"])
    made = [film for n in range(patients) for film in _patient(n, seed, films, size)]
    boxes = np.array([held for _, held in made], dtype=np.float32)
    chests = BoxedChests(
        np.stack([film for film, _ in made]),
        np.repeat(np.arange(patients), films),
        np.asarray(~np.isnan(boxes).any(axis=2)),
        boxes,
    )
    if cache is not None:
        with atomic_path(cache) as path, path.open("wb") as file:
            np.savez(file, films=chests.films, patients=chests.patients, truth=chests.truth, boxes=chests.boxes)
    return chests


def _patient(
    number: int, seed: int, films: int, size: int
) -> list[tuple[NDArray[np.float32], list[tuple[float, ...]]]]:
    rng = np.random.default_rng((seed, number))
    present = {name for name, share in _SHARE.items() if rng.random() < share}
    ratio = rng.uniform(0.56, 0.70) if "cardiomegaly" in present else rng.uniform(0.38, 0.47)
    thorax = random_thorax(rng, ratio=ratio)
    made = []
    for _ in range(films):
        beam = random_beam(thorax, rng, view=str(rng.choice(["PA", "AP"])), size=size)
        phantom = expose(thorax, beam, rng, tuple(_planted(name, rng) for name in CHEST_LABELS if name in present))
        made.append((phantom.image, [_box(name, phantom) for name in CHEST_LABELS]))
    return made


def _planted(name: str, rng: np.random.Generator) -> PlantedFinding:
    if name == "cardiomegaly":
        return PlantedFinding(name)
    zone = _ZONES[rng.integers(3)] if name in ("consolidation", "nodule") else None
    return PlantedFinding(name, _SIDES[rng.integers(2)], zone, rng.uniform(*_EXTENT[name]))


def _box(name: str, phantom: PhantomRadiograph) -> tuple[float, ...]:
    """Of the one finding of this name, NaN where the film shows none. The box of a large heart is the heart's."""
    found = next((finding for finding in phantom.findings if finding.name == name), None)
    mask = phantom.masks.get("heart" if name == "cardiomegaly" else f"{found.side} {name}") if found else None
    if mask is None or not mask.any():
        return (np.nan,) * 4
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (float(rows[0]), float(columns[0]), float(rows[-1]) + 1, float(columns[-1]) + 1)
