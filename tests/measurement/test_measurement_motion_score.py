"""The motion score's door, classes and features, each against a known answer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from groundglass.core import Image, InputError
from groundglass.measurement import score_class, score_motion
from groundglass.metrics.images import (
    average_edge_strength,
    background_energy,
    gradient_entropy,
    laplacian_variance,
    no_reference_features,
)


def test_slices_with_head_are_scored() -> None:
    volume = np.zeros((40, 40, 12), dtype=np.float32)
    volume[8:32, 8:32, 2:10] = 100.0
    image = Image.of(volume, np.diag([1.0, 1.0, 5.0, 1.0]), name="mr", modality="MR")
    seen = []

    def scorer(slices: np.ndarray) -> np.ndarray:
        seen.append(slices)
        return np.linspace(0.5, 0.9, len(slices))

    score = score_motion(image, scorer, model="test", size=32)
    assert score.axis == 2
    assert seen[0].shape == (8, 32, 32)
    assert seen[0].max() == 1
    assert np.isnan(score.slices[[0, 1, 10, 11]]).all()
    assert score.median == pytest.approx(0.7)
    assert score.low == pytest.approx(np.percentile(np.linspace(0.5, 0.9, 8), 10))
    assert score.is_rescan_advised()
    measured = score.measurements()
    assert measured[0].is_outside_range
    assert measured[0].value == score.median
    with pytest.raises(InputError, match="no slice"):
        score_motion(Image.of(np.zeros((8, 8, 8)), np.eye(4)), scorer, model="test", size=8)


def test_classes_are_equal_ranges() -> None:
    scores = np.array([0.0, 0.19, 0.2, 0.5, 0.999, 1.0])
    assert score_class(scores, 5).tolist() == [0, 0, 1, 2, 4, 4]
    assert score_class(np.array([0.55, 0.95]), 5, low=0.5).tolist() == [0, 4]


def test_features_know_blur_and_ghosts() -> None:
    rng = np.random.default_rng(0)
    sharp = gaussian_filter(rng.random((64, 64)), 1) * (np.hypot(*np.mgrid[-32:32, -32:32]) < 22)
    soft = gaussian_filter(sharp, 2)
    assert laplacian_variance(soft) < laplacian_variance(sharp)
    assert average_edge_strength(soft) < average_edge_strength(sharp)
    assert background_energy(sharp + 0.05 * np.roll(sharp, 32, 0)) > background_energy(sharp)
    # One gradient everywhere: log2 of the number of pixels.
    assert gradient_entropy(np.arange(64.0)[:, None] * np.ones((1, 64))) == pytest.approx(12)
    assert no_reference_features(sharp).shape == (4,)
