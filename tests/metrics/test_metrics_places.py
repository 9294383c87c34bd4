"""AUROC by place group and attribute, and against the mirrored place, held against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from groundglass.core import InputError
from groundglass.metrics.classification import mirrored_aurocs, place_aurocs

GROUPS = ("lung", "lung", "heart")


def cases() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = rng.integers(-1, 2, size=(60, 3, 2))
    truth[:, 2, 1] = -1
    scores = truth + rng.normal(0, 1.5, size=truth.shape)
    scores[rng.random(truth.shape) < 0.1] = np.nan
    return truth, scores


def test_groups_pool_their_places() -> None:
    truth, scores = cases()
    found = place_aurocs(truth, scores, GROUPS)
    expected = {}
    for group, places, attribute in (("lung", [0, 1], 0), ("lung", [0, 1], 1), ("heart", [2], 0)):
        labels, values = truth[:, places, attribute].ravel(), scores[:, places, attribute].ravel()
        kept = (labels >= 0) & np.isfinite(values)
        expected[group, attribute] = roc_auc_score(labels[kept], values[kept])
    assert found.each.keys() == expected.keys()
    for key, area in found.each.items():
        assert area.value == pytest.approx(expected[key])
    assert found.macro == pytest.approx(np.mean(list(expected.values())))


def test_mirrored_places_are_compared_where_one_has_the_attribute() -> None:
    truth, scores = cases()
    found = mirrored_aurocs(truth, scores, [(0, 1)], ["lung"])
    for attribute in range(2):
        right, wrong = [], []
        for row in range(len(truth)):
            pair, said = truth[row, :2, attribute], scores[row, :2, attribute]
            if sorted(pair) == [0, 1] and np.isfinite(said).all():
                right.append(said[pair == 1][0])
                wrong.append(said[pair == 0][0])
        area = np.mean([(a > b) + 0.5 * (a == b) for a in right for b in wrong])
        assert found.each["lung", attribute].value == pytest.approx(area)
        assert found.each["lung", attribute].positives == len(right)


def test_shapes_and_one_kind_of_case_are_refused() -> None:
    truth, scores = cases()
    with pytest.raises(InputError, match="shape"):
        place_aurocs(truth, scores[:, :2], GROUPS)
    with pytest.raises(InputError, match="both kinds"):
        place_aurocs(np.ones_like(truth), scores, GROUPS)
