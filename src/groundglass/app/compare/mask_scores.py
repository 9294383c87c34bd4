"""The scores of one pair of mask files: read, put on one grid, measured per label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from groundglass.app.compare.cases import FilePair
from groundglass.app.compare.label_names import NamedLabel
from groundglass.app.compare.masks import LabelMap, matched_by_name, on_one_grid, read_labels_of, with_spacing_of
from groundglass.core import ConfigurationError
from groundglass.metrics.segmentation import METRICS, find_convention, score_masks

Values = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class MaskRules:
    """What is measured and how; see `Segmentation`. `spacing_from` is one file, or one per case."""

    labels: tuple[NamedLabel, ...]
    spacing_from: Mapping[str, Path] | Path | None
    tolerance_mm: float | None
    convention: str
    metrics: tuple[str, ...]
    threads: int | None


@dataclass(frozen=True, slots=True)
class CaseScores:
    """One case: the labels on each side, the value of each metric by label, and what a label that neither side has
    scores (nothing, where only labels of the truth count). `place_taken`: only one of the files says where it lies.
    `ignored` are numbers that `labels` leaves out."""

    prediction_labels: tuple[str, ...]
    truth_labels: tuple[str, ...]
    values: Mapping[str, Values]
    absent: Values
    spacing_known: bool
    place_taken: bool = False
    ignored: tuple[int, ...] = ()


def score_case(rules: MaskRules, pair: FilePair) -> CaseScores:
    """Read and score one case; a missing prediction is scored as an empty one, and as a miss of every label."""
    truth = _read(pair.truth, pair.case, rules)
    if pair.prediction is None:
        return _missing(truth, rules)
    said = _read(pair.prediction, pair.case, rules)
    place_taken = said.place_known != truth.place_known
    prediction, truth = on_one_grid(matched_by_name(said, truth), truth)
    wanted = rules.labels or _labels_of(prediction, truth)
    known = {number for label in wanted for number in label.numbers}
    return CaseScores(
        _present(prediction, wanted),
        _present(truth, wanted),
        _measured(prediction, truth, wanted, rules),
        _absent(len(truth.shape), rules),
        truth.spacing_known,
        place_taken,
        tuple(sorted((prediction.numbers | truth.numbers) - known)),
    )


def _read(path: Path, case: str, rules: MaskRules) -> LabelMap:
    labels = read_labels_of(path)
    if rules.spacing_from is None:
        return labels
    return with_spacing_of(
        labels, rules.spacing_from if isinstance(rules.spacing_from, Path) else rules.spacing_from[case]
    )


def _labels_of(*maps: LabelMap) -> tuple[NamedLabel, ...]:
    """The labels that occur, by the names that the files give, else by their numbers."""
    names = {number: name for one in reversed(maps) for number, name in one.names.items()}
    numbers = sorted(set().union(*(one.numbers for one in maps), *(one.names for one in maps)))
    return tuple(NamedLabel(names.get(number, str(number)), (number,)) for number in numbers)


def _present(labels: LabelMap, wanted: Sequence[NamedLabel]) -> tuple[str, ...]:
    """Names of the labels that a map holds; an empty segment of a DICOM SEG is there, too."""
    there = labels.numbers | set(labels.names)
    return tuple(label.name for label in wanted if there & set(label.numbers))


def _measured(
    prediction: LabelMap, truth: LabelMap, wanted: Sequence[NamedLabel], rules: MaskRules
) -> dict[str, Values]:
    """Scores by label name; labels that only the prediction has are left out where only the truth's count."""
    if find_convention(rules.convention).labels == "truth":
        wanted = [label for label in wanted if truth.numbers & set(label.numbers)]
    if not wanted:
        return {}
    simple = all(len(label.numbers) == 1 for label in wanted) and len(prediction.layers) == len(truth.layers) == 1
    if simple:
        found = _scores(
            prediction.layers[0], truth.layers[0], [n for label in wanted for n in label.numbers], truth, rules
        )
        return {label.name: found[label.numbers[0]] for label in wanted}
    # Regions of several labels and overlapping segments are no label map: one mask at a time.
    return {
        label.name: _scores(
            prediction.where(label.numbers).astype(np.uint8),
            truth.where(label.numbers).astype(np.uint8),
            [1],
            truth,
            rules,
        )[1]
        for label in wanted
    }


def _scores(
    prediction: np.ndarray, truth: np.ndarray, numbers: Sequence[int], grid: LabelMap, rules: MaskRules
) -> dict[int, dict[str, float]]:
    return score_masks(
        prediction,
        truth,
        grid.spacing,
        labels=numbers,
        tolerance_mm=rules.tolerance_mm,
        convention=rules.convention,
        metrics=_fitting(rules.metrics, len(grid.shape)),
        unlisted="background",
        threads=rules.threads,
    )


def _fitting(metrics: Sequence[str], axes: int) -> tuple[str, ...]:
    """Without those that flat masks do not have. Raises ConfigurationError where none is left."""
    fitting = tuple(metric for metric in metrics if axes == 3 or not METRICS[metric].volumes_only)
    if not fitting:
        raise ConfigurationError(f"--metrics {','.join(metrics)}", "are for volumes, the masks are flat", "Use others.")
    return fitting


def _absent(axes: int, rules: MaskRules) -> Values:
    """What two empty masks score; nothing where only labels of the truth count."""
    if find_convention(rules.convention).labels == "truth":
        return {}
    return _of_empty_masks(axes, rules.convention, _fitting(rules.metrics, axes))


@lru_cache(maxsize=16)
def _of_empty_masks(axes: int, convention: str, metrics: tuple[str, ...]) -> Values:
    nothing = np.zeros((2,) * axes, dtype=np.uint8)
    return score_masks(nothing, nothing, 1.0, labels=[1], convention=convention, metrics=metrics)[1]


def _missing(truth: LabelMap, rules: MaskRules) -> CaseScores:
    """An empty prediction; labels that the truth lacks, too, score as missed, not as rightly left out."""
    nothing = LabelMap(
        truth.path,
        (np.zeros(truth.shape, dtype=np.uint8),),
        truth.affine,
        truth.spacing,
        truth.spacing_known,
        truth.place_known,
        {},
    )
    wanted = rules.labels or _labels_of(truth)
    there = [label for label in wanted if truth.numbers & set(label.numbers)]
    convention = find_convention(rules.convention)
    extent = [n * mm for n, mm in zip(truth.shape, truth.spacing, strict=True)]
    missed = dict(_absent(len(truth.shape), rules))
    for metric in missed:
        rule = convention.rule(metric, METRICS[metric].family)
        value = rule.value(0, 1, extent) if rule else None
        missed[metric] = missed[metric] if value is None else value
    return CaseScores((), _present(truth, there), _measured(nothing, truth, there, rules), missed, truth.spacing_known)
