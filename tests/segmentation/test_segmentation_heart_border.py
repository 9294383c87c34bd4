"""The heart's borders on the picture's edges: discs of known outline, phantoms with exact masks, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage as ndi

from groundglass.segmentation.heart_border import heart_to_edge
from groundglass.synthesis import random_radiograph

SIZE = 200


def disc(radius: float, column: float = 100) -> np.ndarray:
    y, x = np.mgrid[:SIZE, :SIZE]
    return (y - 120) ** 2 + (x - column) ** 2 < radius**2


def width(mask: np.ndarray) -> int:
    return int(np.ptp(np.flatnonzero(mask.any(axis=0)))) + 1


def chest() -> np.ndarray:
    lungs = np.zeros((SIZE, SIZE), dtype=bool)
    lungs[40:160, 20:180] = True
    return lungs


@pytest.mark.parametrize("drawn", [42, 46, 50, 54])
def test_a_disc_drawn_too_large_or_too_small_finds_its_edge(drawn: int) -> None:
    truth = disc(48)
    rng = np.random.default_rng(drawn)
    picture = 100.0 * ndi.gaussian_filter(truth.astype(float), 1.0) + rng.normal(0, 5, truth.shape)
    found = heart_to_edge(picture, disc(drawn), chest())
    assert abs(width(found) - width(truth)) <= 3
    # Top and bottom are left alone: no lung gives an edge there.
    assert abs(int(found[:, 100].sum()) - int(disc(drawn)[:, 100].sum())) <= 3


def test_without_an_edge_the_outline_stays() -> None:
    drawn = disc(48)
    found = heart_to_edge(np.full((SIZE, SIZE), 7.0), drawn, chest())
    assert 2 * (found & drawn).sum() / (found.sum() + drawn.sum()) > 0.97


def test_an_edge_out_of_reach_is_not_taken() -> None:
    picture = 100.0 * disc(75).astype(float)
    assert width(heart_to_edge(picture, disc(48), chest())) < width(disc(48)) + 2 * 0.05 * 160


@pytest.mark.parametrize("empty", ["heart", "lungs"])
def test_nothing_to_go_by_changes_nothing(empty: str) -> None:
    masks = {"heart": disc(48), "lungs": chest()}
    masks[empty] = np.zeros((SIZE, SIZE), dtype=bool)
    found = heart_to_edge(np.zeros((SIZE, SIZE)), masks["heart"], masks["lungs"])
    np.testing.assert_array_equal(found, masks["heart"])


def test_leaks_over_the_right_border_of_phantoms_are_taken_back() -> None:
    before, after = [], []
    for seed in range(6):
        phantom = random_radiograph(np.random.default_rng([11, seed]), size=256, findings=(), field_width=420.0)
        heart, lungs = phantom.masks["heart"], phantom.masks["left lung"] | phantom.masks["right lung"]
        chest_width = width(lungs)
        leaked = heart | np.roll(heart, -round(0.05 * chest_width), axis=1)
        found = heart_to_edge(phantom.image, leaked, lungs)
        before.append(abs(width(leaked) - width(heart)) / chest_width)
        after.append(abs(width(found) - width(heart)) / chest_width)
    assert np.mean(after) < 0.5 * np.mean(before)
