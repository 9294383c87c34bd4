"""`compare images`: synthetic, reconstructed or restored images against the real ones, pixel by pixel."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.app.compare.batch import Failure, failures_of, run_all
from groundglass.app.compare.cases import FilePair, listed, pair_files
from groundglass.app.compare.feature_sets import SET_MEASURES, is_features, score_features
from groundglass.app.compare.grid import difference
from groundglass.app.compare.kind import Measure, Scored, Test, chosen_metrics
from groundglass.app.compare.masks import is_mask_file
from groundglass.app.compare.settings import Settings
from groundglass.core import ConfigurationError, GeometryError, Image, InputError
from groundglass.io.same_grid import turned_onto
from groundglass.metrics import images as measures
from groundglass.metrics.statistics import Row

Array = NDArray[np.float64]
MEASURES = {
    "mae": Measure("MAE", higher_is_better=False),
    "mean_error": Measure("mean error", higher_is_better=False),
    "rmse": Measure("RMSE", higher_is_better=False),
    "nrmse": Measure("nRMSE (euclidean)", higher_is_better=False),
    "psnr": Measure("PSNR", "dB"),
    "ssim": Measure("SSIM"),
    "ms_ssim": Measure("MS-SSIM"),
    "vif": Measure("VIF"),
}
USUAL = ("mae", "nrmse", "psnr", "ssim")
RANGED = ("psnr", "ssim", "ms_ssim")
CONVENTIONS = {"plain": USUAL, "synthrad": ("mae", "psnr", "ssim")}
_EIGHT_BITS = 255.0


@dataclass(frozen=True, slots=True)
class Images:
    """Images against images of the same grid, or features of generated images against those of real ones (.npy).

    `data_range` is a number, LOW,HIGH (values are clipped to it first), or `truth` (that of each truth); without it
    only pictures of 8 bits have one. `mask` is a file, or a folder with one per case: only its voxels count, for SSIM
    the windows around them. `convention` computes all as a challenge does.
    """

    data_range: str | None = None
    mask: Path | None = None
    convention: str = "plain"

    @property
    def name(self) -> str:
        return "images"

    @property
    def rules(self) -> Mapping[str, Any]:
        if self.convention != "plain":
            return {"convention": self.convention}
        return {"data range": self.data_range or "255 (8 bits)", "SSIM window": "Gaussian of 11 pixels, sigma 1.5",
                "mask": "none" if self.mask is None else str(self.mask)}  # fmt: skip

    def measure(self, metric: str) -> Measure:
        return {**SET_MEASURES, **MEASURES}[metric]

    def tests(self, first: Scored, second: Scored, settings: Settings) -> Sequence[Test]:
        return ()

    def score(self, prediction: Path, truth: Path, settings: Settings) -> Scored:
        """All cases. Raises the typed errors of core."""
        if settings.missing == "worst":
            raise ConfigurationError("--allow-missing worst", "is not defined for images", "Use skip, or add them.")
        if self.convention not in CONVENTIONS:
            raise ConfigurationError(
                f"--convention {self.convention}", "is not known", f"Use one of {', '.join(CONVENTIONS)}."
            )
        if self.convention == "synthrad" and self.mask is None:
            raise ConfigurationError("--convention synthrad", "needs the patients' outlines", "Name them by --mask.")
        if is_features(prediction) and is_features(truth):
            return score_features(prediction, truth, settings)
        known = tuple(MEASURES) if self.convention == "plain" else CONVENTIONS[self.convention]
        metrics = chosen_metrics(settings.metrics, known, CONVENTIONS[self.convention])
        pairing = pair_files(prediction, truth, is_mask_file, settings)
        cases = [pair.case for pair in pairing.pairs]
        masks = self._masks(cases, settings)
        work = partial(_score_case, metrics, self, masks, parsed_range(self.data_range))
        answers = run_all(work, pairing.pairs, processes=settings.processes, title="scoring")
        failures = failures_of(cases, answers)
        rows = [
            Row(pair.case, pair.patient, "all", metric, value)
            for pair, values in zip(pairing.pairs, answers, strict=True)
            if not isinstance(values, Failure)
            for metric, value in values.by_metric.items()
        ]
        extra = pairing.without_truth
        notes = [f"{len(extra)} prediction(s) have no truth and were left out: {listed(extra)}"] if extra else []
        taken = sum(one.place_taken for one in answers if not isinstance(one, Failure))
        if taken:
            notes.append(
                f"{taken} case(s): only one of both images states its place; their axes are taken to be the same"
            )
        return Scored(rows, (), len(cases), pairing.missing, failures, notes)

    def _masks(self, cases: Sequence[str], settings: Settings) -> Mapping[str, Path] | Path | None:
        if self.mask is None or self.mask.is_file():
            return self.mask
        found = {pair.case: pair.truth for pair in pair_files(self.mask, self.mask, is_mask_file, settings).pairs}
        lacking = [case for case in cases if case not in found]
        if lacking:
            raise InputError(self.mask, f"has no mask for {listed(lacking)}", "Name a folder with one per case.")
        return found


@dataclass(frozen=True, slots=True)
class ImageScores:
    """One case's values, and whether only one of its files says where it lies."""

    by_metric: Mapping[str, float]
    place_taken: bool


