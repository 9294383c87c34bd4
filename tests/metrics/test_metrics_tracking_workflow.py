"""Surgical workflow: the organisers' figures and their encoder's fault, scikit-learn, a textbook edit distance."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.tracking import (
    Segment,
    edit_score,
    instrument_f1,
    levenshtein,
    multitask_score,
    segment_f1,
    segments_of,
    step_scores,
    workflow_scores,
)

STEPS = ([-1, 0, 0, 1, 1, 2, 2, 2, 11, 3, 3, -1], [0, 0, 1, 1, 1, 2, 4, 2, 3, 3, 3, 0])
TOOLS = ([[0, -2], [1, -2], [1, 2], [3, 1], [0, -2], [-1, -1]], [[0], [1], [1, 2], [1], [1], [0]])


def test_golden_steps() -> None:
    found = step_scores(*STEPS)
    assert (found.macro_f1, found.edit, found.score) == pytest.approx((0.653333, 0.666667, 0.66), abs=1e-6)
    assert found.seconds == 9 and found.support == {0: 2, 1: 2, 2: 3, 3: 2, 4: 0} and found.f1[4] == 0


def test_golden_instruments_and_the_encoders_fault() -> None:
    assert instrument_f1(*TOOLS, variant="script") == pytest.approx(0.653061, abs=1e-6)
    truth, said = [[5, -2], [5, -2], [7, -2], [7, 5]], [[5], [6], [7], [7, 5]]
    assert instrument_f1(truth, said, variant="script") == pytest.approx(0.48, abs=1e-9)
    assert instrument_f1(truth, said) == pytest.approx(0.88, abs=1e-9)
    # With the same ids on both sides nothing is out of order.
    same = [[5], [7], [7], [7, 5]]
    assert instrument_f1(truth, same, variant="script") == instrument_f1(truth, same)
    assert multitask_score(0.66, 0.88) == pytest.approx(0.77)


def test_videos_of_background_alone_are_undefined_and_no_error() -> None:
    found = step_scores([-1, 11, 13], [0, 1, 2])
    assert math.isnan(found.score) and math.isnan(found.edit) and found.seconds == 0
    assert math.isnan(step_scores([], []).score)
    assert math.isnan(instrument_f1([[-1, -2]], [[3]]))
    assert instrument_f1([[-1, -2]], [[3]], variant="script") == pytest.approx(18 / 19)
    assert instrument_f1([[-1, -2]], [[-1]], variant="script") == 1
    assert math.isnan(edit_score([], [])) and edit_score([1], []) == 0


def test_steps_are_scikit_learns_macro_f1() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    for _ in range(200):
        length = int(rng.integers(1, 60))
        truth = rng.integers(-1, 15, length)
        said = np.where(rng.random(length) < 0.4, rng.integers(0, 15, length), truth)
        kept = ~np.isin(truth, [-1, 11, 13])
        found = step_scores(truth.tolist(), said.tolist())
        if not kept.any():
            assert math.isnan(found.score)
            continue
        expected = metrics.f1_score(truth[kept], said[kept], average="macro", zero_division=1)
        assert found.macro_f1 == pytest.approx(expected, abs=1e-12)


def test_instruments_are_scikit_learns_weighted_f1() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    for _ in range(60):
        length = int(rng.integers(3, 40))
        truth, said = (
            [[int(rng.integers(-1, 19)), int(rng.integers(-2, 19))] for _ in range(length)] for _ in range(2)
        )
        bits = [np.array([[n in ids for n in range(19)] for ids in side]) for side in (truth, said)]
        expected = metrics.f1_score(*bits, average="weighted", zero_division=1)
        assert instrument_f1(truth, said) == pytest.approx(expected, abs=1e-12)


def textbook(first: list[int], second: list[int]) -> int:
    table = [[max(i, j) if not i * j else 0 for j in range(len(second) + 1)] for i in range(len(first) + 1)]
    for i in range(1, len(first) + 1):
        for j in range(1, len(second) + 1):
            table[i][j] = min(
                table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (first[i - 1] != second[j - 1])
            )
    return table[-1][-1]


def test_edit_distance_is_the_textbooks_on_500_sequences() -> None:
    rng = np.random.default_rng(2)
    for _ in range(500):
        first, second = (rng.integers(0, 4, rng.integers(0, 14)).tolist() for _ in range(2))
        assert levenshtein(first, second) == textbook(first, second)
    assert levenshtein("kitten", "sitting") == 3


@given(st.lists(st.sampled_from("abc"), max_size=30))
@settings(max_examples=100, deadline=None)
def test_segments_cover_the_sequence_and_repeats_do_not_change_the_order(labels: list[str]) -> None:
    runs = segments_of(labels)
    assert [run.label for run in runs for _ in range(run.start, run.stop)] == labels
    assert all(a.stop == b.start and a.label != b.label for a, b in pairwise(runs))
    stretched = [label for label in labels for _ in range(3)]
    if labels:
        assert edit_score(labels, stretched) == 1 and segment_f1(labels, labels) == 1


def test_segment_f1_by_pencil() -> None:
    truth = list("aaaabbbbcccc")
    assert segments_of(truth, "b") == [Segment("a", 0, 4), Segment("c", 8, 12)]
    # a: IoU 3/4; b: 3/5 (one before, one after cut); the extra b is wrong; c: 3/4.
    said = list("aaabbbbacccb")
    assert segment_f1(truth, said, overlap=0.5) == pytest.approx(2 * 3 / (3 + 5))
    assert segment_f1(truth, said, overlap=0.7) == pytest.approx(2 * 2 / (3 + 5))
    # Two pieces of one true segment: only one can be right.
    assert segment_f1(list("aaaaaa"), list("aaabaa"), overlap=0.3) == pytest.approx(2 * 1 / (1 + 3))
    assert math.isnan(segment_f1("xx", "xx", background="x"))
    with pytest.raises(ConfigurationError, match="share"):
        segment_f1(truth, truth, overlap=0)


def test_workflow_scores_are_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(3)
    for _ in range(60):
        length = int(rng.integers(2, 50))
        truth = np.sort(rng.integers(0, 7, length))
        said = np.where(rng.random(length) < 0.3, rng.integers(0, 8, length), truth)
        found = workflow_scores(truth.tolist(), said.tolist())
        options = {"average": "macro", "zero_division": 0}
        assert found.accuracy == pytest.approx(metrics.accuracy_score(truth, said))
        assert found.precision == pytest.approx(metrics.precision_score(truth, said, **options))
        assert found.recall == pytest.approx(metrics.recall_score(truth, said, **options))
        assert found.macro_f1 == pytest.approx(metrics.f1_score(truth, said, **options))
        assert found.weighted_f1 == pytest.approx(metrics.f1_score(truth, said, average="weighted", zero_division=0))
        assert found.jaccard == pytest.approx(metrics.jaccard_score(truth, said, **options))
        recalls = [(said[truth == label] == label).mean() for label in np.unique(truth)]
        assert found.balanced_accuracy == pytest.approx(np.mean(recalls))
    assert workflow_scores([0, 1, 1], [2, 1, 0], not_scored=[0]).accuracy == 0.5


def test_wrong_sequences_are_refused() -> None:
    for call, message in (
        (lambda: step_scores([1, 2], [1]), "1 seconds, the truth 2"),
        (lambda: step_scores([1.5], [1]), "whole numbers"),
        (lambda: step_scores([math.nan], [1]), "whole numbers"),
        (lambda: instrument_f1([[1, 2]], []), "0 seconds"),
        (lambda: instrument_f1([[1, 2]], [[1, 2, 3]]), "At most two"),
        (lambda: instrument_f1([[1, 2]], [[19]]), "-2 to 18"),
        (lambda: workflow_scores([0], [0], not_scored=[0]), "no second"),
        (lambda: workflow_scores([0], []), "0 labels|has 0 seconds"),
        (lambda: segment_f1([1], [1, 2]), "2 labels"),
    ):
        with pytest.raises(InputError, match=message):
            call()
