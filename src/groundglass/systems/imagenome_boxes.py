"""Check 3 of system 76: boxes of places from a film's outlines against those of the exact masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from groundglass.core import Box
from groundglass.measurement.radiographic import RadiographMasks, place_boxes
from groundglass.metrics.detection import BoxSet, box_iou
from groundglass.segmentation.radiograph import outlines
from groundglass.synthesis.thorax import PhantomRadiograph, random_radiograph
from groundglass.systems.proof import Claim
from groundglass.text import graph

_FILMS, _ATLAS_FILMS = 40, 60
_SIDED = ("lung", "apical zone", "upper lung zone", "mid lung zone", "lower lung zone")
_BELOW = ("hemidiaphragm", "costophrenic angle")
_TWENTY = (
    *(f"{side} {name}" for side in ("right", "left") for name in (*_SIDED, *_BELOW)),
    "trachea", "spine", "mediastinum", "upper mediastinum", "cardiac silhouette", "abdomen",
)  # fmt: skip
"""The lungs with their parts and the large places between them; all 29 are in the detail."""


def box_claims(seed: int) -> list[Claim]:
    """Boxes of the shipped network's outlines, and mean boxes of other films, against those of the exact masks."""
    atlas = [_true_boxes(_film(seed, number)) for number in range(_FILMS, _FILMS + _ATLAS_FILMS)]
    usual = {place: _mean_box([boxes[place] for boxes in atlas if place in boxes]) for place in graph.boxed_places()}
    found: dict[str, list[float]] = {place: [] for place in graph.boxed_places()}
    guessed: dict[str, list[float]] = {place: [] for place in graph.boxed_places()}
    for number in range(_FILMS):
        film = _film(seed, number)
        made = place_boxes(RadiographMasks(outlines(film.image)[1]))
        for place, true in _true_boxes(film).items():
            found[place].append(_overlap(made[place], true) if place in made else 0.0)
            guessed[place].append(_overlap(usual[place], true))
    ious = {place: float(np.mean(values)) for place, values in found.items()}
    means = {place: float(np.mean(values)) for place, values in guessed.items()}
    mean, usual_mean = (float(np.mean([held[place] for place in _TWENTY])) for held in (ious, means))
    everywhere = float(np.mean(list(ious.values())))
    detail: dict[str, float | int | str] = {
        "films": _FILMS,
        "all 29 places": everywhere,
        "places at 0.80 or more": sum(value >= 0.8 for value in ious.values()),
        **ious,
    }
    gain = mean - usual_mean
    return [
        Claim("boxes, mean IoU on 20 places", mean, ">= 0.80", mean >= 0.8, simulated=True, detail=detail),
        Claim(
            "boxes above the mean box of other films, mean IoU",
            gain,
            ">= 0.15",
            gain >= 0.15,
            baseline=usual_mean,
            simulated=True,
        ),
    ]


def _film(seed: int, number: int) -> PhantomRadiograph:
    return random_radiograph(np.random.default_rng([seed, number]), size=256)


def _true_boxes(film: PhantomRadiograph) -> dict[str, Box]:
    return place_boxes(RadiographMasks(film.masks))


def _mean_box(boxes: Sequence[Box]) -> Box:
    start, stop = (np.rint(np.mean([getattr(box, end) for box in boxes], axis=0)) for end in ("start", "stop"))
    return Box(tuple(map(int, start)), tuple(map(int, stop)))


def _overlap(first: Box, second: Box) -> float:
    return float(box_iou(*(BoxSet.of([0], [0], [box]) for box in (first, second)))[0, 0])
