"""Checks 2 and 4 of system 15: classifier, boxes and leak, learnt on simulated patients."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from groundglass.classification import (
    check_split,
    class_activation_maps,
    heat_boxes,
    image_wise,
    label_logits,
    patient_wise,
    standardised,
    train_image_labels,
)
from groundglass.classification.image_labels import Loss
from groundglass.core import Box
from groundglass.learn.objectives.balanced_binary_cross_entropy import balanced_binary_cross_entropy
from groundglass.metrics.classification import auroc, auroc_difference
from groundglass.metrics.detection import WeakBoxes, weak_boxes
from groundglass.nets.log_sum_exp_pooling import max_pooling
from groundglass.nets.map_classifier import MapClassifier, Pooling
from groundglass.nets.transition import CELL
from groundglass.synthesis import CHEST_LABELS, BoxedChests, boxed_chests, with_patient_texture
from groundglass.systems.proof import Claim

SIZE, PATIENTS = 128, 2000
STEPS, RARE_STEPS = 2000, 400
TRAINED_SHARE = 0.75
LEAK_PATIENTS, LEAK_FILMS, LEAK_STEPS = 80, 4, 350
LARGE = ("cardiomegaly", "effusion", "consolidation")
LOCATED = ("cardiomegaly", "consolidation", "nodule")
SMALL, RARE = "nodule", "effusion"
_RARE_SHARE = 0.018
_THRESHOLDS = (0.1, 0.25, 0.5)


def benchmark(workdir: Path, seed: int) -> list[Claim]:
    """Checks 2 and 4. Networks that are compared see as many films, drawn alike, for as many steps.

    The patients of check 2 have one film each: with more, a network learns to know them instead of their findings.
    """
    chests = boxed_chests(PATIENTS, seed, films=1, size=SIZE, cache=workdir / "chests.npz")
    followed = boxed_chests(LEAK_PATIENTS, seed + 1, films=LEAK_FILMS, size=SIZE, cache=workdir / "followed.npz")
    return [*_labels_and_boxes(chests, workdir, seed), *_leak(followed, workdir, seed)]


def _labels_and_boxes(chests: BoxedChests, workdir: Path, seed: int) -> list[Claim]:
    trained_on = patient_wise(chests.patients, TRAINED_SHARE, seed)
    training, test = chests.only(trained_on), chests.only(~trained_on)
    started = process_time()
    ours = _fitted(training, workdir / "log-sum-exp", STEPS, seed)
    sharpest = _fitted(training, workdir / "maximum", STEPS, seed, pooling=max_pooling)
    seconds = round(process_time() - started)
    logits = label_logits(ours, test.films)
    areas = {name: auroc(test.truth[:, k], logits[:, k], clusters=test.patients) for k, name in enumerate(CHEST_LABELS)}
    worst = min(LARGE, key=lambda name: areas[name].value)
    return [
        Claim(
            f"classifier, split by patient: AUROC of the large findings, the worst ({worst})",
            areas[worst].value,
            ">= 0.85",
            areas[worst].value >= 0.85,
            low=areas[worst].low,
            high=areas[worst].high,
            simulated=True,
            detail={
                **{name: area.value for name, area in areas.items()},
                "films trained on": len(training),
                "films tested": len(test),
                "CPU seconds of two networks": seconds,
            },
        ),
        _rare_label(training, test, workdir, seed),
        *_boxes(test, ours, sharpest),
    ]


def _fitted(
    training: BoxedChests,
    folder: Path,
    steps: int,
    seed: int,
    *,
    pooling: Pooling | None = None,
    loss: Loss = balanced_binary_cross_entropy,
) -> MapClassifier:
    network: MapClassifier = train_image_labels(
        training.films, training.truth, folder=folder, steps=steps, pooling=pooling, loss=loss, seed=seed
    )
    return network


def _rare_label(training: BoxedChests, test: BoxedChests, workdir: Path, seed: int) -> Claim:
    """Most training films with the label are left out; the test keeps its own, as no prevalence changes an AUROC."""
    index = CHEST_LABELS.index(RARE)
    shown, others = (np.flatnonzero(training.truth[:, index] == side) for side in (True, False))
    thinned = training.only(np.sort(np.concatenate([others, shown[: int(_RARE_SHARE * len(others))]])))
    losses: dict[str, Loss] = {
        "W-CEL": balanced_binary_cross_entropy,
        "cross-entropy": binary_cross_entropy_with_logits,
    }
    truth = test.truth[:, index]
    scores = {
        name: label_logits(_fitted(thinned, workdir / name, RARE_STEPS, seed, loss=loss), test.films)[:, index]
        for name, loss in losses.items()
    }
    gain = auroc_difference(truth, scores["W-CEL"], scores["cross-entropy"])
    share = float(thinned.truth[:, index].mean())
    return Claim(
        f"loss: W-CEL above cross-entropy in AUROC of a rare label ({RARE})",
        gain.value,
        ">= 0.02 where < 2 % of the training films have it",
        gain.value >= 0.02 and share < 0.02,
        baseline=auroc(truth, scores["cross-entropy"]).value,
        low=gain.low,
        high=gain.high,
        simulated=True,
        detail={
            "W-CEL": auroc(truth, scores["W-CEL"]).value,
            "share of the training films": share,
            "training films": len(thinned),
            "training films with the label": int(thinned.truth[:, index].sum()),
            "test films with the label": int(truth.sum()),
        },
    )


def _boxes(test: BoxedChests, ours: MapClassifier, sharpest: MapClassifier) -> list[Claim]:
    found = {name: located(ours, test, name) for name in LOCATED}
    other = located(sharpest, test, SMALL)
    accuracy = [found[name][0].accuracy_iobb for name in LOCATED]
    gain = found[SMALL][0].best_iou - other[0].best_iou
    reachable = {f"{name}: reachable IoU": reachable_iou(test, name) for name in LOCATED}
    by_place = {
        f"{name}: accuracy at IoBB 0.1, another film's boxes": located(ours, test, name, turn=1)[0].accuracy_iobb
        for name in LOCATED
    }
    detail = {f"{name}: {key}": value for name in LOCATED for key, value in _figures(found[name]).items()}
    return [
        Claim(
            f"boxes from heat: accuracy at T(IoBB) = 0.1 falls from {' over '.join(LOCATED)}",
            min(accuracy[0] - accuracy[1], accuracy[1] - accuracy[2]),
            "> 0 (the smaller of the two steps)",
            accuracy[0] > accuracy[1] > accuracy[2],
            simulated=True,
            detail={**detail, **by_place, **reachable},
        ),
        Claim(
            f"boxes from heat, {SMALL}: mean best IoU with log-sum-exp above maximum pooling",
            gain,
            "> 0",
            gain > 0,
            baseline=other[0].best_iou,
            simulated=True,
            detail={
                "log-sum-exp": found[SMALL][0].best_iou,
                **{f"maximum: {key}": value for key, value in _figures(other).items()},
            },
        ),
    ]


def located(network: MapClassifier, test: BoxedChests, name: str, *, turn: int = 0) -> list[WeakBoxes]:
    """Figures at each threshold of the boxes from one label's map, on the films that show it.

    With `turn` each film gets the boxes of the film so many places on: what the label's usual place is worth.
    """
    index = CHEST_LABELS.index(name)
    shown = test.only(test.truth[:, index])
    maps = class_activation_maps(network, standardised(shown.films))[:, index].numpy()
    candidates = [heat_boxes(one, shown.films.shape[1:]) for one in maps]
    candidates = candidates[turn:] + candidates[:turn]
    truth = [[_box(corners)] for corners in shown.boxes[:, index]]
    return [weak_boxes(candidates, truth, threshold=threshold) for threshold in _THRESHOLDS]


def reachable_iou(test: BoxedChests, name: str) -> float:
    """Mean best IoU from the ideal map: each cell as hot as the share of it that the true box covers."""
    index = CHEST_LABELS.index(name)
    shown = test.boxes[test.truth[:, index], index]
    shape = test.films.shape[1:]
    found, truth = [], []
    for corners in shown:
        box = _box(corners)
        inside = np.zeros(shape, dtype=np.float32)
        inside[box.slices] = 1
        cells = inside.reshape(shape[0] // CELL, CELL, shape[1] // CELL, CELL).mean(axis=(1, 3))
        found.append(heat_boxes(cells, shape))
        truth.append([box])
    best: float = weak_boxes(found, truth, threshold=0.1).best_iou
    return best


def _leak(chests: BoxedChests, workdir: Path, seed: int) -> list[Claim]:
    """The same patients, each with a texture of their own, split by image and by patient."""
    films = with_patient_texture(chests.films, chests.patients, seed)
    splits = {
        "image": image_wise(chests.patients, TRAINED_SHARE, seed),
        "patient": patient_wise(chests.patients, TRAINED_SHARE, seed),
    }
    areas, checks = {}, {}
    truth = chests.truth
    for name, trained_on in splits.items():
        network = train_image_labels(
            films[trained_on], truth[trained_on], folder=workdir / f"by {name}", steps=LEAK_STEPS, seed=seed
        )
        logits = label_logits(network, films[~trained_on])
        areas[name] = [auroc(truth[~trained_on, k], logits[:, k]).value for k in range(len(CHEST_LABELS))]
        checks[name] = check_split(chests.patients[trained_on], chests.patients[~trained_on])
    by_image, by_patient = (float(np.mean(areas[name])) for name in ("image", "patient"))
    warned = checks["image"].leaks and not checks["patient"].leaks
    return [
        Claim(
            "leak: mean AUROC split by image above split by patient, patients with a texture of their own",
            by_image - by_patient,
            "> 0",
            by_image > by_patient,
            baseline=by_patient,
            simulated=True,
            detail={
                "split by image": by_image,
                **{f"{split}: {name}": areas[split][k] for split in areas for k, name in enumerate(CHEST_LABELS)},
                "films": len(chests),
            },
        ),
        Claim(
            "leak: the split by image is warned of, the split by patient is not",
            float(warned),
            "1",
            warned,
            simulated=True,
            detail={"patients on both sides": len(checks["image"].patients), "words": checks["image"].warning},
        ),
    ]


def _figures(ladder: Sequence[WeakBoxes]) -> dict[str, float]:
    figures: dict[str, float] = {"mean best IoU": ladder[0].best_iou, "instances": ladder[0].truths}
    for held in ladder:
        figures |= {
            f"accuracy at IoBB {held.threshold}": held.accuracy_iobb,
            f"false per image at IoBB {held.threshold}": held.false_iobb,
            f"accuracy at IoU {held.threshold}": held.accuracy_iou,
            f"false per image at IoU {held.threshold}": held.false_iou,
        }
    return figures


def _box(corners: NDArray[np.float32]) -> Box:
    top, left, bottom, right = (int(value) for value in corners)
    return Box((top, left), (bottom, right))
