"""Reports of phantoms: read back by the reader, which knows nothing of the grammar; sentences know their findings."""

from __future__ import annotations

from collections import Counter

import pytest

from groundglass.core import ontology
from groundglass.synthesis import make_phantom, phantom_series, sketch_report
from groundglass.synthesis.phantoms import agreement_of
from groundglass.synthesis.phantoms.registry import kind_named, phantom_kinds
from groundglass.synthesis.phantoms.vocabulary import planted_terms

SKETCHED = ("chest-ct", "abdomen-ct")


def agreements(kind: str, count: int) -> tuple[float, float, float]:
    """Precision, recall and the share of right sizes over `count` reports."""
    found = missed = extra = sizes = right = 0
    for index in range(count):
        agreed = agreement_of(sketch_report(kind, 11, index))
        found, missed, extra = found + agreed.found, missed + len(agreed.missed), extra + len(agreed.extra)
        sizes, right = sizes + agreed.sizes, right + agreed.sizes_right
    return found / (found + extra), found / (found + missed), right / sizes


@pytest.mark.parametrize("kind", SKETCHED)
def test_the_reader_gives_back_what_the_reports_state(kind: str) -> None:
    precision, recall, sizes = agreements(kind, 200)
    assert min(precision, recall, sizes) >= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("kind", SKETCHED)
def test_the_reader_gives_back_two_thousand_reports(kind: str) -> None:
    precision, recall, sizes = agreements(kind, 2000)
    assert min(precision, recall, sizes) >= 0.98


def test_reports_of_visits_state_the_changes() -> None:
    found = missed = extra = 0
    for index in range(4):
        for phantom in phantom_series("radiograph", 3, index, visits=3, size=96):
            agreed = agreement_of(phantom.report)
            found, missed, extra = found + agreed.found, missed + len(agreed.missed), extra + len(agreed.extra)
    assert found / (found + extra) >= 0.97 and found / (found + missed) >= 0.97


def test_sentences_know_their_findings_and_reports_differ_in_words() -> None:
    texts = set()
    for index in range(40):
        report = sketch_report("chest-ct", 1, index)
        ids = {f.id for f in report.findings}
        assert len(ids) == len(report.findings)
        for section in report.sections:
            for sentence in section.sentences:
                assert (set(sentence.findings) <= ids and sentence.text[0].isupper()) or sentence.text[0].isdigit()
        body = report.section("findings")
        assert body is not None
        texts.update(s.text for s in body.sentences)
    assert len(texts) > 120


def test_status_and_words_agree() -> None:
    statuses = Counter(f.status for n in range(60) for f in sketch_report("abdomen-ct", 2, n).findings)
    assert statuses["present"] > 60 and statuses["absent"] > 60 and statuses["uncertain"] > 3


def test_questions_have_the_answers_of_the_findings() -> None:
    asked: Counter[str] = Counter()
    for index in range(6):
        phantom = make_phantom("radiograph", 4, index, size=96)
        names = [f.what.name for f in phantom.findings]
        by_id = {f.id: f for f in phantom.findings}
        for question in phantom.questions:
            asked[question.asked] += 1
            about = [by_id[i] for i in question.findings]
            if question.asked == "presence":
                assert (question.answer == "yes") == bool(about)
            if question.asked == "count":
                assert int(question.answer) == names.count(about[0].what.name)
            if question.asked == "side":
                assert question.answer == about[0].where.side
            if question.asked == "size":
                size = about[0].measurement("long axis")
                assert size is not None and float(question.answer) == pytest.approx(size.value, abs=0.5)
    assert asked["presence"] > 6 and asked["side"] and asked["modality"] == 6


@pytest.mark.parametrize("kind", phantom_kinds())
def test_terms_are_those_of_the_ontology(kind: str) -> None:
    tree = ontology()
    for term in (*planted_terms(kind), *(t for t, _ in kind_named(kind).denials)):
        assert tree.entry(term).kind == "finding"
