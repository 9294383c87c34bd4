"""Disagreement of two judges: tables by hand, and a chat server against another."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import pytest
from judge_server import KINDS, chat_server

from groundglass.metrics.judge import (
    EndpointJudge,
    Entailment,
    GreenCounts,
    JudgeError,
    Phrase,
    ReportError,
    entailment_disagreement,
    error_disagreement,
)


class Scripted:
    """Answers by the number in the question; None fails."""

    parallel = 1

    def __init__(
        self, name: str, entailed: Sequence[bool | None], errors: Sequence[Sequence[ReportError] | None]
    ) -> None:
        self.name, self._entailed, self._errors = name, entailed, errors

    def phrases(self, report: str) -> tuple[str, ...]:
        return (report,)

    def entails(self, hypothesis: Phrase, premises: Sequence[Phrase]) -> Entailment:
        said = self._entailed[int(hypothesis.text)]
        if said is None:
            raise JudgeError(self.name, "knows nothing", "Ask another.")
        return Entailment("entailed" if said else "not entailed", (0,) if said else ())

    def errors(self, candidate: str, reference: str) -> tuple[ReportError, ...]:
        said = self._errors[int(candidate)]
        if said is None:
            raise JudgeError(self.name, "knows nothing", "Ask another.")
        return tuple(said)

    def green(self, candidate: str, reference: str) -> GreenCounts:
        return GreenCounts((), self.errors(candidate, reference))


A, OMITTED = ReportError("false finding", True), ReportError("omitted finding", False)


def test_kappa_and_cases_by_hand() -> None:
    # Both answer 10: yes/yes 4, yes/no 1, no/yes 2, no/no 3. Agreement 0.7, by chance 0.5 * 0.6 + 0.5 * 0.4.
    first = Scripted("first", [True] * 5 + [False] * 5 + [None, True], [])
    second = Scripted("second", [True] * 4 + [False] + [True] * 2 + [False] * 3 + [True, None], [])
    found = entailment_disagreement(first, second, [(Phrase(str(i)), [Phrase("p")]) for i in range(12)])
    verdicts, evidence = found.categories
    assert (found.first, found.second) == ("first", "second")
    assert (found.unanswered_by_first, found.unanswered_by_second) == ((10,), (11,))
    assert (verdicts.n, verdicts.differing) == (10, (4, 5, 6))
    assert verdicts.agreement == pytest.approx(0.7)
    assert verdicts.kappa == pytest.approx((0.7 - 0.5) / 0.5)
    assert (verdicts.first_mean, verdicts.second_mean) == (0.5, 0.6)
    assert (evidence.n, evidence.agreement) == (4, 1.0)


def test_counts_of_errors_by_hand() -> None:
    first = Scripted("first", [], [[A, A], [], [OMITTED], None])
    second = Scripted("second", [], [[A], [], [OMITTED, A], []])
    found = {
        row.category: row for row in error_disagreement(first, second, [(str(i), "") for i in range(4)]).categories
    }
    assert len(found) == 14
    false = found["false finding"]
    assert (false.n, false.differing) == (3, (0, 2))
    assert false.mean_difference == pytest.approx(2 / 3)
    assert false.agreement == pytest.approx(1 / 3)
    assert false.kappa == pytest.approx(0.4)  # presence agrees in 2 of 3, by chance 4/9
    assert found["significant errors"].first_mean == pytest.approx(2 / 3)
    assert found["omitted finding"].agreement == 1
    assert found["omitted finding"].kappa == 1
    assert math.isnan(found["wrong location"].kappa)
    assert found["all errors"].second_mean == 1


def test_two_endpoints_that_differ_in_one_kind() -> None:
    with chat_server() as one, chat_server() as other:
        usual = other.answer

        def without_omissions(question: str) -> str:
            said = json.loads(usual(question))
            return json.dumps(said | {"significant": said["significant"] | {KINDS[1]: []}})

        other.answer = without_omissions
        pairs = [("A mass.", "No mass."), ("No mass.", "No mass."), ("A mass.", "A mass. A nodule.")]
        found = error_disagreement(EndpointJudge.at(one.url, "one"), EndpointJudge.at(other.url, "other"), pairs)
    differing = {row.category: row.differing for row in found.categories if row.differing}
    assert differing == {
        "all errors": (0, 2),
        "significant errors": (0, 2),
        "omitted finding": (0, 2),
        "significant omitted finding": (0, 2),
    }
    assert found.first.startswith("one (")
