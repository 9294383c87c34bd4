"""CheXprompt's counts, GREEN, clinical F1 against scikit-learn, RadCliQ's formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from groundglass.core import InputError
from groundglass.metrics.judge import ERROR_KINDS, GreenCounts, JudgeError, ReportError
from groundglass.metrics.reports import (
    CHEXPERT_14,
    RADCLIQ_V1,
    ErrorCounts,
    LinearComposite,
    clinical_f1,
    green_of,
    green_value,
    summarise_errors,
    summarise_green,
)

_ERRORS = (
    ReportError("false finding", True, "nodule"),
    ReportError("false finding", False, "scar"),
    ReportError("wrong location", True, "left"),
    ReportError("omitted comparison", False),
)


def test_errors_are_counted_by_kind_and_significance() -> None:
    counts = ErrorCounts.of(_ERRORS)
    assert counts.significant == (1, 0, 1, 0, 0, 0)
    assert counts.insignificant == (1, 0, 0, 0, 0, 1)
    assert (counts.score, counts.total, counts.of_kind("false finding")) == (2, 4, 2)
    with pytest.raises(InputError, match="not six counts"):
        ErrorCounts((1, 2), (0,) * 6)


def test_summary_of_errors_leaves_failures_out_and_names_them() -> None:
    failure = JudgeError("judge", "gave no answer", "Ask again.")
    summary = summarise_errors([ErrorCounts.of(_ERRORS), failure, ErrorCounts.of(())])
    assert (summary.reports, summary.failures, summary.error_free) == (2, (1,), 0.5)
    assert (summary.score, summary.total) == (1.0, 2.0)
    assert summary.significant["wrong location"] == 0.5
    with pytest.raises(InputError, match="no error counts"):
        summarise_errors([failure])


def test_green_is_matched_over_matched_and_significant_errors() -> None:
    assert green_value(3, 1) == 0.75
    assert green_value(0, 0) == green_value(0, 4) == 0
    score = green_of(GreenCounts(("a", "b"), _ERRORS), "six words are said here now", "three words only")
    assert score.value == 0.5
    assert score.verbosity == 2
    assert score.length_controlled == 0.25
    with pytest.raises(InputError, match="no words"):
        green_of(GreenCounts((), ()), "a", " ")


def test_summary_of_green_has_means_and_what_went_wrong() -> None:
    pairs = [("a b", "a b"), ("a", "a b"), ("c", "c")]
    failure = JudgeError("judge", "gave no answer", "Ask again.")
    summary = summarise_green(pairs, [GreenCounts(("a",), ()), GreenCounts(("a", "b"), _ERRORS), failure])
    assert summary.mean == pytest.approx(0.75)
    assert summary.deviation == pytest.approx(0.25)
    assert summary.free_of["false finding"] == 0.5
    assert summary.free_of["wrong severity"] == 1
    assert summary.notes["false finding"] == ("nodule",)
    assert summary.failures == (2,)
    with pytest.raises(InputError, match="belong to"):
        summarise_green(pairs, [failure])


@pytest.mark.parametrize("uncertain", ["negative", "positive"])
@pytest.mark.parametrize("labels", [CHEXPERT_14, ("Edema", "Cardiomegaly", "Consolidation")])
def test_clinical_f1_agrees_with_scikit_learn(uncertain: str, labels: tuple[str, ...]) -> None:
    rng = np.random.default_rng(68)
    drawn = rng.choice([1.0, 0.0, -1.0, math.nan], size=(2, 80, len(labels)), p=[0.2, 0.3, 0.2, 0.3])
    drawn[:, :, 0] = math.nan  # a label that never occurs
    tables = [{f"case {i}": dict(zip(labels, row, strict=True)) for i, row in enumerate(rows)} for rows in drawn]
    result = clinical_f1(tables[0], tables[1], labels=labels, uncertain=uncertain)
    guess, truth = ((t == 1) | ((t == -1) & (uncertain == "positive")) for t in drawn)
    for average in ("micro", "macro", "weighted", "samples"):
        expected = precision_recall_fscore_support(truth, guess, average=average, zero_division=0)
        ours = getattr(result, average)
        assert (ours.precision, ours.recall, ours.f1) == pytest.approx(expected[:3], abs=1e-12)
    single = precision_recall_fscore_support(truth, guess, average=None, zero_division=0)
    for index, label in enumerate(labels):
        ours = result.by_label[label]
        assert (ours.precision, ours.recall, ours.f1, ours.support) == pytest.approx([row[index] for row in single])
    assert result.accuracy == pytest.approx(accuracy_score(truth, guess))


def test_clinical_f1_refuses_what_does_not_fit() -> None:
    good = {"a": {"Edema": 1.0}, "b": {"Edema": None}}
    assert clinical_f1(good, good, labels=("Edema",)).micro.f1 == 1
    with pytest.raises(InputError, match="cases c"):
        clinical_f1({**good, "c": {"Edema": 1.0}}, good, labels=("Edema",))
    with pytest.raises(InputError, match="no label 'Fracture'"):
        clinical_f1(good, good, labels=("Edema", "Fracture"))
    with pytest.raises(InputError, match="named twice"):
        clinical_f1(good, good, labels=("Edema", "Edema"))
    with pytest.raises(InputError, match=r"is 0\.5"):
        clinical_f1(good, {**good, "b": {"Edema": 0.5}}, labels=("Edema",))


def test_radcliq_is_its_published_formula() -> None:
    means = dict(zip(RADCLIQ_V1.components, RADCLIQ_V1.means, strict=True))
    assert RADCLIQ_V1(means)[0] == pytest.approx(0.0, abs=1e-9)
    perfect = RADCLIQ_V1({name: [1.0] for name in RADCLIQ_V1.components})[0]
    by_hand = (
        -0.377083683 * (1 - 0.53792312) / 0.30282584
        - 0.3703001 * (1 - 0.61757256) / 0.22430938
        - 0.252616218 * (1 - 0.76479421) / 0.25394391
    )
    assert perfect == pytest.approx(by_hand, abs=1e-6)
    assert RADCLIQ_V1({**means, "bleu-2": 0.0})[0] == pytest.approx(0.0, abs=1e-9)


def test_a_composite_is_fitted_by_least_squares() -> None:
    rng = np.random.default_rng(1)
    values = {"graph": rng.uniform(size=200), "overlap": rng.normal(3, 2, 200)}
    errors = 5 - 4 * values["graph"] + 0.5 * values["overlap"]
    fitted = LinearComposite.fit("own", values, errors)
    np.testing.assert_allclose(fitted(values), errors, atol=1e-9)
    with pytest.raises(InputError, match="is missing"):
        fitted({"graph": [1.0]})
    with pytest.raises(InputError, match="NaN"):
        fitted({"graph": [math.nan], "overlap": [1.0]})
    with pytest.raises(InputError, match="differ in length"):
        fitted({"graph": [1.0, 2.0], "overlap": [1.0]})
    with pytest.raises(InputError, match="cannot be fitted"):
        LinearComposite.fit("flat", {"graph": np.ones(5)}, np.arange(5))


def test_kinds_keep_the_order_of_the_papers() -> None:
    assert [kind.split()[0] for kind in ERROR_KINDS] == ["false", "omitted", "wrong", "wrong", "false", "omitted"]
