"""`compare boxes`: detections with or without scores against true boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from groundglass.app.compare.box_files import BoxFile, LabelledBox, coco_categories, read_boxes
from groundglass.app.compare.cases import listed, pair_cases
from groundglass.app.compare.kind import Figure, Measure, Scored, Test, chosen_metrics
from groundglass.app.compare.object_counts import (
    FROC_MEASURES,
    OBJECT_MEASURES,
    ObjectCounts,
    froc_figures,
    object_figures,
    object_rows,
    over_labels,
)
from groundglass.app.compare.settings import Settings
from groundglass.core import ConfigurationError, InputError
from groundglass.metrics.detection import BoxSet, FrocCase, box_froc_case, match_boxes
from groundglass.metrics.detection.average_precision import COCO_IOUS
from groundglass.metrics.detection.box_bootstrap import RankedBoxes, box_replicates
from groundglass.metrics.statistics import Interval, expanded_bca

RANKED = {
    "ap": Measure("AP (IoU 0.50 to 0.95)"),
    "ap50": Measure("AP50"),
    "ap75": Measure("AP75"),
    **FROC_MEASURES,
}
SIZES = {
    "ar100": Measure("AR (100 per image)"),
    "ap_small": Measure("AP small"),
    "ap_medium": Measure("AP medium"),
    "ap_large": Measure("AP large"),
}
MEASURES = {**RANKED, **SIZES, **OBJECT_MEASURES}
USUAL = ("ap", "ap50", "ap75", "precision", "recall", "f1", "count_error")
_AP: dict[str, float | None] = {"ap": None, "ap50": 0.5, "ap75": 0.75}
Parts = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes against boxes. `iou` makes a hit of precision, recall and F1, for which detections with a score from
    `threshold` on count; `froc_iou` makes one of FROC. AP and FROC look at all detections."""

    labels: tuple[str, ...] = ()
    iou: float = 0.5
    froc_iou: float = 0.1
    threshold: float = 0.5

    @property
    def name(self) -> str:
        return "boxes"

    @property
    def rules(self) -> Mapping[str, Any]:
        return {
            "AP": "as COCO",
            "precision, recall, F1, counts": f"score >= {self.threshold:g}, IoU >= {self.iou:g}, one to one",
            "FROC": f"IoU >= {self.froc_iou:g}",
        }

    def measure(self, metric: str) -> Measure:
        return MEASURES[metric]

    def score(self, prediction: Path, truth: Path, settings: Settings) -> Scored:
        """All images. Raises the typed errors of core."""
        for option, value in (("--iou", self.iou), ("--froc-iou", self.froc_iou)):
            if not 0 < value <= 1:
                raise ConfigurationError(f"{option} {value}", "is not an overlap", "Use a number above 0, up to 1.")
        metrics = chosen_metrics(settings.metrics, tuple(MEASURES), USUAL)
        real = read_boxes(truth, settings)
        said = _by_case(read_boxes(prediction, settings, categories=coco_categories(truth)), real)
        cases, missing, extra = pair_cases(said.cases, real.cases, prediction, truth, settings)
        labels = self._labels(said, real)
        patients = {case: real.patients[case] for case in cases}
        truths = {case: [box for box in real.cases[case] if box.label in labels] for case in cases}
        found = {case: [box for box in said.cases.get(case, []) if box.label in labels] for case in cases}
        notes = [f"{len(extra)} predicted image(s) have no truth and were left out: {listed(extra)}"] if extra else []
        if any(box.score is None for boxes in found.values() for box in boxes):
            notes.append("detections without a score count as certain (1): AP and FROC then say little")
        return self._scored(truths, found, labels, patients, metrics, settings, missing, notes)

    def tests(self, first: Scored, second: Scored, settings: Settings) -> Sequence[Test]:
        """The difference of average precisions with its interval, from the same resamples (there is no p value)."""
        ours, theirs = first.material, second.material
        if not ours or not theirs or ours["patients"] != theirs["patients"]:
            return ()
        tests = []
        for key, one in ours["replicates"].items():
            if (other := theirs["replicates"].get(key)) is None:
                continue
            whole, drawn, without = (a - b for a, b in zip(one, other, strict=True))
            found = expanded_bca(float(whole), drawn, without)
            n, patients = len(ours["patients"]), len(set(ours["patients"].values()))
            label, metric = key
            tests.append(Test(label, metric, n, patients, 0, found.estimate, found.low, found.high, p={}, holm={}))
        return tests

    def _labels(self, said: BoxFile, real: BoxFile) -> list[str]:
        true = sorted({box.label for boxes in real.cases.values() for box in boxes})
        if self.labels:
            return list(self.labels)
        strange = sorted({box.label for boxes in said.cases.values() for box in boxes} - set(true))
        if strange:
            raise InputError(
                said.path,
                f"has boxes of {listed(strange)}, which no truth has (they have {listed(true) or 'none'})",
                "Name the labels to compare by --labels.",
            )
        return true

    def _scored(
        self,
        truths: Mapping[str, list[LabelledBox]],
        found: Mapping[str, list[LabelledBox]],
        labels: Sequence[str],
        patients: Mapping[str, str],
        metrics: Sequence[str],
        settings: Settings,
        missing: Sequence[str],
        notes: list[str],
    ) -> Scored:
        real, said = box_set(truths, with_scores=False), box_set(found, with_scores=True)
        counts = [self._counts(case, patients[case], truths[case], found[case], labels) for case in truths]
        rows = object_rows(counts, metrics)
        figures = object_figures(counts, metrics, settings)
        replicates = _replicates(real, said, labels, patients, metrics, settings) if labels else {}
        for (label, metric), parts in replicates.items():
            figures.append(_figure(label, metric, expanded_bca(float(parts[0]), *parts[1:]), patients, truths))
        cases = [_froc_case(found[case], truths[case], labels, self.froc_iou) for case in truths]
        along, problems = froc_figures(cases, list(patients.values()), metrics, settings)
        figures += along
        notes += problems
        material = {"replicates": replicates, "patients": dict(patients)}
        return Scored(rows, figures, len(truths), tuple(missing), {}, notes, material=material)

    def _counts(
        self, case: str, patient: str, truths: list[LabelledBox], found: list[LabelledBox], labels: Sequence[str]
    ) -> ObjectCounts:
        """Hits over all labels of one image; boxes of different labels never match. Crowds are no single objects."""
        single = [box for box in truths if not box.crowd]
        sure = [box for box in found if (1.0 if box.score is None else box.score) >= self.threshold]
        hits = 0
        for label in labels:
            pair = [[box for box in boxes if box.label == label] for boxes in (sure, single)]
            if all(pair):
                hits += len(
                    match_boxes(*(box_set({case: boxes}, with_scores=False) for boxes in pair), iou=self.iou).pairs
                )
        return ObjectCounts(case, patient, hits, len(sure), len(single))


