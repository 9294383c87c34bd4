"""Phantom patients with two chest radiographs each, between which planted signs grow, shrink, come, go or stay.

Both films show one thorax: the same ribs and vessels, and a sign that lasts stays where it was. Positioning, view and
development are drawn anew for each film.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Box
from groundglass.io.atomic import atomic_path
from groundglass.measurement import RadiographMasks, place_boxes
from groundglass.synthesis.thorax import PhantomRadiograph, PlantedFinding, expose, random_beam, random_thorax
from groundglass.synthesis.thorax.radiograph import develop

SIDES = ("left", "right")
ZONES = ("upper", "middle", "lower")


@dataclass(frozen=True, slots=True)
class Sign:
    """What can be planted: a finding with its side and zone."""

    name: str
    side: str | None = None
    zone: str | None = None


SIGNS = (
    Sign("cardiomegaly"),
    *(Sign("effusion", side) for side in SIDES),
    *(Sign("pneumothorax", side) for side in SIDES),
    *(Sign(name, side, zone) for name, side, zone in product(("consolidation", "nodule"), SIDES, ZONES)),
)
_SHARE = {"cardiomegaly": 0.4, "effusion": 0.3, "pneumothorax": 0.2, "consolidation": 0.12, "nodule": 0.08}
# Extent as `PlantedFinding` has it; of cardiomegaly the cardiothoracic ratio.
_RANGE = {
    "cardiomegaly": (0.55, 0.70),
    "effusion": (0.06, 0.45),
    "pneumothorax": (0.06, 0.30),
    "consolidation": (0.14, 0.45),
    "nodule": (0.07, 0.20),
}
_COMES_OR_GOES = 0.35
_GROWTH = 1.5
_HEART_GROWTH = 0.06
_STEADY = 0.03


@dataclass(frozen=True)
class FollowedChests:
    """`films` (N, 2, H, W) float32 in 0..1, the earlier film first; `boxes` (N, 2, P, 4) float32: top, left, bottom,
    right (half-open) of each of `places`, NaN where the place is outside the film; `severity` (N, 2, S) float32 of each
    of `SIGNS`: its extent, 0 where it is absent, NaN where it is there but outside the film."""

    films: NDArray[np.float32]
    boxes: NDArray[np.float32]
    severity: NDArray[np.float32]
    places: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.films)

    def part(self, first: int, last: int) -> FollowedChests:
        """Patients first..last-1."""
        rows = slice(first, last)
        return FollowedChests(self.films[rows], self.boxes[rows], self.severity[rows], self.places)


def followed_chests(
    count: int, seed: int, places: Sequence[str], *, size: int = 128, cache: Path | None = None
) -> FollowedChests:
    """`count` patients; patient n depends on (seed, n) only. `cache` (.npz) is read if it is there, else written.

    A sign is worse, better or the same in the second film with one chance in three each. Worse is an extent that is at
    least half as large again (a cardiothoracic ratio higher by 0.06 or more), or new in a third of the cases; the same
    is within 3 %.
    """
    if cache is not None and cache.exists():
        with np.load(cache) as held:
            return FollowedChests(held["films"], held["boxes"], held["severity"], tuple(map(str, held["places"])))
    made = [_patient(np.random.default_rng((seed, n)), places, size) for n in range(count)]
    films, boxes, severity = (np.stack([row[i] for row in made]) for i in range(3))
    chests = FollowedChests(films, boxes, severity, tuple(places))
    if cache is not None:
        with atomic_path(cache) as path, path.open("wb") as file:
            np.savez(file, films=films, boxes=boxes, severity=severity, places=np.array(places))
    return chests


def planned_extents(rng: np.random.Generator) -> NDArray[np.float32]:
    """(2, S) extents of every sign in the earlier and the later film, 0 where it is absent."""
    extents = np.zeros((2, len(SIGNS)), dtype=np.float32)
    for index, sign in enumerate(SIGNS):
        if rng.random() < _SHARE[sign.name]:
            extents[:, index] = _course(sign.name, rng)
    return extents


def _course(name: str, rng: np.random.Generator) -> tuple[float, float]:
    """Extents before and after; whichever is larger, either film is as likely to have it."""
    low, high = _RANGE[name]
    if rng.random() < 1 / 3:
        extent = rng.uniform(low, high)
        return extent, float(np.clip(extent * rng.uniform(1 - _STEADY, 1 + _STEADY), low, high))
    if rng.random() < _COMES_OR_GOES:
        pair = 0.0, rng.uniform(low, high)
    elif name == "cardiomegaly":
        smaller = rng.uniform(low, high - _HEART_GROWTH)
        pair = smaller, rng.uniform(smaller + _HEART_GROWTH, high)
    else:
        smaller = rng.uniform(low, high / _GROWTH)
        pair = smaller, rng.uniform(smaller * _GROWTH, high)
    return pair if rng.random() < 0.5 else (pair[1], pair[0])


def _patient(
    rng: np.random.Generator, places: Sequence[str], size: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    extents = planned_extents(rng)
    normal = rng.uniform(0.38, 0.47)
    anatomy, drawing = rng.integers(2**63, size=2)
    films, boxes = [], []
    for exam in range(2):
        thorax = random_thorax(np.random.default_rng(anatomy), ratio=float(extents[exam, 0]) or normal)
        beam = random_beam(thorax, rng, view=str(rng.choice(["PA", "AP"])), size=size)
        planted = tuple(_planted(extents, exam))
        phantom = expose(thorax, beam, np.random.default_rng(drawing), planted)
        films.append(develop(phantom.absorption, rng))
        found = place_boxes(RadiographMasks(phantom.masks))
        boxes.append([_corners(found.get(place)) for place in places])
        for index, sign in enumerate(SIGNS):
            if extents[exam, index] > 0 and not _is_in_field(sign, phantom):
                extents[exam, index] = np.nan
    return np.stack(films), np.array(boxes, dtype=np.float32), extents


def _planted(extents: NDArray[np.float32], exam: int) -> list[PlantedFinding]:
    """The exam's findings, those that last first: the draws that place them are then the same in both films."""
    present = [index for index in np.argsort(~(extents != 0).all(axis=0), kind="stable") if extents[exam, index] > 0]
    signs = [(SIGNS[index], float(extents[exam, index])) for index in present]
    return [PlantedFinding(sign.name, sign.side, sign.zone, extent) for sign, extent in signs]


def _is_in_field(sign: Sign, phantom: PhantomRadiograph) -> bool:
    mask = phantom.masks.get("heart" if sign.side is None else f"{sign.side} {sign.name}")
    return mask is not None and bool(mask.any())


def _corners(box: Box | None) -> tuple[float, ...]:
    return (np.nan,) * 4 if box is None else (*map(float, box.start), *map(float, box.stop))