def parsed_range(option: str | None) -> tuple[float, float] | str | None:
    """(low, high) to clip to, the range alone as (NaN, range), "truth", or None. Raises ConfigurationError."""
    if option is None or option == "truth":
        return option
    try:
        numbers = [float(part) for part in option.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 1 and numbers[0] > 0:
        return math.nan, numbers[0]
    if len(numbers) == 2 and numbers[0] < numbers[1]:
        return numbers[0], numbers[1]
    raise ConfigurationError(f"--data-range {option}", "is no range", "Use a number, LOW,HIGH or truth.")


def _score_case(
    metrics: Sequence[str],
    kind: Images,
    masks: Mapping[str, Path] | Path | None,
    limits: tuple[float, float] | str | None,
    pair: FilePair,
) -> ImageScores:
    from groundglass.io import read_image, read_mask

    if pair.prediction is None:
        raise InputError(pair.case, "has no prediction", "Add it.")
    image = read_image(pair.truth)
    real = _channels(image)
    other = read_image(pair.prediction)
    said = _on_grid(other, pair.prediction, image, pair.truth)
    inside = None
    if masks is not None:
        file = masks if isinstance(masks, Path) else masks[pair.case]
        inside = read_mask(file, like=image, warn=_refuse).array.reshape(real.shape[1:])
    if kind.convention == "synthrad" and inside is not None:
        found = [measures.synthrad_scores(a, b, inside) for a, b in zip(said, real, strict=True)]
    else:
        span = _span(limits, image, real, pair.truth) if set(metrics) & set(RANGED) else math.nan
        if isinstance(limits, tuple) and not math.isnan(limits[0]):
            said, real = np.clip(said, *limits), np.clip(real, *limits)
        found = [_plain(metrics, a, b, span, inside) for a, b in zip(said, real, strict=True)]
    # A colour picture counts by the mean of its channels.
    means = {metric: math.fsum(values[metric] for values in found) / len(found) for metric in metrics}
    return ImageScores(means, other.orientation_known != image.orientation_known)


def _channels(image: Image) -> Array:
    """(C, *spatial) in double precision; a flat volume of one slice is flat."""
    array = image.array.astype(np.float64)
    return array[..., 0] if array.ndim == 4 and array.shape[-1] == 1 else array


def _on_grid(image: Image, path: Path, like: Image, truth: Path) -> Array:
    """The prediction's channels on the truth's grid. Raises GeometryError naming both files where grids differ."""
    said, real = _channels(image), _channels(like)
    error = difference(path, truth, (said.shape[1:], real.shape[1:]), (image.spacing, like.spacing))
    if len(said) != len(real):
        raise GeometryError(f"{path} and {truth}", f"have {len(said)} and {len(real)} channels", "Convert one of them.")
    if not (image.orientation_known and like.orientation_known):
        if said.shape != real.shape:
            raise error
        return said
    placed = [turned_onto(channel, image.affine, like.affine, real.shape[1:]) for channel in said]
    if any(one is None for one in placed):
        raise error
    return np.stack([one for one in placed if one is not None])


def _refuse(message: str) -> None:
    raise GeometryError(message.split(":")[0], "is not on the grid of its image", "Resample the mask first.")


def _span(limits: tuple[float, float] | str | None, image: Image, real: Array, path: Path) -> float:
    if limits == "truth":
        return float(np.ptp(real))
    if isinstance(limits, tuple):
        return limits[1] if math.isnan(limits[0]) else limits[1] - limits[0]
    if image.array.dtype == np.uint8:
        return _EIGHT_BITS
    raise ConfigurationError(
        path,
        "has no data range of its own, which PSNR and SSIM need",
        "Add --data-range, for instance -1024,3000 for CT.",
    )


def _plain(
    metrics: Sequence[str], a: Array, b: Array, span: float, inside: NDArray[np.bool_] | None
) -> dict[str, float]:
    formulas: dict[str, Callable[[], float]] = {
        "mae": lambda: measures.mae(a, b, mask=inside),
        "mean_error": lambda: measures.mean_error(a, b, mask=inside),
        "rmse": lambda: measures.rmse(a, b, mask=inside),
        "nrmse": lambda: measures.nrmse(a, b, normalisation="euclidean", mask=inside),
        "psnr": lambda: measures.psnr(a, b, data_range=span, mask=inside),
        "ssim": lambda: measures.ssim(a, b, data_range=span, window="gaussian-11", mask=inside),
        "ms_ssim": lambda: measures.ms_ssim(a, b, data_range=span),
        "vif": lambda: measures.vif(a, b),
    }
    return {metric: formulas[metric]() for metric in metrics}
