"""Weak labels: one lesion per sentence by uptake and slice, reasons for the rest, no number left to learn from."""

from __future__ import annotations

import numpy as np
import pytest

from groundglass.text.mining import mined, planted_sentence, planted_uptake, without_numbers


@pytest.mark.parametrize(
    ("sentence", "suv", "place", "dropped"),
    [
        ("FDG-avid right hilar node, SUVmax 7.8 (slice 121).", 7.8, 121, ""),
        ("Nodule with maximum SUV of 4,2 on series 4, image 88.", 4.2, 88, ""),
        ("Mass, SUV max = 12 (image 4/99).", 12.0, 99, ""),
        ("Liver lesion, SUVmax 9.1, slice 40.", 9.1, 40, ""),
        ("Previously the node had an SUVmax of 7.8 (slice 121).", None, None, "earlier exam"),
        ("Liver SUVmax 2.4, slice 40.", None, None, "reference organ"),
        ("Nodes with SUVmax ranging from 3.1 to 7.0, slice 12.", None, None, "range"),
        ("Two nodes, SUVmax 3.1 and SUVmax 7.0, slice 12.", None, None, "several lesions"),
        ("Nodule on image 12.", None, 12, "no SUVmax"),
        ("Nodule with SUVmax 3.", 3.0, None, "no slice"),
    ],
)
def test_one_sentence(sentence: str, suv: float | None, place: int | None, dropped: str) -> None:
    (row,) = mined(sentence)
    assert (row.suv_max, row.slice, row.dropped) == (suv, place, dropped)
    assert sentence[row.start : row.end] == sentence


def test_a_sentence_without_either_gives_nothing() -> None:
    assert list(mined("No suspicious uptake. SUV was not measured.")) == []


def test_numbers_are_taken_out_and_words_stay() -> None:
    assert without_numbers("FDG-avid right hilar node, SUVmax 7.8 (slice 121).") == "FDG-avid right hilar node."
    assert without_numbers("Mass on image 4/99 with an SUVmax of 9.1.") == "Mass."
    assert without_numbers("A 12 mm nodule in the left lung.") == "A 12 mm nodule in the left lung."


def test_planted_truth_points_at_its_sentence() -> None:
    report = planted_uptake(np.random.default_rng(4))
    assert report.truth
    for start, (suv, place) in report.truth.items():
        sentence = report.text[start : report.text.index(". ", start) if ". " in report.text[start:] else None]
        assert str(suv) in sentence and str(place) in sentence


def test_planted_sentences_hold_their_labels_words() -> None:
    rng = np.random.default_rng(5)
    seen = {planted_sentence(rng).far for _ in range(30)}
    assert seen == {True, False}
