"""System 42: the exact rows hold; items replay and their labels are those of their pictures."""

from __future__ import annotations

import numpy as np

from groundglass.systems.s42_ssim_motion import SEQUENCES, _closed_forms, clean_slice, items


def test_the_rows_without_training_hold() -> None:
    for claim in _closed_forms():
        assert claim.passed, claim.name


def test_items_replay_and_severity_lowers_their_score() -> None:
    made, again = items(24, seed=1, sequences=SEQUENCES), items(3, seed=1, sequences=SEQUENCES)
    np.testing.assert_array_equal(made.slices[:3], again.slices)
    np.testing.assert_array_equal(made.scores[:3], again.scores)
    assert np.corrcoef(made.severity, made.scores)[0, 1] < -0.2
    assert made.scores.max() <= 1


def test_sequences_differ_in_contrast_and_not_in_scale() -> None:
    t1, t2 = (clean_slice(np.random.default_rng(3), sequence) for sequence in ("T1", "T2"))
    assert t1.shape == t2.shape
    assert 0 <= t2.min() < 0.1
    assert t2.max() == 1
    assert np.corrcoef(t1.ravel(), t2.ravel())[0, 1] < 0.95
