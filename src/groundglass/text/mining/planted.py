"""PET/CT reports with known lesions, written by a grammar, and among them sentences that must not be mined."""

from __future__ import annotations

from dataclasses import dataclass

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
    """A report and, by sentence start, the SUVmax and slice of every sentence that may be mined."""

    text: str
    truth: dict[int, tuple[float, int]]


def planted_uptake(rng: np.random.Generator, *, distractors: float = 0.15) -> PlantedUptake:
    """One to eight lesions, a share of `distractors` among the sentences with numbers, and sentences without."""
    said: list[tuple[str, tuple[float, int] | None]] = []
    for _ in range(int(rng.integers(1, 9))):
        suv, place = round(float(rng.uniform(2.6, 24)), 1), int(rng.integers(20, 320))
        while rng.random() < distractors:
            said.append((_filled(rng, str(rng.choice(_DISTRACTORS))), None))
        what = str(rng.choice(_LESIONS))
        frame = str(rng.choice(_FRAMES))
        text = frame.format(what=what, suv=suv, slice=place)
        said.append((text[:1].upper() + text[1:], (suv, place)))
        if rng.random() < 0.3:
            said.append((_filled(rng, str(rng.choice(_SILENT))), None))
    text, truth = "FINDINGS: ", {}
    for sentence, known in said:
        if known is not None:
            truth[len(text)] = known
        text += f"{sentence} "
    return PlantedUptake(text.rstrip(), truth)


def _filled(rng: np.random.Generator, frame: str) -> str:
    suv, place = round(float(rng.uniform(1.2, 20)), 1), int(rng.integers(20, 320))
    return frame.format(what=str(rng.choice(_LESIONS)), suv=suv, other=round(suv + 1.7, 1), slice=place, next=place + 7)
