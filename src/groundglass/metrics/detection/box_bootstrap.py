"""Average precision over bootstrap samples of patients: boxes are matched once, only the curves are drawn again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from groundglass.core import InputError
from groundglass.metrics.detection.average_precision import COCO_AREAS, RECALLS
from groundglass.metrics.detection.boxes import BoxSet
from groundglass.metrics.detection.coco_matching import match_all
from groundglass.metrics.statistics import draw_counts

Floats = NDArray[np.float64]
LIMIT = 100


@dataclass(frozen=True)
class BoxReplicates:
    """A measure (ious, labels) of all images, of R resamples (R, ious, labels), and without each of K patients
    (K, ious, labels); NaN where a label has no truth."""

    whole: Floats
    drawn: Floats
    without: Floats


@dataclass(frozen=True)
class RankedBoxes:
    """Detections of one label in falling order of score: the patient (N,), right and wrong (ious, N), and the truths of
    each patient (K,)."""

    patient: NDArray[np.intp]
    right: Floats
    wrong: Floats
    positives: Floats

    def average_precision(self, weights: Floats) -> Floats:
        """AP (ious,) where patients count `weights` (K,) times: equal to COCO's on images repeated so often.

        Of equal copies of a detection all but the last lie on a part of the curve that rises, so they change neither
        the largest precision beyond a recall nor where that recall is first reached.
        """
        positives = float(weights @ self.positives)
        if not positives:
            return np.full(len(self.right), np.nan)
        each = weights[self.patient]
        hits, alarms = np.cumsum(self.right * each, axis=1), np.cumsum(self.wrong * each, axis=1)
        recalls, precisions = hits / positives, hits / (hits + alarms + np.spacing(1))
        envelope = np.maximum.accumulate(precisions[:, ::-1], axis=1)[:, ::-1]
        levels = np.zeros((len(self.right), len(RECALLS)))
        for row, (recall, height) in enumerate(zip(recalls, envelope, strict=True)):
            places = np.searchsorted(recall, RECALLS, side="left")
            reached = places < len(recall)
            levels[row, reached] = height[places[reached]]
        return np.asarray(levels.mean(axis=1))

    def largest_recall(self, weights: Floats) -> Floats:
        """Recall (ious,) of all detections, for patients that count `weights` (K,) times."""
        positives = float(weights @ self.positives)
        if not positives:
            return np.full(len(self.right), np.nan)
        return np.asarray(self.right @ weights[self.patient] / positives)


def box_replicates(
    truth: BoxSet,
    found: BoxSet,
    labels: Sequence[str],
    patient_of: Mapping[str, str],
    ious: Sequence[float],
    *,
    resamples: int = 2000,
    seed: int = 0,
    measure: Callable[[RankedBoxes, Floats], Floats] = RankedBoxes.average_precision,
    area: str = "all",
) -> BoxReplicates:
    """A measure of boxes for the truths of one of COCO's ranges of sizes, at each of `ious`, per label.

    `patient_of` names the patient of each image; all are drawn, also those of images without any box. Raises
    InputError where an image has no patient, or there is none at all.
    """
    lacking = sorted({*truth.images.tolist(), *found.images.tolist()} - set(patient_of))
    if lacking or not patient_of:
        raise InputError(
            f"images {', '.join(map(str, lacking[:5])) or '(none)'}",
            "have no patient",
            "Name the patient of each image.",
        )
    names = sorted(set(patient_of.values()))
    place = {name: number for number, name in enumerate(names)}
    owner = {case: place[patient] for case, patient in patient_of.items()}
    ranked = ranked_boxes(truth, found, labels, owner, ious, area)
    count = len(names)

    def of(weights: Iterable[Floats]) -> Floats:
        return np.array([np.stack([measure(one, w) for one in ranked], axis=1) for w in weights])

    draws = (row.astype(np.float64) for chunk in draw_counts(count, resamples, seed) for row in chunk)
    everyone = np.ones(count)
    return BoxReplicates(of([everyone])[0], of(draws), of(everyone - np.eye(count)[n] for n in range(count)))


def ranked_boxes(
    truth: BoxSet,
    found: BoxSet,
    labels: Sequence[str],
    patient: Mapping[str, int],
    ious: Sequence[float],
    area: str = "all",
) -> list[RankedBoxes]:
    """Matched detections of each label; `patient` numbers that of each image."""
    # Matching goes by image and label; with both in the label's name the result still tells the image.
    # Of equal scores the image that comes first by name counts first, as in COCO's own script.
    owners = sorted({pair for boxes in (truth, found) for pair in _pairs(boxes)})
    codes = {pair: number for number, pair in enumerate(owners)}

    def coded(boxes: BoxSet) -> BoxSet:
        return replace(boxes, labels=np.array([codes[pair] for pair in _pairs(boxes)], dtype=np.int64))

    sizes = np.array([COCO_AREAS[area]], dtype=np.float64)
    matched = match_all(coded(truth), coded(found), np.asarray(ious, dtype=np.float64), sizes, LIMIT)
    owner_patient = np.array([patient[image] for image, _ in owners], dtype=np.intp)
    count = max(patient.values()) + 1
    ranked = []
    for label in labels:
        own = np.array([code for code, (_, name) in enumerate(owners) if name == label], dtype=np.int64)
        rows = np.flatnonzero(np.isin(matched.labels, own))
        rows = rows[np.argsort(-matched.scores[rows], kind="stable")]
        hit, ignored = matched.hit[0][:, rows], matched.ignored[0][:, rows]
        positives = np.zeros(count)
        for code, number in zip(matched.names.tolist(), matched.positives[:, 0].tolist(), strict=True):
            if owners[code][1] == label:
                positives[owner_patient[code]] += number
        patients = owner_patient[matched.labels[rows].astype(np.int64)] if len(rows) else np.zeros(0, dtype=np.intp)
        ranked.append(
            RankedBoxes(patients, (hit & ~ignored).astype(np.float64), (~hit & ~ignored).astype(np.float64), positives)
        )
    return ranked


def _pairs(boxes: BoxSet) -> list[tuple[str, str]]:
    return list(zip(boxes.images.tolist(), boxes.labels.tolist(), strict=True))
