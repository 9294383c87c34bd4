"""Reports with known errors: the rule judge finds each of them, and every report metric falls with their number.

The judge reads them with the package's reader. The metrics must fall with the number of errors (Spearman <= -0.9 of the
means) and stay within 0.05 of their best under paraphrase.
"""

from __future__ import annotations

import numpy as np
import pytest
from sacrebleu import sentence_bleu
from scipy.stats import spearmanr

from groundglass.core import InputError
from groundglass.metrics.judge import ERROR_KINDS, EndpointJudge, ErrorKind, Phrase
from groundglass.metrics.reports import (
    ErrorCounts,
    RuleJudge,
    count_errors,
    green_score,
    judge_service,
    radfact_of_reports,
    report_metrics,
    stated_f1,
)
from groundglass.metrics.reports.planted import ladder, mixed, only, plans_with_room, plant, random_plan, verbalise
from groundglass.metrics.reports.planted.ladder import MOST
from groundglass.metrics.reports.planted.plan import kinds
from groundglass.text import read_findings


@pytest.fixture(scope="module")
def judge() -> RuleJudge:
    return RuleJudge(read_findings, "groundglass.text")


@pytest.mark.parametrize("kind", ERROR_KINDS)
def test_planted_errors_are_counted_exactly(judge: RuleJudge, kind: ErrorKind) -> None:
    rng = np.random.default_rng(ERROR_KINDS.index(kind))
    exact = 0
    for index in range(25):
        number = index % (MOST + 1)
        pair = plant(plans_with_room(1, rng)[0], {kind: number}, rng)
        counts = count_errors(verbalise(pair.candidate, rng), verbalise(pair.reference, rng), judge)
        exact += counts.of_kind(kind) == counts.score == counts.total == number
    assert exact >= 24


def test_swapping_planted_reports_swaps_the_kinds(judge: RuleJudge) -> None:
    rng = np.random.default_rng(3)
    for plan in plans_with_room(5, rng):
        pair = plant(plan, dict.fromkeys(ERROR_KINDS, 1), rng)
        candidate, reference = verbalise(pair.candidate, rng), verbalise(pair.reference, rng)
        there, back = (
            ErrorCounts.of(judge.errors(*texts)) for texts in ((candidate, reference), (reference, candidate))
        )
        a, b, c, d, e, f = there.significant
        assert back.significant == (b, a, c, d, f, e)


@pytest.mark.parametrize("kind", ERROR_KINDS)
def test_every_metric_falls_with_each_kind_of_error(judge: RuleJudge, kind: ErrorKind) -> None:
    plans = plans_with_room(6, np.random.default_rng(8))
    for name, means in ladder(plans, report_metrics(judge), only(kind)).items():
        assert spearmanr(range(MOST + 1), means).statistic <= -0.9, (name, means)


def test_labels_fall_with_mixed_errors_and_are_blind_to_place(judge: RuleJudge) -> None:
    plans = plans_with_room(12, np.random.default_rng(9))
    metrics = {"label F1": stated_f1(judge, [kind.name for kind in kinds()])}
    assert spearmanr(range(MOST + 1), ladder(plans, metrics, mixed)["label F1"]).statistic <= -0.9
    assert min(ladder(plans, metrics, only("wrong location"))["label F1"]) > 0.97


def test_paraphrase_moves_the_metrics_little_and_bleu_more_than_an_error_does(judge: RuleJudge) -> None:
    plans = plans_with_room(15, np.random.default_rng(10))
    texts = [
        (verbalise(p, np.random.default_rng([i, 0])), verbalise(p, np.random.default_rng([i, 1])))
        for i, p in enumerate(plans)
    ]
    for name, metric in report_metrics(judge).items():
        best = float(np.mean([metric(text, text) for text, _ in texts]))
        assert abs(best - float(np.mean([metric(*pair) for pair in texts]))) < 0.05, name
    bleu = [sentence_bleu(said, [truth]).score / 100 for said, truth in texts]
    assert np.mean(bleu) < 0.6
    for index, plan in enumerate(plans[:5]):  # the same words with every side wrong outdo an honest paraphrase
        pair = plant(plan, {"wrong location": MOST}, np.random.default_rng(index))
        wrong = verbalise(pair.candidate, np.random.default_rng([index, 0]))
        assert sentence_bleu(wrong, [texts[index][0]]).score / 100 > bleu[index]


def test_a_plan_without_room_is_refused() -> None:
    plan = random_plan(np.random.default_rng(0), present=3, absent=1)
    with pytest.raises(InputError, match="no room"):
        plant(plan, {"omitted comparison": 3}, np.random.default_rng(0))
    with pytest.raises(InputError, match="no room"):
        plant(plan, {"false finding": 99}, np.random.default_rng(0))


def test_an_endpoint_that_asks_the_rule_judge_gives_the_same_scores(judge: RuleJudge) -> None:
    rng = np.random.default_rng(11)
    pair = plant(plans_with_room(1, rng)[0], dict.fromkeys(ERROR_KINDS, 1), rng)
    candidate, reference = verbalise(pair.candidate, rng), verbalise(pair.reference, rng)
    with judge_service(judge) as address:
        endpoint = EndpointJudge.at(address, "rules", attempts=1)
        assert (
            radfact_of_reports(candidate, reference, endpoint).score
            == radfact_of_reports(candidate, reference, judge).score
        )
        assert count_errors(candidate, reference, endpoint) == count_errors(candidate, reference, judge)
        assert green_score(candidate, reference, endpoint) == green_score(candidate, reference, judge)
        answer = endpoint.entails(Phrase("Cardiomegaly."), [Phrase("No effusion."), Phrase("The heart is enlarged.")])
        assert answer.entailed
        assert answer.evidence == (1,)
        assert endpoint.usage.failed == 0


@pytest.mark.slow
def test_a_hundred_reports_fall_with_each_kind_and_with_all_mixed(judge: RuleJudge) -> None:
    plans = plans_with_room(100, np.random.default_rng(12))
    metrics = report_metrics(judge)
    for kind in ERROR_KINDS:
        for name, means in ladder(plans, metrics, only(kind)).items():
            assert spearmanr(range(MOST + 1), means).statistic <= -0.9, (kind, name, means)
    for name, means in ladder(
        plans, {**metrics, "label F1": stated_f1(judge, [kind.name for kind in kinds()])}, mixed
    ).items():
        assert spearmanr(range(MOST + 1), means).statistic <= -0.9, (name, means)
