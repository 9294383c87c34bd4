"""System 76: its proof holds; what is stated of the simulated patients' places."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from groundglass.synthesis import SIGNS, FollowedChests, Sign
from groundglass.systems.imagenome_trials import ATTRIBUTES, PLACES, attribute_films, change_films
from groundglass.systems.s76_chest_imagenome import prove


@pytest.mark.slow
def test_proof_holds(tmp_path: Path) -> None:
    proof = prove(tmp_path, None)
    assert [claim.name for claim in proof.claims if not claim.passed] == []
    assert json.loads((tmp_path / "scene_graph.json").read_text(encoding="utf-8"))["attributes"]


def chests_with(*extents: tuple[Sign, float, float]) -> FollowedChests:
    """One patient with these signs in the two films, every place shown."""
    severity = np.zeros((1, 2, len(SIGNS)), dtype=np.float32)
    for sign, before, after in extents:
        severity[0, :, SIGNS.index(sign)] = before, after
    boxes = np.tile(np.array([0, 0, 4, 4], np.float32), (1, 2, len(PLACES), 1))
    return FollowedChests(np.zeros((1, 2, 8, 8), np.float32), boxes, severity, PLACES)


def test_sign_is_stated_in_its_place_and_the_lung_and_nowhere_else() -> None:
    films = attribute_films(chests_with((Sign("consolidation", "left", "lower"), 0.0, 0.3)))
    index = ATTRIBUTES.index("consolidation")
    stated = {place: films.truth[:, PLACES.index(place), index].tolist() for place in PLACES}
    assert stated["left lower lung zone"] == [0, 1]
    assert stated["left lung"] == [0, 1]
    assert stated["left upper lung zone"] == stated["right lung"] == [0, 0]
    assert stated["left costophrenic angle"] == stated["cardiac silhouette"] == [-1, -1]


def test_sign_outside_the_film_is_not_said_to_be_absent() -> None:
    films = attribute_films(chests_with((Sign("effusion", "right"), np.nan, 0.2)))
    index = ATTRIBUTES.index("pleural effusion")
    assert films.truth[:, PLACES.index("right costophrenic angle"), index].tolist() == [-1, 1]
    two = (Sign("nodule", "left", "upper"), np.nan, 0.0), (Sign("nodule", "left", "lower"), 0.0, 0.1)
    films = attribute_films(chests_with(*two))
    index = ATTRIBUTES.index("mass/nodule (not otherwise specified)")
    assert films.truth[:, PLACES.index("left lung"), index].tolist() == [-1, 1]


def test_change_of_each_sign_stands_in_its_place() -> None:
    films = change_films(
        chests_with(
            (Sign("cardiomegaly"), 0.6, 0.61),
            (Sign("effusion", "left"), 0.3, 0.1),
            (Sign("pneumothorax", "right"), 0.0, 0.1),
            (Sign("effusion", "right"), np.nan, 0.1),
            (Sign("nodule", "right", "upper"), 0.1, 0.0),
            (Sign("consolidation", "right", "upper"), 0.2, 0.4),
            (Sign("nodule", "left", "upper"), 0.1, 0.2),
            (Sign("consolidation", "left", "upper"), 0.2, 0.4),
        )
    )
    said = {place: int(films.truth[0, i, 0]) for i, place in enumerate(PLACES) if films.truth[0, i, 0] >= 0}
    assert said == {
        "cardiac silhouette": 1,
        "left costophrenic angle": 0,
        "right apical zone": 2,
        "left upper lung zone": 2,
    }
