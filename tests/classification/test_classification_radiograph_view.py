"""How a picture lies: the algebra of turns, the joint decision, and the shipped model on real radiographs."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from groundglass.classification import Turn, recognise_radiograph
from groundglass.classification.radiograph_view import _composed, decide
from groundglass.classification.turns import TURNS
from groundglass.core import Image, InputError


def test_turns_compose_and_are_undone() -> None:
    array = np.arange(12.0).reshape(3, 4)
    for first, second in itertools.product(TURNS, TURNS):
        both = TURNS[_composed(second, first)]
        np.testing.assert_array_equal(second.apply(first.apply(array)), both.apply(array))
        np.testing.assert_array_equal(both.undo(both.apply(array)), array)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("turn", TURNS)
def test_an_oracle_network_is_decided_rightly(turn: Turn, inverted: bool) -> None:
    answers = {}
    for (i, shown), flipped in itertools.product(enumerate(TURNS), (False, True)):
        state = TURNS[_composed(shown, turn)]
        row = np.full(10, -6.0, dtype=np.float32)
        row[0], row[3], row[4 + state.quarters] = 6.0, 6.0, 6.0
        row[8] = 6.0 if state.mirrored else -6.0
        row[9] = 6.0 if inverted != flipped else -6.0
        answers[i, flipped] = row
    asked = []

    def side(taken_back: Turn, flipped: bool) -> float:
        asked.append((taken_back, flipped))
        return 3.0 if turn.mirrored else -3.0

    view = decide(answers, side)
    assert asked == [(Turn(turn.quarters), inverted)]
    assert (view.turn, view.inverted, view.kind, view.view) == (turn, inverted, "frontal", "AP")
    assert bool(view.warnings()) == (not view.upright)


def test_constant_image_is_refused() -> None:
    with pytest.raises(InputError, match="constant"):
        recognise_radiograph(Image.of(np.ones((50, 50))))


def test_real_radiographs_of_the_validation_split(data: Path) -> None:
    with (data / "cxr-nih14" / "labels.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "val"]
    turned = [row for row in rows if row["orientation"] != "upright"][:3]
    right = []
    for row in [*rows[:15], *turned]:
        with Picture.open(data / "cxr-nih14" / "images" / row["image"]) as file:
            view = recognise_radiograph(Image.of(np.asarray(file.convert("L"))))
        right.append(view.kind == "frontal" and view.rotation == (0 if row["orientation"] == "upright" else 90))
    assert np.mean(right) >= 0.9


def test_other_pictures_are_no_chest_radiograph(data: Path) -> None:
    with (data / "nuclei-dsb2018" / "splits.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "val"][:6]
    kinds = []
    for row in rows:
        with Picture.open(data / "nuclei-dsb2018" / "images" / row["image"]) as file:
            kinds.append(recognise_radiograph(Image.of(np.asarray(file.convert("L")))).kind)
    assert kinds.count("not a chest radiograph") >= 5
