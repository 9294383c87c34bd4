"""What is said of places: batches that move with their boxes, what is not stated, training on small pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from groundglass.classification import (
    CHANGES,
    PlaceFilms,
    class_activation_maps,
    co_occurrence,
    heat_in_boxes,
    min_max,
    place_batch,
    place_changes,
    place_scores,
    swapped,
    train_image_attributes,
    train_place_attributes,
    train_place_change,
)
from groundglass.classification.place_films import PlaceBatches, moved
from groundglass.core import InputError
from groundglass.metrics.classification import mirrored_aurocs

SIZE = 48
LEFT, RIGHT = (12, 4, 36, 22), (12, 26, 36, 44)


def pictures(count: int, seed: int, exams: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright spot in neither, one or both of two places; (films, brightness (N, E, 2))."""
    rng = np.random.default_rng(seed)
    films = rng.normal(0.3, 0.05, size=(count, exams, SIZE, SIZE)).astype(np.float32)
    bright = rng.choice([0.0, 0.25, 0.6], size=(count, exams, 2))
    for index in np.ndindex(count, exams, 2):
        box = (LEFT, RIGHT)[index[2]]
        row, column = rng.integers(box[0], box[2] - 6), rng.integers(box[1], box[3] - 6)
        films[index[0], index[1], row : row + 6, column : column + 6] += bright[index]
    return films, bright


def boxes(count: int, exams: int = 1) -> np.ndarray:
    return np.tile(np.array([LEFT, RIGHT], dtype=np.float32), (count, exams, 1, 1))


def spots(count: int, seed: int) -> PlaceFilms:
    films, bright = pictures(count, seed)
    return PlaceFilms(films, boxes(count), (bright[:, 0] > 0).astype(np.int64)[..., None])


def pairs(count: int, seed: int) -> PlaceFilms:
    films, bright = pictures(count, seed, exams=2)
    return PlaceFilms(films, boxes(count, 2), (np.sign(bright[:, 1] - bright[:, 0]) + 1).astype(np.int64)[..., None])


def test_attributes_are_found_in_their_place(tmp_path: Path) -> None:
    films, asked = spots(100, 1), spots(60, 2)
    for graph in (False, True):
        network = train_place_attributes(films, folder=tmp_path / str(graph), steps=40, graph=graph)
        scores = place_scores(network, asked)
        assert mirrored_aurocs(asked.truth, scores, [(0, 1)], ["spot"]).macro > 0.95


def test_places_without_box_or_statement_do_not_count(tmp_path: Path) -> None:
    films = spots(40, 3)
    held, truth = films.boxes.copy(), films.truth.copy()
    held[::2, :, 0] = np.nan
    truth[1::2, 1] = -1
    gaps = PlaceFilms(films.films, held, truth)
    assert (gaps.stated[::2, 0] | gaps.stated[1::2, 1]).any() == np.False_
    # Whatever stands where nothing counts, the trained network is the same.
    lies = truth.copy()
    lies[::2, 0] = 1 - lies[::2, 0]
    first, second = (
        train_place_attributes(PlaceFilms(films.films, held, t), folder=tmp_path / name, steps=3)
        for name, t in (("a", truth), ("b", lies))
    )
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
    scores = place_scores(first, gaps)
    assert np.isnan(scores[::2, 0]).all() and np.isfinite(scores[:, 1]).all()


def test_change_is_found_and_needs_both_films(tmp_path: Path) -> None:
    films, asked = pairs(150, 4), pairs(80, 5)
    network = train_place_change(films, folder=tmp_path / "both", steps=70)
    alone = train_place_change(films, folder=tmp_path / "alone", steps=30, prior=False)
    truth = asked.truth[..., 0]
    accuracy, guessed = ((place_changes(held, asked).argmax(-1) == truth).mean() for held in (network, alone))
    assert accuracy > 0.8 and accuracy > guessed + 0.1
    assert len(CHANGES) == 3


def test_swapping_twice_is_nothing() -> None:
    films = pairs(5, 6)
    turned = swapped(films)
    assert (turned.truth + films.truth == 2).all()
    assert np.array_equal(turned.films[:, 0], films.films[:, 1])
    again = swapped(turned)
    assert np.array_equal(again.films, films.films) and np.array_equal(again.truth, films.truth)


def test_boxes_move_with_their_pictures() -> None:
    image = torch.zeros(6, 2, 64, 80)
    image[..., 30:40, 20:50] = 1
    held = torch.tensor([30.0, 20, 40, 50]).expand(6, 2, 1, 4)
    found, corners = moved(image, held, np.random.default_rng(0))
    assert len({tuple(row) for row in corners.reshape(-1, 4).tolist()}) > 3
    for index in np.ndindex(6, 2):
        top, left, bottom, right = (int(value) for value in corners[index][0])
        inside = found[index][top:bottom, left:right]
        assert inside.std() < 1e-5 and inside.numel() == 300
        outside = found[index].clone()
        outside[top:bottom, left:right] = outside[0, 0]
        assert outside.std() < 1e-5


def test_batches_depend_on_seed_and_number_alone() -> None:
    batches = PlaceBatches(spots(20, 7), size=4, seed=3)
    later = next(iter(batches.starting_at(5)))
    for one, other in zip(later, batches.batch(5), strict=True):
        assert torch.equal(one, other)


def test_co_occurrence_counts_films() -> None:
    truth = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 0, 1]])[..., None]
    films = PlaceFilms(np.zeros((4, 1, 8, 8), np.float32), np.zeros((4, 1, 3, 4), np.float32), truth)
    expected = np.array([[0, 2 / 6**0.5, 1 / 6**0.5], [2 / 6**0.5, 0, 1 / 2], [1 / 6**0.5, 1 / 2, 0]])
    np.testing.assert_allclose(co_occurrence(films), expected, atol=1e-6)


def test_activation_maps_are_hot_where_the_spot_is(tmp_path: Path) -> None:
    films, asked = spots(120, 8), spots(60, 9)
    network = train_image_attributes(films, folder=tmp_path, steps=80)
    maps = class_activation_maps(network, place_batch(asked)[0])
    heat = heat_in_boxes(maps, asked.boxes[:, 0])
    assert heat.shape == (60, 2, 1)
    assert mirrored_aurocs(asked.truth, heat, [(0, 1)], ["spot"]).macro > 0.8
    stretched = min_max(maps)
    assert float(stretched.min()) == 0 and float(stretched.max()) == 1
    whole = np.tile(np.array([0, 0, SIZE, SIZE], np.float32), (60, 1, 1))
    hottest = heat_in_boxes(stretched, whole, hottest=True)
    assert (hottest >= heat_in_boxes(stretched, whole)).all()
    # The 6 x 6 points of the whole picture are its 6 x 6 positions.
    np.testing.assert_allclose(heat_in_boxes(maps, whole)[:, 0], maps.mean((-2, -1)), atol=1e-5)
    np.testing.assert_allclose(hottest, 1, atol=1e-5)


def test_wrong_shapes_and_truths_are_refused(tmp_path: Path) -> None:
    films, two = spots(4, 10), pairs(4, 10)
    with pytest.raises(InputError, match="place films"):
        PlaceFilms(films.films[:, 0], films.boxes, films.truth)
    with pytest.raises(InputError, match="single exams"):
        train_place_attributes(two, folder=tmp_path, steps=1)
    with pytest.raises(InputError, match="pairs"):
        train_place_change(films, folder=tmp_path, steps=1)