def box_set(cases: Mapping[str, Sequence[LabelledBox]], *, with_scores: bool) -> BoxSet:
    """Boxes of all cases; a missing score counts 1."""
    pairs = [(case, box) for case, boxes in cases.items() for box in boxes]
    corners = np.array([box.corners for _, box in pairs], dtype=np.float64).reshape(-1, 4)
    sizes = corners[:, 2:] - corners[:, :2]
    return BoxSet.of_xywh(
        np.array([case for case, _ in pairs], dtype=np.str_),
        np.array([box.label for _, box in pairs], dtype=np.str_),
        np.hstack([corners[:, :2], sizes]),
        scores=[1.0 if box.score is None else box.score for _, box in pairs] if with_scores else None,
        crowd=[box.crowd for _, box in pairs],
        area=[
            float(np.prod(size)) if box.area is None else box.area for (_, box), size in zip(pairs, sizes, strict=True)
        ],
    )


def _by_case(said: BoxFile, real: BoxFile) -> BoxFile:
    """Predictions under the truth's case ids. A file that lists no images has found nothing where it has no box."""
    cases: dict[str, list[LabelledBox]] = {}
    for case, boxes in said.cases.items():
        cases.setdefault(real.names.get(case, case), []).extend(boxes)
    if not said.lists_cases:
        cases = {**{case: [] for case in real.cases}, **cases}
    return BoxFile(said.path, cases, said.patients, said.lists_cases)


def _replicates(
    real: BoxSet,
    said: BoxSet,
    labels: Sequence[str],
    patients: Mapping[str, str],
    metrics: Sequence[str],
    settings: Settings,
) -> dict[tuple[str, str], Parts]:
    """(label, metric) -> value, replicates (R,), jackknife (K,); "all" is the mean over the labels."""
    by_iou = [metric for metric in metrics if metric in _AP]
    found: dict[tuple[str, str], Parts] = {}
    drawing: dict[str, Any] = {"resamples": settings.resamples, "seed": settings.seed}
    if by_iou:
        ious = COCO_IOUS if "ap" in metrics else (0.5, 0.75)
        drawn = box_replicates(real, said, labels, patients, ious, **drawing)
        for metric in by_iou:
            wanted = _AP[metric]
            rows = [n for n, iou in enumerate(ious) if wanted is None or abs(iou - wanted) < 1e-9]
            parts = [part[..., rows, :].mean(axis=-2) for part in (drawn.whole, drawn.drawn, drawn.without)]
            if len(labels) > 1:
                found["all", metric] = _over_labels(parts)
            found |= {(label, metric): tuple(part[..., n] for part in parts) for n, label in enumerate(labels)}
    for metric in metrics:
        if metric in SIZES:
            measure = RankedBoxes.largest_recall if metric == "ar100" else RankedBoxes.average_precision
            area = metric.removeprefix("ap_") if metric.startswith("ap_") else "all"
            drawn = box_replicates(real, said, labels, patients, COCO_IOUS, measure=measure, area=area, **drawing)
            found["all", metric] = _over_labels([p.mean(axis=-2) for p in (drawn.whole, drawn.drawn, drawn.without)])
    return found


def _over_labels(parts: Sequence[Any]) -> Parts:
    return tuple(_nanmean(part) for part in parts)


def _nanmean(values: Any) -> Any:
    """Mean over the last axis without NaN (a label that a resample lacks); NaN where all are."""
    held = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(held, values, 0).sum(axis=-1) / held.sum(axis=-1)


def _figure(
    label: str, metric: str, found: Interval, patients: Mapping[str, str], truths: Mapping[str, Sequence[LabelledBox]]
) -> Figure:
    boxes = sum(label in ("all", box.label) for each in truths.values() for box in each)
    counts = (len(patients), len(set(patients.values())))
    return Figure(label, metric, found.estimate, found.low, found.high, *counts, f"{boxes} true")


def _froc_case(
    found: Sequence[LabelledBox], truth: Sequence[LabelledBox], labels: Sequence[str], iou: float
) -> FrocCase:
    """One image over all labels; boxes of different labels never match, and crowds are no lesions."""
    parts = [
        box_froc_case(
            box_set({"": [box for box in found if box.label == label]}, with_scores=True),
            box_set({"": [box for box in truth if box.label == label and not box.crowd]}, with_scores=False),
            iou=iou,
        )
        for label in labels
    ]
    return over_labels(parts)
