"""RadFact, CheXprompt's counts and GREEN over HTTP: a server that answers by the built-in judge gives its scores."""

from __future__ import annotations

import json

import numpy as np
import pytest
from judge_server import KINDS, ChatServer, chat_server, hang_up, status, text

from groundglass.metrics.judge import ERROR_KINDS, EndpointJudge, JudgeError, Phrase, ReportError, error_disagreement
from groundglass.metrics.reports.error_counts import count_all_errors, summarise_errors
from groundglass.metrics.reports.green import green_all, summarise_green
from groundglass.metrics.reports.planted import plant, random_plan, verbalise
from groundglass.metrics.reports.radfact import mean_radfact, radfact_of_reports
from groundglass.metrics.reports.rule_judge import RuleJudge
from groundglass.text import read_findings

RULES = RuleJudge(read_findings, "groundglass.text")


def answer_by_rules(question: str) -> str:
    if question.startswith("STATEMENT"):
        statement, _, listed = question.removeprefix("STATEMENT\n").partition("\n\nPREMISES\n")
        premises = [Phrase(line.partition(". ")[2]) for line in listed.splitlines()]
        found = RULES.entails(Phrase(statement), premises)
        evidence = [index + 1 for index in found.evidence]
        return json.dumps({"verdict": found.verdict, "evidence": evidence, "note": found.note})
    if question.startswith("REPORT"):
        return json.dumps({"phrases": RULES.phrases(question.removeprefix("REPORT\n"))})
    reference, _, candidate = question.removeprefix("REFERENCE\n").partition("\n\nCANDIDATE\n")
    green = RULES.green(candidate, reference)
    classes = {
        name: {
            key: _notes(green.errors, kind, name == "significant") for key, kind in zip(KINDS, ERROR_KINDS, strict=True)
        }
        for name in ("significant", "insignificant")
    }
    return json.dumps({"matched": green.matched, **classes})


def _notes(errors: tuple[ReportError, ...], kind: str, significant: bool) -> list[str]:
    return [error.note or "x" for error in errors if error.kind == kind and error.significant == significant]


@pytest.fixture(scope="module")
def pairs() -> list[tuple[str, str]]:
    rng = np.random.default_rng(3)
    planted = []
    for number in range(6):
        counts = {ERROR_KINDS[number % 6]: number % 2 + 1, ERROR_KINDS[(number + 1) % 6]: 1}
        pair = plant(random_plan(rng), counts, rng)
        planted.append((verbalise(pair.candidate, rng), verbalise(pair.reference, rng)))
    RULES.errors(*planted[0])  # its vocabulary is read once, before several threads need it
    return planted


def served(server: ChatServer) -> EndpointJudge:
    server.answer = answer_by_rules
    return EndpointJudge.at(server.url, "rules", parallel=4, attempts=2, backoff=0.01)


def test_scores_over_http_equal_the_judge_behind_the_server(pairs: list[tuple[str, str]]) -> None:
    with chat_server() as server:
        judge = served(server)
        server.faults += [status(429), hang_up, text("no JSON here")]  # passing faults change nothing
        assert summarise_errors(count_all_errors(pairs, judge)) == summarise_errors(count_all_errors(pairs, RULES))
        found, expected = (summarise_green(pairs, green_all(pairs, each)) for each in (judge, RULES))
        assert (found.mean, found.free_of) == (expected.mean, expected.free_of)
        over_http = mean_radfact([radfact_of_reports(*pair, judge).score for pair in pairs[:1]])
        offline = mean_radfact([radfact_of_reports(*pair, RULES).score for pair in pairs[:1]])
        assert (over_http.logical_precision, over_http.logical_recall) == (
            offline.logical_precision,
            offline.logical_recall,
        )
        assert (over_http.phrases, over_http.failures) == (offline.phrases, 0)
        assert judge.usage.failed == 0
        asked = judge.usage.requests
        count_all_errors(pairs, judge)
        assert judge.usage.requests == asked  # answered by the transcripts


def test_failures_are_counted_and_never_scored(pairs: list[tuple[str, str]]) -> None:
    with chat_server() as server:
        judge = served(server)
        usual = server.answer
        broken = pairs[2][0]
        server.answer = lambda question: "I would rather not say." if broken in question else usual(question)
        counts = count_all_errors(pairs, judge)
        summary = summarise_errors(counts)
        disagreement = error_disagreement(judge, RULES, pairs)
    assert isinstance(counts[2], JudgeError)
    assert (summary.reports, summary.failures) == (len(pairs) - 1, (2,))
    assert (disagreement.unanswered_by_first, disagreement.unanswered_by_second) == ((2,), ())
    assert all(row.agreement == 1 and not row.differing for row in disagreement.categories)
