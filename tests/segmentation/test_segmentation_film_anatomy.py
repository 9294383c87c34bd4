"""Overlapping anatomy on films: the loss against its definition, discs with bars over them, IoU by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch

from groundglass.core import InputError
from groundglass.learn.objectives.dice_and_binary_cross_entropy import dice_and_binary_cross_entropy
from groundglass.segmentation.film_anatomy import FilmSet, film_anatomy, mean_iou, train_film_anatomy

SIZE = 32


def _films(count: int, seed: int) -> FilmSet:
    """A disc of one brightness, a bar across it, and the rest; the third structure is never labelled."""
    pictures, planes = [], []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        rows, columns = np.mgrid[:SIZE, :SIZE]
        centre = rng.uniform(13, 19, 2)
        disc = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < 81
        bar = np.abs(rows - rng.uniform(12, 20)) < 3
        pictures.append(0.2 + 0.4 * disc + 0.3 * bar + rng.normal(0, 0.02, disc.shape))
        planes.append([disc, bar, np.zeros_like(disc)])
    known = np.tile([True, True, False], (count, 1))
    return FilmSet(np.stack(pictures).astype(np.float32), np.array(planes), known)


def test_overlapping_structures_keep_their_overlap(tmp_path: Path) -> None:
    training, test = _films(40, 0), _films(8, 1)
    both = train_film_anatomy(training, folder=tmp_path / "both", steps=120, seed=0)
    one = train_film_anatomy(training, folder=tmp_path / "one", steps=120, exclusive=True, seed=0)
    figures = mean_iou(film_anatomy(both, test.pictures), test)
    alone = mean_iou(film_anatomy(one, test.pictures, exclusive=True), test)
    assert np.nanmin(figures) > 0.7
    # A pixel has one class: the disc loses what lies under the bar, about a third.
    assert alone[0] < figures[0] - 0.15
    assert np.isnan(figures[2])


def test_line_of_two_pixels_is_found(tmp_path: Path) -> None:
    pictures, planes = [], []
    for number in range(40):
        rng = np.random.default_rng([7, number])
        line = np.zeros((SIZE, SIZE), dtype=bool)
        row = int(rng.integers(4, SIZE - 6))
        line[row : row + 2, 4:-4] = True
        pictures.append(0.4 + 0.3 * line + rng.normal(0, 0.05, line.shape))
        planes.append([line])
    films = FilmSet(np.stack(pictures).astype(np.float32), np.array(planes), np.ones((40, 1), dtype=bool))
    model = train_film_anatomy(films.part(np.arange(32)), folder=tmp_path, steps=150, seed=0)
    test = films.part(np.arange(32, 40))
    assert mean_iou(film_anatomy(model, test.pictures), test)[0] > 0.8


def test_iou_of_known_films_only() -> None:
    planes = np.zeros((2, 2, 16, 16), dtype=bool)
    planes[:, 0, :8], planes[0, 1, 0, 0] = True, True
    found = np.zeros_like(planes)
    found[0, 0, :8], found[1, 0, :4], found[1, 1, 0, 0] = True, True, True
    films = FilmSet(np.zeros((2, 16, 16), dtype=np.float32), planes, np.array([[True, True], [True, False]]))
    np.testing.assert_allclose(mean_iou(found, films), [0.75, 0.0])
    with pytest.raises(InputError, match="films"):
        FilmSet(np.zeros((2, 16, 16), dtype=np.float32), planes[:1], films.known)


def test_the_loss_is_its_definition() -> None:
    rng = np.random.default_rng(0)
    logits, target = rng.normal(size=(2, 3, 4, 4)), rng.random((2, 3, 4, 4)) > 0.5
    weight = np.ones((2, 3, 1, 1))
    weight[1, 2] = 0
    share = 1 / (1 + np.exp(-logits))
    wanted = []
    for k in range(3):
        p, t, w = share[:, k], target[:, k], np.broadcast_to(weight[:, k], share[:, k].shape)
        entropy = -(w * np.where(t, np.log(p), np.log(1 - p))).mean()
        wanted.append(1 - (2 * (w * p * t).sum() + 5) / ((w * p).sum() + (w * t).sum() + 5) + 3 * entropy)
    tensors = torch.from_numpy(logits), torch.from_numpy(target).double()
    found = dice_and_binary_cross_entropy(*tensors, weight=torch.from_numpy(weight), smooth=5, entropy=3)
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-10)
    with pytest.raises(InputError, match="target"):
        dice_and_binary_cross_entropy(tensors[0], tensors[1][:1])
