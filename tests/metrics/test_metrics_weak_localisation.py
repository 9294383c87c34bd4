"""Boxes of a model that was never shown one, by hand: IoU, IoBB, false ones per image."""

from __future__ import annotations

import numpy as np
import pytest

from groundglass.core import Box, InputError
from groundglass.metrics.detection import BoxSet, box_iobb, weak_boxes

TRUTH = Box((0, 0), (10, 10))
HALF_OUT = Box((0, 5), (10, 15))
SPECK = Box((3, 3), (4, 4))
AWAY = Box((20, 20), (24, 24))


def boxes(*held: Box) -> BoxSet:
    return BoxSet.of(np.zeros(len(held)), np.zeros(len(held)), held)


def test_iobb_is_the_share_of_the_found_box() -> None:
    table = box_iobb(boxes(HALF_OUT, SPECK, AWAY, Box((2, 2), (2, 5))), boxes(TRUTH, AWAY))
    assert table.tolist() == [[0.5, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]


def test_speck_inside_the_truth_is_right_by_iobb_alone() -> None:
    held = weak_boxes([[SPECK]], [[TRUTH]], threshold=0.5)
    assert (held.accuracy_iobb, held.false_iobb) == (1.0, 0.0)
    assert (held.accuracy_iou, held.false_iou) == (0.0, 1.0)
    assert held.best_iou == pytest.approx(0.01)


def test_truths_and_false_boxes_are_counted_over_images() -> None:
    found = [[HALF_OUT, AWAY], [], [AWAY, SPECK]]
    truth = [[TRUTH], [TRUTH], []]
    held = weak_boxes(found, truth, threshold=0.1)
    assert (held.truths, held.right_iou, held.right_iobb) == (2, 1, 1)
    assert (held.accuracy_iou, held.accuracy_iobb) == (0.5, 0.5)
    # One beside the right one, none, and two where nothing is.
    assert (held.false_iou, held.false_iobb) == (1.0, 1.0)
    assert held.best_iou == pytest.approx((50 / 150 + 0) / 2)


def test_threshold_must_be_passed_not_met() -> None:
    assert weak_boxes([[HALF_OUT]], [[TRUTH]], threshold=0.5).accuracy_iobb == 0.0


def test_images_must_match_and_hold_a_truth() -> None:
    with pytest.raises(InputError, match="per image"):
        weak_boxes([[SPECK]], [[TRUTH], []], threshold=0.1)
    with pytest.raises(InputError, match="per image"):
        weak_boxes([[SPECK]], [[]], threshold=0.1)
