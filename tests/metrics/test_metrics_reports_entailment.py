"""The rule judge's logic on statements made by hand, and the laws that hold for all of them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundglass.core import Attribute, Finding, Location, Measurement, ontology
from groundglass.metrics.judge import ERROR_KINDS, ErrorKind, Judge, Phrase
from groundglass.metrics.reports import ErrorCounts, RuleJudge, align, statements_of
from groundglass.metrics.reports.entailment import contradicting, contradicts, supporting
from groundglass.metrics.reports.rule_judge import sentences
from groundglass.metrics.reports.statement import Statement
from groundglass.metrics.reports.wording import worded

_TREE = ontology()
_EFFUSION, _NODULE, _OPACITY = (_TREE[name] for name in ("pleural effusion", "pulmonary nodule", "opacity"))
_LUNG, _UPPER = _TREE["lung"], _TREE["upper lobe of lung"]
_LEFT, _RIGHT, _BOTH = frozenset({"left"}), frozenset({"right"}), frozenset({"left", "right"})

_STATEMENTS = st.builds(
    Statement,
    st.sampled_from((_EFFUSION, _NODULE, _OPACITY, _TREE["consolidation"], _TREE["lung lesion"])),
    st.booleans(),
    st.sampled_from((True, True, True, False)),
    st.sampled_from((frozenset(), _LEFT, _RIGHT, _BOTH)),
    st.sampled_from((None, _LUNG, _UPPER)),
    st.sampled_from((frozenset(), frozenset({"mild"}), frozenset({"severe"}))),
    st.sampled_from((None, "new", "increased", "unchanged")),
    st.sampled_from(((), (("length", 8.0),), (("length", 20.0),))),
)


def test_details_must_be_supported_and_may_be_left_out() -> None:
    said = Statement(_EFFUSION, True, sides=_LEFT, grades=frozenset({"mild"}), course="increased")
    assert supporting(Statement(_EFFUSION, True), [said]) == (0,)
    assert supporting(Statement(_EFFUSION, True, sides=_LEFT), [said]) == (0,)
    for detail in (
        {"sides": _RIGHT},
        {"grades": frozenset({"severe"})},
        {"course": "new"},
        {"sizes": (("length", 9.0),)},
    ):
        assert supporting(replace(Statement(_EFFUSION, True), **detail), [said]) == ()


def test_two_premises_entail_both_sides() -> None:
    left, right = (Statement(_EFFUSION, True, sides=side) for side in (_LEFT, _RIGHT))
    assert supporting(Statement(_EFFUSION, True, sides=_BOTH), [right, left]) == (0, 1)
    assert supporting(Statement(_EFFUSION, True, sides=_BOTH), [left, left]) == ()
    no_left, no_right = (replace(each, present=False) for each in (left, right))
    assert supporting(Statement(_EFFUSION, False), [no_left, no_right]) == (0, 1)
    assert supporting(Statement(_EFFUSION, False), [no_left]) == ()


def test_a_broad_denial_covers_the_narrow_and_not_the_reverse() -> None:
    no_opacity, no_nodule = Statement(_OPACITY, False), Statement(_TREE["consolidation"], False)
    assert supporting(no_nodule, [no_opacity]) == (0,)
    assert supporting(no_opacity, [no_nodule]) == ()
    assert contradicting(Statement(_TREE["consolidation"], True), [no_opacity]) == (0,)
    no_large = Statement(_EFFUSION, False, grades=frozenset({"severe"}))
    assert supporting(Statement(_EFFUSION, False), [no_large]) == ()
    assert contradicting(Statement(_EFFUSION, True, grades=frozenset({"mild"})), [no_large]) == ()


def test_sizes_agree_within_five_percent_or_half_a_millimetre() -> None:
    eight = Statement(_NODULE, True, sizes=(("length", 8.0),))
    assert supporting(replace(eight, sizes=(("length", 8.4),)), [eight]) == (0,)
    assert supporting(replace(eight, sizes=(("length", 8.6),)), [eight]) == ()
    assert contradicts(eight, replace(eight, sizes=(("length", 12.0),)))
    assert not contradicts(replace(eight, sides=_LEFT), replace(eight, sides=_RIGHT, sizes=(("length", 12.0),)))


@settings(max_examples=150, deadline=None)
@given(_STATEMENTS, st.lists(_STATEMENTS, max_size=4))
def test_laws_of_entailment(statement: Statement, others: list[Statement]) -> None:
    assert supporting(statement, [statement]) or (not statement.certain and not statement.present)
    if supporting(statement, others):
        assert supporting(statement, [*others, statement.on("left")])  # more premises take nothing away
    for other in others:
        assert contradicts(statement, other) == contradicts(other, statement)
        if statement.certain and supporting(statement, [other]):
            assert not contradicts(other, statement)


_KIND_SWAPPED: dict[ErrorKind, ErrorKind] = {
    "false finding": "omitted finding",
    "omitted finding": "false finding",
    "false comparison": "omitted comparison",
    "omitted comparison": "false comparison",
    "wrong location": "wrong location",
    "wrong severity": "wrong severity",
}


@settings(max_examples=150, deadline=None)
@given(st.lists(_STATEMENTS, max_size=5), st.lists(_STATEMENTS, max_size=5))
def test_identical_reports_are_free_of_errors_and_swapping_swaps_the_kinds(
    candidate: list[Statement], reference: list[Statement]
) -> None:
    assert align(candidate, candidate).errors == ()
    if len({s.what for s in candidate}) < len(candidate) or len({s.what for s in reference}) < len(reference):
        return  # several findings of one concept can be paired in more than one best way
    there = ErrorCounts.of(align(candidate, reference).errors)
    back = ErrorCounts.of(align(reference, candidate).errors)
    if {s.what for s in candidate + reference} <= {_EFFUSION, _NODULE}:
        for kind in ERROR_KINDS:
            assert there.of_kind(kind) == back.of_kind(_KIND_SWAPPED[kind])
    assert there.total == back.total


def _finding(name: str, **given: object) -> Finding:
    return Finding("f1", _TREE[name], **given)


def _reader(text: str) -> list[Finding]:
    """Three words are enough to test what the judge does with a reader."""
    findings = []
    for clause in re.split(r" and |\. ?", text.casefold()):
        if "effusion" in clause:
            side = next((word for word in ("left", "right") if word in clause), None)
            status = "absent" if clause.startswith("no ") else "present"
            findings.append(_finding("pleural effusion", status=status, where=Location(_TREE["pleura"], side)))
        if "nodule" in clause:
            findings.append(_finding("pulmonary nodule", status="absent" if "no " in clause else "present"))
    return findings


@pytest.fixture(scope="module")
def judge() -> RuleJudge:
    return RuleJudge(_reader, "three words")


def test_rule_judge_names_evidence_and_what_contradicts(judge: RuleJudge) -> None:
    assert isinstance(judge, Judge)
    premises = [Phrase("No nodule."), Phrase("Left effusion."), Phrase("The heart is large.")]
    assert judge.entails(Phrase("Effusion."), premises).evidence == (1,)
    denied = judge.entails(Phrase("A nodule."), premises)
    assert (denied.verdict, denied.evidence) == ("not entailed", (0,))
    open_one = judge.entails(Phrase("Right effusion."), premises)
    assert (open_one.verdict, open_one.evidence) == ("not entailed", ())
    both = judge.entails(Phrase("Left effusion and no nodule"), premises)
    assert both.entailed
    assert both.evidence == (0, 1)
    assert judge.entails(Phrase("Effusion."), []).verdict == "not entailed"


def test_what_the_reader_cannot_read_is_entailed_word_for_word_only(judge: RuleJudge) -> None:
    premises = [Phrase("The heart is large.")]
    assert judge.entails(Phrase("the heart is large"), premises).entailed
    assert not judge.entails(Phrase("Cardiomegaly."), premises).entailed
    assert judge.unread("Left effusion. The heart is large.") == ("The heart is large.",)


def test_a_sentence_of_two_findings_is_split_where_its_parts_read_alike(judge: RuleJudge) -> None:
    phrases = judge.phrases("Left effusion and nodule. The heart is large.")
    assert phrases == ("Left pleural effusion.", "Pulmonary nodule.", "The heart is large.")


def test_green_counts_shared_denials_as_matched(judge: RuleJudge) -> None:
    counts = judge.green("Left effusion. No nodule.", "Effusion on the left. No nodule.")
    assert len(counts.matched) == 2
    assert counts.errors == ()
    assert [e.kind for e in judge.errors("Nodule.", "No nodule. Effusion.")] == ["false finding", "omitted finding"]


def test_statements_speak_one_vocabulary() -> None:
    finding = _finding(
        "pulmonary nodule",
        where=Location(_TREE["lingula"]),
        attributes=(Attribute("severity", "tiny"), Attribute("change", "enlarging"), Attribute("margin", "spiculated")),
        measurements=(Measurement(_TREE["long axis"], 1.2, "cm"),),
    )
    (statement,) = statements_of([finding])
    assert statement.sides == _LEFT
    assert (statement.grades, statement.course, statement.sizes) == (
        frozenset({"mild"}),
        "increased",
        (("length", 12.0),),
    )
    assert statement.traits == {("margin", "spiculated")}
    assert worded(statement) == "Increased 12 mm mild left spiculated pulmonary nodule in the lingula."
    resolved = replace(finding, attributes=(Attribute("change", "resolved"),))
    assert not statements_of([resolved])[0].present
    past = replace(finding, attributes=(Attribute("assertion", "historical"),))
    assert statements_of([past]) == ()


def test_what_reports_of_the_chest_take_for_granted() -> None:
    edema, elsewhere = _finding("oedema"), _finding("oedema", where=Location(_TREE["brain"]))
    assert [s.what.name for s in statements_of([edema, elsewhere])] == ["pulmonary edema", "oedema"]
    silhouette = Location(_TREE["cardiomediastinal silhouette"])
    normal = statements_of([_finding("mediastinal widening", status="absent", where=silhouette)])
    assert [(s.what.name, s.present) for s in normal] == [("mediastinal widening", False), ("cardiomegaly", False)]
    assert len(statements_of([_finding("mediastinal widening", where=silhouette)])) == 1
    device = _finding("endotracheal tube", where=Location(_TREE["carina"]))
    (tube,) = statements_of([device])
    assert (tube.place, tube.tip) == (None, "carina")
    assert contradicts(tube, replace(tube, tip="right main bronchus"))
    assert [e.kind for e in align([replace(tube, tip="esophagus")], [tube]).errors] == ["wrong location"]


def test_sentences_end_at_full_stops_but_not_in_numbers() -> None:
    report = "Nodule of 1.2 cm. Tube 4 cm above the carina.\n\nNo effusion; no edema. Measures 8. Stable.\n1. Scar."
    assert sentences(report) == (
        "Nodule of 1.2 cm.", "Tube 4 cm above the carina.", "No effusion;", "no edema.", "Measures 8.", "Stable.",
        "Scar.",
    )  # fmt: skip
