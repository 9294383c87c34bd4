"""Generated images by the features of an encoder: two sets, not pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from groundglass.app.compare.kind import Figure, Measure, Scored, chosen_metrics
from groundglass.app.compare.settings import Settings
from groundglass.core import InputError
from groundglass.metrics.generative import fidelity

SET_MEASURES = {
    "fid": Measure("FID", higher_is_better=False),
    "kid": Measure("KID", higher_is_better=False),
    "precision": Measure("precision (improved)"),
    "recall": Measure("recall (improved)"),
    "density": Measure("density"),
    "coverage": Measure("coverage"),
}


def is_features(path: Path) -> bool:
    """By its suffix: arrays of numpy."""
    return path.suffix.lower() in (".npy", ".npz")


def score_features(prediction: Path, truth: Path, settings: Settings) -> Scored:
    """Figures of two feature files (N, D), without intervals: a bootstrap repeats images, and FID and the neighbour
    figures of a set with copies are those of a smaller set."""
    metrics = chosen_metrics(settings.metrics, tuple(SET_MEASURES))
    said, real = _read(prediction), _read(truth)
    found = fidelity(real, said, seed=settings.seed)
    near = found.neighbourhoods
    values = {
        "fid": found.fid,
        "kid": found.kid.mean,
        "precision": near.precision,
        "recall": near.recall,
        "density": near.density,
        "coverage": near.coverage,
    }
    note = f"{found.synthetic} generated, {found.real} real"
    figures = [
        Figure("all", metric, values[metric], math.nan, math.nan, found.synthetic, found.synthetic, note)
        for metric in metrics
    ]
    notes: Sequence[str] = ["figures of features belong to their encoder and their numbers of images"]
    return Scored((), figures, len(said), notes=notes)


def _read(path: Path) -> NDArray[np.float64]:
    """The array of a .npy, or the one (else `features`) of a .npz. Raises InputError for anything else."""
    if not path.is_file():
        raise InputError(path, "does not exist", "Check the path.")
    try:
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return content
            name = content.files[0] if len(content.files) == 1 else "features"
            return np.asarray(content[name])
    except (ValueError, KeyError, OSError, EOFError) as error:
        raise InputError(path, f"holds no array of features ({error})", "Save one row of numbers per image.") from error
