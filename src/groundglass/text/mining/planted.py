"""PET/CT reports with known lesions, written by a grammar, and among them sentences that must not be mined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

_LESIONS = (
    "right hilar node", "left axillary lymph node", "nodule in the right upper lobe", "soft tissue mass in the pelvis",
    "focus in the L3 vertebral body", "liver lesion in segment 6", "left iliac node", "mass in the left lower lobe",
    "splenic lesion", "peritoneal implant",
)  # fmt: skip
_FRAMES = (
    "FDG-avid {what}, SUVmax {suv} (slice {slice}).",
    "There is an intensely hypermetabolic {what} with SUVmax of {suv}, image {slice}.",
    "Hypermetabolic {what} (SUV max {suv}, axial image {slice}).",
    "The {what} demonstrates a maximum SUV of {suv} on slice {slice}.",
    "{what} on image 4/{slice} with an SUVmax of {suv}.",
    "Tracer uptake in a {what}, SUVmax: {suv}, image number {slice}.",
)
_DISTRACTORS = (
    "Previously the {what} had an SUVmax of {suv} (image {slice}).",
    "Liver background SUVmax {suv} on image {slice}.",
    "Mediastinal blood pool SUVmax is {suv} (slice {slice}).",
    "Multiple nodes with SUVmax ranging from {suv} to {other}, slice {slice}.",
    "Two nodules with SUVmax {suv} and {other} on images {slice} and {next}.",
    "Physiologic uptake in the bladder, SUVmax {suv}, image {slice}.",
    "The {what} has decreased, SUVmax {suv} compared with {other} on image {slice}.",
)
_SILENT = (
    "No suspicious uptake in the neck.",
    "A 4 mm nodule on image {slice} is below PET resolution.",
    "The liver is unremarkable.",
)


@dataclass(frozen=True, slots=True)
class PlantedUptake:
    """A report and, by sentence start, the SUVmax and slice of every sentence that may be mined, and the number of the
    lesion that it speaks of."""

    text: str
    truth: dict[int, tuple[float, int]]
    lesion: dict[int, int]


class Lesion(NamedTuple):
    """What a report says of one lesion: its words, its SUVmax and its slice."""

    what: str
    suv_max: float
    slice: int


def planted_uptake(
    rng: np.random.Generator, *, distractors: float = 0.15, lesions: Sequence[Lesion] | None = None, slices: int = 340
) -> PlantedUptake:
    """One to eight lesions (or those given), a share of `distractors` among the sentences with numbers, and sentences
    without.

    Of lesions that are given one in twenty has its SUVmax rounded to a whole number, and one in twenty its slice
    counted from the other end of the `slices`.
    """
    said: list[tuple[str, tuple[float, int] | None]] = []
    for lesion, digits in _random_lesions(rng) if lesions is None else _carelessly(rng, lesions, slices):
        while rng.random() < distractors:
            said.append((_filled(rng, str(rng.choice(_DISTRACTORS)), slices), None))
        text = str(rng.choice(_FRAMES)).format(what=lesion.what, suv=f"{lesion.suv_max:.{digits}f}", slice=lesion.slice)
        said.append((text[:1].upper() + text[1:], (lesion.suv_max, lesion.slice)))
        if rng.random() < 0.3:
            said.append((_filled(rng, str(rng.choice(_SILENT)), slices), None))
    text, truth, number = "FINDINGS: ", {}, {}
    for sentence, known in said:
        if known is not None:
            truth[len(text)], number[len(text)] = known, len(truth)
        text += f"{sentence} "
    return PlantedUptake(text.rstrip(), truth, number)


_Stated = tuple[Lesion, int]
"""A lesion, and the decimals of its SUVmax."""


def _random_lesions(rng: np.random.Generator) -> list[_Stated]:
    return [
        (Lesion(str(rng.choice(_LESIONS)), round(float(rng.uniform(2.6, 24)), 1), int(rng.integers(20, 320))), 1)
        for _ in range(int(rng.integers(1, 9)))
    ]


def _carelessly(rng: np.random.Generator, lesions: Sequence[Lesion], slices: int) -> list[_Stated]:
    said = []
    for lesion in lesions:
        digits = 0 if rng.random() < 0.05 else 1
        place = slices + 1 - lesion.slice if rng.random() < 0.05 else lesion.slice
        said.append((Lesion(lesion.what, round(lesion.suv_max, digits), place), digits))
    return said


def _filled(rng: np.random.Generator, frame: str, slices: int) -> str:
    suv, place = round(float(rng.uniform(1.2, 20)), 1), int(rng.integers(slices // 16, slices - slices // 16))
    return frame.format(what=str(rng.choice(_LESIONS)), suv=suv, other=round(suv + 1.7, 1), slice=place, next=place + 7)
