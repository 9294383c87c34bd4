"""Scores of forms against the reference metric of SQuAD, scipy and hand counts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from groundglass.core import InputError
from groundglass.metrics.structured_form import (
    FormAnswer,
    agreement_with_raters,
    form_scores,
    strict_match,
    token_f1,
)

WORDS = ["the", "spleen", "a", "node", "12", "mm", "Enlarged", "left,", "right.", "an", "lymph-node"]


def test_token_f1_is_squad_s() -> None:
    from torchmetrics.functional.text import squad

    rng = np.random.default_rng(0)
    for _ in range(200):
        ours, theirs = (" ".join(rng.choice(WORDS, size=int(rng.integers(1, 7)))) for _ in range(2))
        peer = squad(
            [{"prediction_text": ours, "id": "1"}], [{"answers": {"answer_start": [0], "text": [theirs]}, "id": "1"}]
        )
        assert token_f1(ours, theirs) == pytest.approx(float(peer["f1"]) / 100, abs=1e-6)


def test_empty_answers() -> None:
    assert token_f1("", "") == 1
    assert token_f1("", "spleen") == token_f1("spleen", "") == 0


def test_strict_match_forgives_case_spaces_and_the_last_stop() -> None:
    assert strict_match(" Not  Enlarged.", "not enlarged")
    assert not strict_match("12 mm", "1.2 mm")


def test_means_over_items_first_and_the_filled_apart() -> None:
    rows = [FormAnswer(f"r{i}", "spleen", "choice", "normal", "normal") for i in range(10)]
    rows += [
        FormAnswer("r0", "length", "number", "131", "13", True),
        FormAnswer("r1", "length", "number", "", "131", True),
        FormAnswer("r2", "length", "number", "", "", True),
        FormAnswer("r3", "length", "number", "", "big", False),
    ]
    scores = form_scores(rows)
    assert scores.all.strict == pytest.approx((1 + 1 / 4) / 2)
    assert scores.all.format == pytest.approx((1 + 3 / 4) / 2)
    assert scores.filled.strict == pytest.approx((1 + 0) / 2)
    assert scores.by_type["number"].f1 == pytest.approx(1 / 4)
    assert scores.filled_by_type["number"].answers == 1
    assert scores.false_fills == 2
    assert scores.rare_items == ("length",)


def test_a_form_that_fills_nothing_looks_good_only_with_the_unreported() -> None:
    rows = [FormAnswer(f"r{i}", "a", "text", "words" if i == 0 else "", "") for i in range(20)]
    scores = form_scores(rows)
    assert (scores.all.strict, scores.filled.strict) == (0.95, 0.0)


def test_odd_tables() -> None:
    row = FormAnswer("r", "a", "text", "", "")
    with pytest.raises(InputError, match="answered twice"):
        form_scores([row, row])
    with pytest.raises(InputError, match="is text and number"):
        form_scores([row, FormAnswer("s", "a", "number", "", "")])
    assert math.isnan(form_scores([]).all.strict)


def test_agreement_with_raters_is_spearman() -> None:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(3)
    for size in (2, 5, 40):
        ratings, f1 = rng.integers(1, 6, size).tolist(), rng.random(size).tolist()
        if len(set(ratings)) > 1:
            assert agreement_with_raters(ratings, f1) == pytest.approx(spearmanr(ratings, f1).statistic, abs=1e-12)
    assert math.isnan(agreement_with_raters([3, 3], [0.1, 0.2]))
    for wrong in (([1], [0.5]), ([1, 2], [0.5]), ([1, 2], [0.5, math.nan])):
        with pytest.raises(InputError):
            agreement_with_raters(*wrong)
