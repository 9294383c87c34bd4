"""RadFact: six fractions against a brute-force reading of the definition, boxes against areas that are known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundglass.core import InputError
from groundglass.metrics.judge import Corners, Entailment, GreenCounts, JudgeError, Phrase, ReportError
from groundglass.metrics.reports.box_overlap import GRID, exact_overlap, grid_overlap
from groundglass.metrics.reports.radfact import FRACTIONS, RadFactScore, mean_radfact, radfact, radfact_of_reports


class TableJudge:
    """A judge whose answers are given: statement -> statements that entail it. Statements in `mute` get no answer."""

    name, parallel = "table", 1

    def __init__(self, entailing: dict[str, set[str]], mute: set[str] | None = None) -> None:
        self.entailing, self.mute = entailing, mute or set()

    def phrases(self, report: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in report.split(".") if part.strip())

    def entails(self, hypothesis: Phrase, premises: Sequence[Phrase]) -> Entailment:
        if hypothesis.text in self.mute:
            raise JudgeError("table", "is silent", "Ask another.")
        used = tuple(i for i, p in enumerate(premises) if p.text in self.entailing.get(hypothesis.text, set()))
        return Entailment("entailed" if used else "not entailed", used)

    def errors(self, candidate: str, reference: str) -> tuple[ReportError, ...]:
        return ()

    def green(self, candidate: str, reference: str) -> GreenCounts:
        return GreenCounts((), ())


def _box(rng: np.random.Generator) -> Corners:
    x, y = np.sort(rng.uniform(0, 1, 2)), np.sort(rng.uniform(0, 1, 2))
    return (float(x[0]), float(y[0]), float(x[1]), float(y[1]))


def _case(rng: np.random.Generator) -> tuple[list[Phrase], list[Phrase], TableJudge]:
    sizes = rng.integers(0, 7, 2)
    sides = [
        [Phrase(f"{side}{i}", tuple(_box(rng) for _ in range(rng.integers(0, 3)))) for i in range(size)]
        for side, size in zip("cr", sizes, strict=True)
    ]
    entailing = {
        phrase.text: {other.text for other in others if rng.random() < 0.3}
        for phrases, others in (sides, sides[::-1])
        for phrase in phrases
    }
    return sides[0], sides[1], TableJudge(entailing)


def _pixels(boxes: Sequence[Corners]) -> set[tuple[int, int]]:
    return {
        (x, y)
        for x0, y0, x1, y1 in boxes
        for x in range(int(x0 * GRID), int(x1 * GRID))
        for y in range(int(y0 * GRID), int(y1 * GRID))
    }


def _brute(phrases: list[Phrase], others: list[Phrase], judge: TableJudge) -> list[float]:
    entailed = boxed = entailed_boxed = placed = 0
    for phrase in phrases:
        evidence = [other for other in others if other.text in judge.entailing[phrase.text]]
        entailed += bool(evidence)
        if phrase.boxes:
            boxed += 1
            entailed_boxed += bool(evidence)
            mine, theirs = _pixels(phrase.boxes), _pixels([box for other in evidence for box in other.boxes])
            placed += bool(evidence) and bool(mine) and len(mine & theirs) / len(mine) > 0.5
    pairs = ((entailed, len(phrases)), (placed, entailed_boxed), (placed, boxed))
    return [part / whole if whole else math.nan for part, whole in pairs]


def test_six_fractions_equal_a_brute_force_reading_of_the_definition() -> None:
    rng = np.random.default_rng(61)
    for _ in range(30):
        candidate, reference, judge = _case(rng)
        score = radfact(candidate, reference, judge).score
        precision, recall = _brute(candidate, reference, judge), _brute(reference, candidate, judge)
        expected = [value for pair in zip(precision, recall, strict=True) for value in pair]
        np.testing.assert_allclose([getattr(score, name) for name in FRACTIONS], expected, equal_nan=True)


def test_identical_reports_score_one_and_swapping_swaps() -> None:
    boxes = ((0.1, 0.1, 0.4, 0.5),)
    phrases = [Phrase("a", boxes), Phrase("b"), Phrase("c", boxes)]
    judge = TableJudge({name: {name} for name in "abcd"})
    score = radfact(phrases, phrases, judge).score
    assert [getattr(score, name) for name in FRACTIONS] == [1.0] * 6
    assert score.logical_f1 == score.spatial_f1 == score.grounding_f1 == 1
    less = radfact(phrases[:2], phrases, judge).score
    swapped = radfact(phrases, phrases[:2], judge).score
    assert (less.logical_precision, less.logical_recall) == (swapped.logical_recall, swapped.logical_precision)
    assert less.logical_recall == pytest.approx(2 / 3)
    more = radfact([*phrases, Phrase("d")], phrases, judge).score
    assert more.logical_precision == pytest.approx(3 / 4)


def test_a_box_elsewhere_is_true_but_not_placed() -> None:
    said, truth = [Phrase("a", ((0.0, 0.0, 0.2, 0.2),))], [Phrase("a", ((0.5, 0.5, 0.9, 0.9),))]
    result = radfact(said, truth, TableJudge({"a": {"a"}}))
    assert result.score.logical_precision == 1
    assert result.score.grounding_precision == result.score.spatial_precision == 0
    assert result.candidate[0].placement == "not entailed"


def test_a_question_without_answer_counts_in_no_fraction_and_many_void_the_run() -> None:
    phrases = [Phrase("a"), Phrase("b")]
    judge = TableJudge({"a": {"a"}, "b": {"b"}}, mute={"b"})
    score = radfact(phrases, phrases, judge).score
    assert score.logical_precision == score.logical_recall == 1
    assert score.failures == 2
    assert score.is_void
    assert not RadFactScore(1, 1, 1, 1, 1, 1, (100, 100), failures=2).is_void


def test_means_leave_undefined_fractions_out() -> None:
    nan = math.nan
    scores = [RadFactScore(1.0, 0.5, nan, nan, nan, nan, (2, 4)), RadFactScore(0.5, 0.5, 1.0, nan, 0.0, nan, (2, 2))]
    mean = mean_radfact(scores)
    assert (mean.logical_precision, mean.logical_recall, mean.grounding_precision) == (0.75, 0.5, 1.0)
    assert math.isnan(mean.grounding_recall)
    assert mean.logical_f1 == pytest.approx(0.6)
    assert mean.phrases == (4, 6)
    assert RadFactScore(0.0, 0.0, nan, nan, nan, nan, (1, 1)).logical_f1 == 0


def test_narrative_reports_are_split_by_the_judge() -> None:
    result = radfact_of_reports("a. b.", "a. c.", TableJudge({"a": {"a"}}))
    assert result.score.logical_precision == result.score.logical_recall == 0.5
    empty = radfact_of_reports("", "a.", TableJudge({"a": {"a"}})).score
    assert math.isnan(empty.logical_precision)
    assert empty.logical_recall == 0


_UNIT = st.integers(0, 32).map(lambda i: i / 32)
_BOXES = st.lists(
    st.tuples(_UNIT, _UNIT, _UNIT, _UNIT).map(
        lambda c: (min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]), max(c[1], c[3]))
    ),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(_BOXES, _BOXES)
def test_exact_and_grid_areas_agree_where_corners_lie_on_the_grid(first: list[Corners], second: list[Corners]) -> None:
    exact, grid = exact_overlap(first, second), grid_overlap(first, second)
    for name in ("precision", "recall", "iou"):
        assert getattr(exact, name) == pytest.approx(getattr(grid, name), nan_ok=True)


def test_a_thin_box_vanishes_on_the_grid_and_not_in_the_plane() -> None:
    thin, around = [(0.5001, 0.1, 0.5005, 0.9)], [(0.4, 0.0, 0.6, 1.0)]
    assert math.isnan(grid_overlap(thin, around).precision)
    assert exact_overlap(thin, around).precision == pytest.approx(1.0)


@pytest.mark.parametrize("box", [(0.5, 0.1, 0.2, 0.9), (0.0, 0.0, 1.2, 1.0), (math.nan, 0.0, 1.0, 1.0)])
def test_malformed_boxes_are_refused(box: Corners) -> None:
    with pytest.raises(InputError, match="x0, y0, x1, y1"):
        grid_overlap([box], [])
    with pytest.raises(InputError, match="x0, y0, x1, y1"):
        exact_overlap([], [box])
