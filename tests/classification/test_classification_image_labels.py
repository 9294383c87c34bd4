"""Labels of whole films, the boxes of their maps, and splits that leak."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
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
from groundglass.core import Box, InputError
from groundglass.metrics.detection import weak_boxes

SIZE = 48


def spots(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, list[list[Box]]]:
    """Noise, half of it with a bright square anywhere: (films, labels (N, 1), boxes)."""
    rng = np.random.default_rng(seed)
    films = rng.normal(0.3, 0.05, size=(count, SIZE, SIZE)).astype(np.float32)
    labels = rng.random((count, 1)) < 0.5
    boxes: list[list[Box]] = [[] for _ in films]
    for n in np.flatnonzero(labels):
        row, column = (int(value) for value in rng.integers(4, SIZE - 16, 2))
        films[n, row : row + 12, column : column + 12] += 0.3
        boxes[n] = [Box((row, column), (row + 12, column + 12))]
    return films, labels, boxes


def test_label_is_learnt_and_its_map_gives_the_box(tmp_path: Path) -> None:
    films, labels, _ = spots(96, 0)
    network = train_image_labels(films, labels, folder=tmp_path / "run", steps=60, batch=12)
    asked, truth, boxes = spots(40, 1)
    assert roc_auc_score(truth[:, 0], label_logits(network, asked)[:, 0]) > 0.95
    shown = np.flatnonzero(truth[:, 0])
    maps = class_activation_maps(network, standardised(asked[shown]))[:, 0].numpy()
    found = [heat_boxes(one, (SIZE, SIZE)) for one in maps]
    assert weak_boxes(found, [boxes[n] for n in shown], threshold=0.1).accuracy_iou > 0.8


def test_other_loss_is_taken(tmp_path: Path) -> None:
    films, labels, _ = spots(12, 0)
    losses = (None, binary_cross_entropy_with_logits)
    given = [{} if loss is None else {"loss": loss} for loss in losses]
    said = [
        label_logits(train_image_labels(films, labels, folder=tmp_path / str(n), steps=2, batch=4, **how), films)
        for n, how in enumerate(given)
    ]
    assert np.abs(said[0] - said[1]).max() > 0


def test_labels_must_belong_to_the_films(tmp_path: Path) -> None:
    films, labels, _ = spots(4, 0)
    with pytest.raises(InputError, match="films, labels"):
        train_image_labels(films, labels[:3], folder=tmp_path, steps=1)


def test_boxes_of_both_thresholds() -> None:
    heat = np.zeros((40, 40))
    heat[4:20, 6:30] = 100 / 255
    heat[8:12, 10:14] = 1.0
    heat[30:34, 2:8] = 181 / 255
    heat[34:36, 8:10] = 181 / 255
    assert heat_boxes(heat, (40, 40)) == [
        Box((4, 6), (20, 30)),
        Box((30, 2), (36, 10)),
        Box((8, 10), (12, 14)),
        Box((30, 2), (36, 10)),
    ]
    assert heat_boxes(3 * heat - 1, (40, 40)) == heat_boxes(heat, (40, 40))


def test_map_is_laid_on_the_image() -> None:
    heat = np.zeros((4, 4))
    heat[1, 2] = 1
    # Bilinear: the cell's middle lies at rows 11.5 and columns 19.5, and the heat falls to 0 within 8 pixels.
    low, high = heat_boxes(heat, (32, 32))
    assert low.centre == high.centre == (11.5, 19.5)
    assert low.shape[0] > high.shape[0] > 1


def test_flat_map_gives_no_box_and_a_broken_one_is_refused() -> None:
    assert heat_boxes(np.full((4, 4), 7.0), (32, 32)) == []
    with pytest.raises(InputError, match="heat map"):
        heat_boxes(np.full((4, 4), np.nan), (32, 32))


def test_split_by_image_is_warned_of() -> None:
    patients = np.repeat(np.arange(50), 4)
    trained_on = image_wise(patients, 0.75, 0)
    assert trained_on.sum() == 150
    held = check_split(patients[trained_on], patients[~trained_on])
    both = set(patients[trained_on]) & set(patients[~trained_on])
    assert held.leaks
    assert set(held.patients) == both
    assert held.films == np.isin(patients[~trained_on], list(both)).sum()
    assert "Split by patient" in held.warning


def test_split_by_patient_is_not() -> None:
    patients = np.repeat(np.arange(50), 4)
    trained_on = patient_wise(patients, 0.75, 0)
    assert len(set(patients[trained_on])) == 38
    held = check_split(patients[trained_on], patients[~trained_on])
    assert not held.leaks
    assert held.warning == ""
    with pytest.raises(InputError, match="without films"):
        check_split([], [1])
