"""System 89's training in small: scenes with an unseen class of shapes, and every claim with a figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from groundglass.systems import volume_sam_trials
from groundglass.systems.volume_sam_trials import (
    LEAST,
    MOST,
    SEEN,
    SIDE,
    TARGETS,
    Scenes,
    lobed,
    scene,
    shared_scene,
    trials,
)


def test_scenes_hold_a_shape_that_differs_in_grey() -> None:
    assert lobed not in SEEN
    for seed in range(6):
        image, target = scene(np.random.default_rng(seed), lobed if seed % 2 else None)
        assert image.shape == target.shape == (SIDE,) * 3 and LEAST <= target.sum() <= MOST
        assert abs(image.mean()) < 1e-3 and abs(image.std() - 1) < 1e-3
    image, targets = shared_scene(np.random.default_rng(7))
    assert len(targets) == TARGETS and not np.any(targets, axis=0).all() and not (targets[0] & targets[1]).any()
    assert all(LEAST <= target.sum() <= MOST for target in targets) and image.shape == (SIDE,) * 3
    one, again = (Scenes().starting_at(2).batch(2) for _ in range(2))
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert len(one["target"]) == TARGETS * len(one["image"])


def test_trials_give_every_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"side": SIDE, "patch": 8, "width": 48, "depth": 1, "heads": 2, "window": 4, "whole": (0,),
             "prompt_width": 48, "decoder_hidden": 64}  # fmt: skip
    for name, value in {"FIRST": 1, "SECOND": 1, "MANY": 4, "TESTED": 1, "CLICKS": 3, "NETWORK": small}.items():
        monkeypatch.setattr(volume_sam_trials, name, value)
    claims = trials(tmp_path)
    assert len(claims) == 4 and all(np.isfinite(claim.measured) for claim in claims)
    # Two steps teach nothing; the built-in network for slices knows more.
    assert not claims[1].passed and claims[2].baseline is not None and claims[2].baseline > claims[2].measured
    assert claims[2].detail["clicks on slices, mean"] >= 4
