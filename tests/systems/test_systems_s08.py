"""System 8: the exact rows hold; what is trained on is what it says it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from groundglass.learn.region_matching import RegionMatcher
from groundglass.nets.region_phrase_net import RegionPhraseNet
from groundglass.synthesis.chest_labels import region_of
from groundglass.systems import paxray_grounding as grounding
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
    (quarter,) = grounding._quarter(truth[None])
    place = trials.Place("left", "upper", ())
    assert grounding._is_hit(quarter, chests, 0, place)
    assert not grounding._is_hit(quarter[:, ::-1], chests, 0, place)
    assert not grounding._is_hit(np.zeros_like(quarter), chests, 0, place)


def test_proposals_are_boxes_that_cover_the_film(chests: trials.Chests) -> None:
    grid, segments = grounding._grid_boxes(), grounding._segment_boxes(chests.films.pictures[0])
    assert len(grid) == grounding.GRID**2
    assert np.sum(grid, axis=0).max() == np.sum(grid, axis=0).min() == 1
    assert np.any(segments, axis=0).all()
    assert len(segments) > 10


def test_words_come_first_and_what_was_learnt_takes_the_rest(chests: trials.Chests) -> None:
    """An untrained network chooses among regions; a sentence that names a zone gets that zone, whatever it chose."""
    network = RegionPhraseNet(4).eval()
    matcher = RegionMatcher(network, {"opacity": 2, "zone": 3})
    found = chests.films.planes
    (example, _) = grounding._examples(chests, found, "anatomy")
    said = ("Opacity in the right lower zone.", "Opacity.")
    named, other = grounding._words_first(matcher, chests, found)(0, example, said)
    zone = region_of("right lower zone", chests.masks(0))
    assert zone is not None
    np.testing.assert_allclose(named, grounding._quarter(zone[None])[0])
    np.testing.assert_array_equal(other, example.regions[matcher.scores(example, said)[1].argmax()])


def test_places_of_other_films_agree_as_often_as_counted(chests: trials.Chests) -> None:
    left, right = trials.Place("left", "upper", ()), trials.Place("right", "upper", ())
    held = replace(chests, places=((left, right), (left,)))
    assert grounding._same_place(held) == pytest.approx(50)
