"""Identification rate: VerSe's golden cases, its official script on 100 random spines, and centroids of label maps.

`data/segmentation_identification_golden.json` holds centroids and the labels that get_hits of the challenge's
eval_utilities.py (MIT) takes for identified.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import center_of_mass

from groundglass.core.errors import InputError
from groundglass.metrics.segmentation import centroids, identify, score_masks

GOLDEN = json.loads((Path(__file__).parent / "data" / "segmentation_identification_golden.json").read_text())
SPINE = {label: (0.0, 0.0, 30.0 * label) for label in range(16, 25)}


def moved(x=0.0, z=0.0):
    return {label: (p[0] + x, p[1], p[2] + z) for label, p in SPINE.items()}


@pytest.mark.parametrize(
    ("prediction", "hits"),
    [
        (SPINE, 9),
        ({label + 1: p for label, p in SPINE.items()}, 0),
        (moved(z=14.0), 9),
        (moved(z=16.0), 1),
        (moved(x=19.9), 9),
        (moved(x=20.1), 0),
        ({k: v for k, v in SPINE.items() if k != 20}, 8),
        (SPINE | {25: (0.0, 0.0, 750.0)}, 9),
    ],
    ids=[
        "identity",
        "one level off",
        "14 mm along",
        "16 mm along",
        "19.9 mm aside",
        "20.1 mm aside",
        "missing",
        "extra",
    ],
)
def test_verse_golden_cases(prediction, hits):
    found = identify(prediction, SPINE)
    assert len(found.hits) == hits
    assert found.rate == pytest.approx(hits / 9)


def test_random_spines_agree_with_the_verse_script():
    for case in GOLDEN:
        prediction, truth = ({int(k): p for k, p in case[name].items()} for name in ("prediction", "truth"))
        assert list(identify(prediction, truth).hits) == case["hits"], case


def test_extra_labels_lower_precision_and_missing_ones_the_distance():
    prediction = {k: v for k, v in moved(x=3.0).items() if k != 20} | {25: (0.0, 0.0, 750.0)}
    found = identify(prediction, SPINE)
    assert (found.missing, found.extra) == ((20,), (25,))
    assert found.rate == pytest.approx(8 / 9)
    assert found.precision == pytest.approx(8 / 9)
    assert found.mean_distance() == pytest.approx(3.0)
    assert found.mean_distance(missing_mm=1000.0) == pytest.approx((8 * 3 + 1000) / 9)


def test_nothing_named():
    assert math.isnan(identify({}, {}).rate)
    assert math.isnan(identify(SPINE, {}).rate)
    assert identify({}, SPINE).rate == 0
    assert identify({}, SPINE).mean_distance(missing_mm=1000.0) == 1000
    assert math.isnan(identify({}, SPINE).mean_distance())


def test_centroids_are_centres_of_mass():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, (9, 8, 7))
    found = centroids(labels, (1.0, 0.5, 3.0))
    expected = np.array(center_of_mass(np.ones_like(labels), labels, [1, 2, 3])) * (1.0, 0.5, 3.0)
    assert list(found) == [1, 2, 3]
    np.testing.assert_allclose(np.stack(list(found.values())), expected, atol=1e-12)
    assert centroids(np.zeros((3, 3), int), 1.0) == {}


def test_shifted_names_are_seen_though_the_foreground_is_perfect():
    """A whole spine named one level too high: foreground Dice 1, identification and Dice per vertebra 0."""
    truth = np.zeros((6, 6, 90), dtype=np.uint8)
    for level in range(9):
        truth[1:5, 1:5, 10 * level : 10 * level + 8] = 8 + level
    prediction = np.where(truth > 0, truth + 1, 0).astype(np.uint8)
    assert score_masks(prediction > 0, truth > 0, 3.0, metrics=["dice"])[1]["dice"] == 1
    scores = score_masks(prediction, truth, 3.0, convention="verse")
    assert list(scores) == list(range(8, 17))
    assert all(one["dice"] == 0 for one in scores.values())
    assert scores[8]["hd"] == 100
    assert identify(centroids(prediction, 3.0), centroids(truth, 3.0)).rate == 0


def test_bad_points():
    with pytest.raises(InputError, match="finite"):
        identify({1: (math.nan, 0, 0)}, SPINE)
    with pytest.raises(InputError, match="dimension"):
        identify({16: (0.0, 0.0)}, SPINE)
    with pytest.raises(InputError, match="dimensions"):
        identify({1: (0.0, 0.0), 2: (0.0, 0.0, 0.0)}, SPINE)
