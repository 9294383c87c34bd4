"""Boxes of the places of a chest radiograph: on a drawn chest by hand, mirrored, without some of the outlines."""

from __future__ import annotations

import numpy as np
import pytest

from groundglass.measurement.radiographic import RadiographMasks, place_boxes
from groundglass.synthesis.thorax import random_radiograph
from groundglass.text.graph import boxed_places


def rectangle(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    mask = np.zeros((200, 200), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


@pytest.fixture
def drawn() -> dict[str, np.ndarray]:
    """A chest of rectangles: lungs of 120 x 60, a trachea that forks at row 70 into bronchi."""
    airways = rectangle(20, 95, 70, 105) | rectangle(70, 85, 90, 95) | rectangle(70, 105, 90, 115)
    return {
        "right lung": rectangle(30, 20, 150, 80),
        "left lung": rectangle(30, 120, 150, 180),
        "heart": rectangle(90, 75, 150, 150),
        "mediastinum": rectangle(30, 80, 150, 120),
        "spine": rectangle(10, 92, 190, 108),
        "airways": airways,
        "right hemidiaphragm": rectangle(130, 20, 160, 80),
        "left hemidiaphragm": rectangle(135, 120, 160, 180),
    }


def corners(masks: dict[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    found = place_boxes(RadiographMasks(masks))
    return {place: (*box.start, *box.stop) for place, box in found.items()}


def test_rectangles_by_hand(drawn: dict[str, np.ndarray]) -> None:
    found = corners(drawn)
    assert found["right lung"] == (30, 20, 150, 80)
    assert found["right upper lung zone"] == (30, 20, 70, 80)
    assert found["left mid lung zone"] == (70, 120, 110, 180)
    assert found["left lower lung zone"] == (110, 120, 150, 180)
    assert found["cardiac silhouette"] == (90, 75, 150, 150)
    assert found["upper mediastinum"] == (30, 80, 70, 120)
    # The junction lies a sixth of 120 rows below the fork, the right atrium right of the midline from there.
    assert found["right atrium"] == (90, 75, 150, 100)
    assert sum(found["cavoatrial junction"][0::2]) / 2 == pytest.approx(90, abs=1)
    assert found["svc"][:3] == (30, 80, 90)
    assert found["right costophrenic angle"] == (124, 20, 150, 50)
    assert found["left costophrenic angle"] == (124, 150, 150, 180)
    assert found["right hemidiaphragm"] == (130, 20, 150, 80)
    assert found["abdomen"] == (130, 20, 200, 180)
    assert found["right hilar structures"][3] == 80 and found["left hilar structures"][1] == 120


def test_a_mirrored_picture_mirrors_the_paired_places(drawn: dict[str, np.ndarray]) -> None:
    masks = RadiographMasks(drawn)
    there, back = place_boxes(masks), place_boxes(masks.mirrored())
    for place in ("lung", "apical zone", "mid lung zone", "hilar structures", "costophrenic angle", "hemidiaphragm"):
        left, right = there[f"left {place}"], back[f"right {place}"]
        assert (left.start[0], left.stop[0]) == (right.start[0], right.stop[0])
        assert (left.start[1], left.stop[1]) == (200 - right.stop[1], 200 - right.start[1])


def test_without_lungs_only_outlines_give_boxes(drawn: dict[str, np.ndarray]) -> None:
    del drawn["left lung"]
    assert set(corners(drawn)) == {"right lung", "cardiac silhouette", "mediastinum", "spine"}


def test_only_lungs_still_give_their_parts(drawn: dict[str, np.ndarray]) -> None:
    found = corners({name: drawn[name] for name in ("left lung", "right lung")})
    assert "right apical zone" in found and "abdomen" in found and "svc" not in found and "carina" not in found


def test_every_place_of_the_tree_on_a_phantom() -> None:
    phantom = random_radiograph(np.random.default_rng([76, 1]), size=128, findings=())
    found = place_boxes(RadiographMasks(phantom.masks))
    assert set(found) == set(boxed_places())
    for box in found.values():
        assert all(0 <= a < b <= 128 for a, b in zip(box.start, box.stop, strict=True))
    # The true carina, from the three-dimensional shapes, lies in its box.
    row, column = phantom.truth["carina"]
    carina = found["carina"]
    assert carina.start[0] <= row < carina.stop[0] and carina.start[1] <= column < carina.stop[1]
    without = {name: mask for name, mask in phantom.masks.items() if name != "carina"}
    guessed = place_boxes(RadiographMasks(without))["carina"]
    assert abs(guessed.centre[0] - carina.centre[0]) < 0.05 * 128
