"""Phantom patients with two films: what changes between them, and what does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from groundglass.synthesis import SIGNS, followed_chests
from groundglass.synthesis.followed_patients import planned_extents

PLACES = ("left lung", "right lung", "left costophrenic angle", "right costophrenic angle", "cardiac silhouette")


def test_course_of_a_sign_does_not_depend_on_which_film_is_first() -> None:
    rng = np.random.default_rng(0)
    extents = np.stack([planned_extents(rng) for _ in range(4000)])
    before, after = extents[:, 0], extents[:, 1]
    shown = (before > 0) | (after > 0)
    ratio = np.divide(after, before, out=np.full_like(after, np.inf), where=before > 0)[shown]
    larger = np.maximum(before, after)[shown] / np.maximum(np.minimum(before, after)[shown], 1e-6)
    # Nothing between 3 % (both ways: 1.03 / 0.97) and the smallest change of a heart (0.70 of 0.64).
    assert not ((larger > 1.065) & (larger < 1.09)).any()
    shares = [np.mean(ratio > 1.07), np.mean(ratio < 1 / 1.07), np.mean(larger < 1.07)]
    np.testing.assert_allclose(shares, 1 / 3, atol=0.02)
    sides = [np.sort(each[shown][larger > 1.07]) for each in (before, after)]
    # Earlier and later extents have one distribution: their largest distance (Kolmogorov-Smirnov) is that of chance.
    grid = np.linspace(0, 0.7, 50)
    gap = np.abs(np.searchsorted(sides[0], grid) - np.searchsorted(sides[1], grid)).max() / len(sides[0])
    assert gap < 1.95 * (2 / len(sides[0])) ** 0.5


def test_patient_depends_on_seed_and_number_and_is_cached(tmp_path: Path) -> None:
    chests = followed_chests(2, 3, PLACES, size=64, cache=tmp_path / "films.npz")
    assert chests.films.shape == (2, 2, 64, 64) and chests.boxes.shape == (2, 2, 5, 4)
    assert chests.severity.shape == (2, 2, len(SIGNS))
    again = followed_chests(2, 0, (), cache=tmp_path / "films.npz")
    for name in ("films", "boxes", "severity"):
        assert np.array_equal(getattr(again, name), getattr(chests, name), equal_nan=True)
    assert again.places == PLACES
    alone = followed_chests(1, 3, PLACES, size=64)
    assert np.array_equal(alone.films, chests.films[:1])
    assert np.array_equal(chests.part(1, 2).boxes, chests.boxes[1:], equal_nan=True)
    assert len(chests) == 2


def test_boxes_lie_in_the_films_and_right_is_at_the_left() -> None:
    chests = followed_chests(2, 4, PLACES, size=64)
    boxes = chests.boxes[~np.isnan(chests.boxes).any(axis=-1)]
    assert (boxes[:, :2] < boxes[:, 2:]).all() and boxes.min() >= 0 and boxes.max() <= 64
    left, right = chests.boxes[:, :, 0], chests.boxes[:, :, 1]
    assert (left[..., 1] > right[..., 1]).all()
    assert (chests.films[:, 0] != chests.films[:, 1]).any()
