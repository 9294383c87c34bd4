"""`compare tracks`: a target's masks over the frames of cine MR, or what happens in each second of an operation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from groundglass.app.compare.batch import Failure, failures_of, run_all
from groundglass.app.compare.cases import FilePair, listed, pair_files
from groundglass.app.compare.kind import Measure, Scored, Test, chosen_metrics
from groundglass.app.compare.masks import is_mask_file
from groundglass.app.compare.seconds import SECONDS, SecondRules, is_seconds_file, score_video, usual_of_video
from groundglass.app.compare.settings import Settings
from groundglass.core import ConfigurationError, GeometryError, InputError
from groundglass.metrics.statistics import Row
from groundglass.metrics.tracking import trackrad_scores

Variant = Literal["corrected", "script"]
TARGET = {
    "dsc": Measure("Dice"),
    "hd95": Measure("HD95", "mm", higher_is_better=False),
    "asd_to_truth": Measure('ASD to truth (the challenge\'s "MASD")', "mm", higher_is_better=False),
    "masd": Measure("MASD (symmetric)", "mm", higher_is_better=False),
    "centre_distance": Measure("centre distance", "mm", higher_is_better=False),
    "relative_d98": Measure("relative D98"),
}
MEASURES = {**TARGET, **SECONDS}


@dataclass(frozen=True, slots=True)
class Tracks:
    """Targets (TrackRAD2025) or seconds of videos (PitVis-2023, phases), by what the files hold.

    `time_axis` (first or last in the file's order) is that of three-dimensional files, which do not say; `pixel_mm` the
    size of a pixel, `sigma` that of the dose's blur in mm. `variant` script reproduces the organisers' scripts.
    """

    time_axis: str = "first"
    pixel_mm: float = 1.0
    sigma: float = 4.0
    variant: str = "corrected"

    @property
    def name(self) -> str:
        return "tracks"

    @property
    def rules(self) -> Mapping[str, Any]:
        return {"variant": self.variant, "pixel": f"{self.pixel_mm:g} mm", "first frame": "left out of the means"}

    def measure(self, metric: str) -> Measure:
        return MEASURES[metric]

    def tests(self, first: Scored, second: Scored, settings: Settings) -> Sequence[Test]:
        return ()

    def score(self, prediction: Path, truth: Path, settings: Settings) -> Scored:
        """All cases. Raises the typed errors of core."""
        if self.time_axis not in ("first", "last"):
            raise ConfigurationError(f"--time-axis {self.time_axis}", "is not known", "Use first or last.")
        if self.variant not in ("corrected", "script"):
            raise ConfigurationError(f"--variant {self.variant}", "is not known", "Use corrected or script.")
        if not (self.pixel_mm > 0 and self.sigma > 0):
            raise ConfigurationError("--pixel-mm, --sigma", "are not above 0", "Give sizes in mm.")
        pairing = pair_files(prediction, truth, lambda path: is_mask_file(path) or is_seconds_file(path), settings)
        cases = [pair.case for pair in pairing.pairs]
        tables = [is_seconds_file(pair.truth) for pair in pairing.pairs]
        if any(tables) != all(tables):
            raise InputError(truth, "holds masks and tables", "Compare targets and videos apart.")
        work = self._videos(pairing.pairs, settings) if all(tables) else self._targets(settings)
        answers = run_all(work, pairing.pairs, processes=settings.processes, title="scoring")
        failures = failures_of(cases, answers)
        rows = [
            Row(pair.case, pair.patient, "all", metric, value)
            for pair, values in zip(pairing.pairs, answers, strict=True)
            if not isinstance(values, Failure)
            for metric, value in values.items()
        ]
        extra = pairing.without_truth
        notes = [f"{len(extra)} prediction(s) have no truth and were left out: {listed(extra)}"] if extra else []
        return Scored(rows, (), len(cases), pairing.missing, failures, notes)

    def _targets(self, settings: Settings) -> partial[dict[str, float]]:
        return partial(_score_target, chosen_metrics(settings.metrics, tuple(TARGET)), self)

    def _videos(self, pairs: Sequence[FilePair], settings: Settings) -> partial[dict[str, float]]:
        usual = usual_of_video(pairs[0].truth)
        metrics = chosen_metrics(settings.metrics, tuple(SECONDS), usual)
        return partial(score_video, SecondRules(metrics, self.variant, settings.missing))


def _score_target(metrics: Sequence[str], kind: Tracks, pair: FilePair) -> dict[str, float]:
    """Means over the frames of one case; a missing prediction is one that is empty in every frame."""
    truth = _frames(pair.truth, kind.time_axis)
    said = np.zeros_like(truth) if pair.prediction is None else _frames(pair.prediction, kind.time_axis)
    if said.shape != truth.shape:
        raise GeometryError(
            f"{pair.prediction} and {pair.truth}",
            f"have different shapes, {said.shape} and {truth.shape} (frames, rows, columns)",
            "Give a mask for each frame, on the grid of the truth.",
        )
    variant: Variant = "script" if kind.variant == "script" else "corrected"
    scores = trackrad_scores(said, truth, sigma=kind.sigma, pixel_mm=kind.pixel_mm, variant=variant)
    return {metric: float(scores.get(metric, math.nan)) for metric in metrics}


def _frames(path: Path, time_axis: str) -> NDArray[Any]:
    """(frames, rows, columns) of a file. Raises GeometryError where that cannot be told."""
    from groundglass.io import read_image

    image = read_image(path)
    array = image.array[0]
    axis = image.time_axis if image.time_axis is not None else 0 if time_axis == "first" else array.ndim - 1
    moved = np.moveaxis(array, axis, 0)
    if moved.ndim == 4 and moved.shape[-1] == 1:
        moved = moved[..., 0]
    if moved.ndim != 3:
        raise GeometryError(path, f"of shape {array.shape} is no series of flat frames", "Give frames, rows, columns.")
    return moved
