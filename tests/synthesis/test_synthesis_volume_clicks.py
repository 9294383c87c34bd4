"""Correcting clicks in volumes against distances counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from groundglass.synthesis.volume_clicks import deepest_click, error_click


def pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(2):
        at = np.indices((7, 8, 6)) - rng.uniform(0, 7, 3)[:, None, None, None]
        made.append((at**2).sum(axis=0) < rng.uniform(1.5, 4) ** 2)
    return made[0], made[1]


def depth_by_hand(mask: np.ndarray, voxel: np.ndarray) -> float:
    outside = np.argwhere(~np.pad(mask, 1)) - 1
    return float(np.sqrt(((outside - voxel) ** 2).sum(axis=1).min()))


@pytest.mark.parametrize("start", range(0, 100, 25))
def test_the_deepest_voxel_is_the_one_found_by_hand(start: int) -> None:
    for seed in range(start, start + 25):
        truth, guess = pair(seed)
        best = (0.0, None, True)
        for mask, positive in ((truth & ~guess, True), (guess & ~truth, False)):
            for voxel in np.argwhere(mask):
                depth = depth_by_hand(mask, voxel)
                best = (depth, voxel, positive) if depth > best[0] + 1e-9 else best
        click = deepest_click(truth, guess)
        if best[1] is None:
            assert click is None
            continue
        assert click is not None and np.array_equal(click[0], best[1]) and click[1] == best[2]


def test_error_clicks_are_even_over_what_is_wrong_and_rightly_labelled() -> None:
    truth, guess = pair(3)
    rng = np.random.default_rng(0)
    wrong = truth ^ guess
    assert wrong.sum() > 5
    counts = np.zeros(truth.shape)
    for _ in range(40 * int(wrong.sum())):
        click = error_click(truth, guess, rng)
        assert click is not None
        counts[tuple(click[0])] += 1
        assert click[1] == bool(truth[tuple(click[0])] and not guess[tuple(click[0])])
    assert not counts[~wrong].any()
    assert chisquare(counts[wrong]).pvalue > 0.01


def test_nothing_wrong_needs_no_click() -> None:
    truth, _ = pair(0)
    assert deepest_click(truth, truth) is None and error_click(truth, truth, np.random.default_rng(0)) is None
