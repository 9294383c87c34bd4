"""Places of a radiograph as boxes on the picture as it came, and joined to the words of its report."""

from __future__ import annotations

import numpy as np
import pytest

from groundglass.classification import RadiographView, Turn
from groundglass.core import Box, Image, InputError
from groundglass.reading import radiograph_places
from groundglass.reading.upright import Upright
from groundglass.synthesis.thorax import random_radiograph
from groundglass.text import graph, read_report

SIZE = 256


@pytest.fixture(scope="module")
def phantom():
    return random_radiograph(np.random.default_rng([76, 2]), size=SIZE, findings=(), view="PA")


def view(turn: Turn) -> RadiographView:
    return RadiographView("frontal", "PA", 90 * turn.quarters, turn.mirrored, False, {"view": 0.99, "state": 0.98})


def overlap(a: Box, b: Box) -> float:
    low, high = np.maximum(a.start, b.start), np.minimum(a.stop, b.stop)
    both = np.prod(np.maximum(high - low, 0))
    return float(both / (np.prod(a.shape) + np.prod(b.shape) - both))


@pytest.mark.parametrize("turn", [Turn(), Turn(1), Turn(0, True), Turn(3, True)])
def test_boxes_turn_with_the_picture(turn: Turn) -> None:
    box = Box((3, 5), (7, 20))
    drawn = np.zeros((40, 60), dtype=bool)
    drawn[box.slices] = True
    lying = turn.apply(drawn)
    frame = Upright(turn, lying.shape)
    found = frame.boxes({"left lung": box, "right lung": box, "right atrium": box})
    rows, columns = np.nonzero(lying)
    assert found["left lung"] == Box((rows.min(), columns.min()), (rows.max() + 1, columns.max() + 1))
    assert set(found) == {"left lung", "right lung", "right atrium"}


def test_places_of_a_phantom_and_its_report(phantom) -> None:
    upright = radiograph_places(Image.of(phantom.image, name="film", modality="DX"), view=view(Turn()))
    turned = radiograph_places(Image.of(Turn(1).apply(phantom.image), name="film", modality="DX"), view=view(Turn(1)))
    lung = np.argwhere(phantom.masks["right lung"])
    true = Box(tuple(lung.min(axis=0)), tuple(lung.max(axis=0) + 1))
    assert overlap(upright["right lung"], true) > 0.85
    assert turned["right lung"].shape == upright["right lung"].shape[::-1]
    stated = graph.scene_graph(read_report("Small right pleural effusion. No pneumothorax."), graph.Exam("i", "s"))
    boxed = graph.with_boxes(stated, upright, (SIZE, SIZE))
    held = {o.place: o.box for o in boxed.objects}
    assert held["right costophrenic angle"] == upright["right costophrenic angle"]
    rows = {row["bbox_name"]: row for row in graph.to_json(boxed)["objects"]}
    assert rows["right lung"]["original_y1"] == upright["right lung"].start[0]
    assert graph.from_json(graph.to_json(boxed)) == boxed


def test_a_picture_without_lungs_is_refused() -> None:
    blank = Image.of(np.random.default_rng(0).random((64, 64), dtype=np.float32), name="noise", modality="DX")
    with pytest.raises(InputError, match="two lungs"):
        radiograph_places(blank, view=RadiographView("other", None, 0, False, False, {}))
