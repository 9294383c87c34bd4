"""System 8: the exact rows hold; what is trained on is what it says it is."""

from __future__ import annotations

import numpy as np
import pytest

from groundglass.synthesis.chest_labels import region_of
from groundglass.systems import paxray_trials as trials
from groundglass.systems.s08_paxray import _closed_forms, _simpleitk


@pytest.fixture(scope="module")
def chests() -> trials.Chests:
    return trials.simulated_chests(2, seed=8)


def test_the_rows_without_training_hold() -> None:
    for claim in (*_closed_forms(), *_simpleitk()):
        assert claim.passed, claim.name


def test_films_replay_and_their_sentences_are_true(chests: trials.Chests) -> None:
    again = trials.simulated_chests(1, seed=8, first=1)
    np.testing.assert_array_equal(again.films.pictures[0], chests.films.pictures[1])
    assert again.places[0] == chests.places[1]
    assert not chests.films.planes[~chests.films.known].any()
    for number, places in enumerate(chests.places):
        for place in places:
            for sentence in place.sentences:
                named = region_of(sentence, chests.masks(number))
                truth = region_of(f"{place.side} {place.zone} zone", chests.masks(number))
                assert named is not None
                assert truth is not None
                np.testing.assert_array_equal(named, truth)


def test_a_hit_is_a_middle_in_the_box_of_the_zone(chests: trials.Chests) -> None:
    truth = region_of("left upper zone", chests.masks(0))
    assert truth is not None
    quarter = truth.reshape(trials.SIZE // 4, 4, trials.SIZE // 4, 4).mean(axis=(1, 3), dtype=np.float32)
    place = trials.Place("left", "upper", ())
    assert trials._is_hit(quarter, chests, 0, place)
    assert not trials._is_hit(quarter[:, ::-1], chests, 0, place)
    assert not trials._is_hit(np.zeros_like(quarter), chests, 0, place)


def test_proposals_are_boxes_that_cover_the_film(chests: trials.Chests) -> None:
    grid, segments = trials._grid_boxes(), trials._segment_boxes(chests.films.pictures[0])
    assert len(grid) == trials.GRID**2
    assert np.sum(grid, axis=0).max() == np.sum(grid, axis=0).min() == 1
    assert np.any(segments, axis=0).all()
    assert len(segments) > 10
