"""System 94: the checks that need no trained network hold, and the training in small runs to its end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from groundglass.systems import deepgrow_trials, s94_deepgrow
from groundglass.systems.s94_deepgrow import _chance, _click_statistics, _guidance, _regions, _undo


def test_parts_that_need_no_training_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s94_deepgrow, "DRAWS", 4000)
    claims = [_guidance(), *_click_statistics(), _regions(), _undo()]
    assert [claim.name for claim in claims if not claim.passed] == []
    assert claims[-1].detail["different masks"] >= 3


def test_trials_train_with_and_without_the_user_and_hold_structures_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PATIENTS": 1,
        "TESTED": 1,
        "FIRST": 2,
        "SECOND": 1,
        "LONG": 3,
        "SHAPE": (256, 256, 16),
    }.items():
        monkeypatch.setattr(deepgrow_trials, name, value)
    claims = {claim.name: claim for claim in deepgrow_trials.trials(tmp_path)}
    assert len(claims) == 10 and all(np.isfinite(claim.measured) for claim in claims.values())
    unseen = claims["Dice after one click, structures unseen"].detail
    assert set(unseen) - {"tasks"} <= set(deepgrow_trials.UNSEEN) and len(unseen) > 2
    assert not set(deepgrow_trials.UNSEEN) & set(deepgrow_trials.SEEN)
    # Three steps teach nothing.
    assert not claims["Dice after one click, structures seen"].passed
    assert claims["Dice after one click, beside random walker"].baseline > 0.05
    assert {path.name for path in tmp_path.iterdir()} == {"first clicks", "simulated user", "control"}


def test_the_chi_square_tells_another_distribution() -> None:
    rng, expected = np.random.default_rng(0), np.full(50, 400.0)
    even, skewed = rng.multinomial(20_000, np.full(50, 0.02)), rng.multinomial(20_000, np.linspace(1, 2, 50) / 75)
    assert _chance([even.astype(float)], expected) > 0.01
    assert _chance([skewed.astype(float)], expected) < 1e-6
    assert _chance([even.astype(float), skewed.astype(float)], expected) < 1e-6
