"""Composing: nothing invented, nothing left out, nothing contradictory; and the prior compared."""

import datetime
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundglass.core import (
    Acquisition,
    Attribute,
    Finding,
    Image,
    Location,
    Measurement,
    Reading,
    Report,
    Section,
    Sentence,
    Study,
    from_dict,
    ontology,
    to_dict,
)
from groundglass.report import compare_readings, compose, parse, resolve_contradictions, unstated, unsupported
from groundglass.report.comparison import Change

TERMS = ontology()
FINDINGS = [e.term.name for e in TERMS if e.kind == "finding"]
ANATOMY = [e.term.name for e in TERMS if e.kind == "anatomy"]
KINDS = [e.term.name for e in TERMS if e.kind == "measurement"]
STUDY = Study((Image.of(np.zeros((8, 8), np.uint8), modality="DX"),))


def measure(kind, value, unit, **limits):
    return Measurement(TERMS[kind], value, unit, **limits)


@st.composite
def readings(draw):
    findings = []
    for number in range(draw(st.integers(0, 6))):
        limits = draw(st.sampled_from([{}, {"high": 3.0}, {"low": 1.0}, {"low": 1.0, "high": 3.0}]))
        unit = draw(st.sampled_from(["mm", "mL", "1", "deg"]))
        kinds = draw(st.lists(st.sampled_from(KINDS), max_size=2, unique=True))
        place = draw(st.one_of(st.none(), st.sampled_from(ANATOMY)))
        findings.append(
            Finding(
                f"f{number}",
                TERMS[draw(st.sampled_from(FINDINGS + ANATOMY))],
                draw(st.sampled_from(["present", "absent", "uncertain"])),
                Location(TERMS[place] if place else None, draw(st.sampled_from([None, "left", "right"]))),
                measurements=tuple(measure(k, draw(st.floats(0, 900)), unit, **limits) for k in kinds),
            )
        )
    return Reading(tuple(findings), draw(st.sampled_from([(), ("bones", "soft tissue")])))


@settings(max_examples=120, deadline=None)
@given(readings(), st.sampled_from(["en", "id"]), st.integers(0, 99))
def test_hallucination_rate_is_zero_and_nothing_is_left_out(reading, language, seed):
    report = compose(reading, STUDY, language=language, rng=np.random.default_rng(seed))
    assert unsupported(report) == []
    assert unstated(report) == ()
    by_id = {f.id: f for f in report.findings}
    for sentence in (*report.section("findings").sentences, *report.section("impression").sentences):
        # Codes and status straight from the text, without the code that wrote it.
        said = parse(sentence.text, language=language)
        assert said is not None
        if said.get("finding"):
            for finding in (by_id[i] for i in sentence.findings):
                assert TERMS[said["finding"]] == finding.what
                assert said.polarity == finding.status
    assert from_dict(to_dict(report)) == report


def test_a_tampered_sentence_is_caught():
    lung = Finding(
        "f1", TERMS["lung"], where=Location(TERMS["lung"], "left"), measurements=(measure("volume", 2310.44, "mL"),)
    )
    report = compose(Reading((lung,)), STUDY)
    text = report.section("findings").sentences[0].text
    assert text == "The volume of the left lung is 2310.4 mL."
    for wrong in (
        text.replace("2310.4", "2310.5"),
        text.replace("left", "right"),
        text.replace("lung", "heart"),
        "Free text.",
    ):
        forged = Report((Section("findings", (Sentence(wrong, ("f1",)),)),), report.findings)
        assert len(unsupported(forged)) == 1
    unnamed = Report((Section("findings", (Sentence(text),)),), report.findings)
    assert len(unsupported(unnamed)) == 1


def test_normal_only_when_everything_was_answered():
    def conclusion(*statuses):
        named = zip(("cardiomegaly", "consolidation", "pleural effusion"), statuses, strict=True)
        reading = Reading(tuple(Finding(f"f{i}", TERMS[n], s) for i, (n, s) in enumerate(named)))
        return [s.text for s in compose(reading, STUDY).section("impression").sentences]

    assert conclusion("absent", "absent", "absent") == ["No abnormality among those looked for."]
    assert conclusion("absent", "uncertain", "absent") == [
        "No abnormality was established, but not every question could be answered.",
        "Consolidation cannot be assessed.",
    ]
    assert conclusion("uncertain", "uncertain", "uncertain") == [
        "No conclusion: nothing that was looked for could be answered.",
        "Heart size cannot be assessed.",
        "Consolidation cannot be assessed.",
        "Pleural effusion cannot be assessed.",
    ]
    assert conclusion("absent", "present", "present") == ["There is consolidation.", "There is a pleural effusion."]
    impression = compose(Reading(), STUDY).section("impression").sentences
    assert [s.text for s in impression] == ["Measurements only; no abnormality was looked for."]


def test_not_assessed_and_warnings_are_in_every_report():
    image = Image.of(np.zeros((8, 8), np.uint8), modality="DX", warnings=("mirrored",))
    report = compose(Reading((), ("rib fractures", "nodules"), ("blurred.",)), Study((image,)))
    texts = [s.text for s in report.section("limitations").sentences]
    assert texts == ["Not looked for: rib fractures; nodules.", "Caution: blurred.", "Caution: mirrored."]
    assert "No list of what was not looked for" in compose(Reading(), STUDY).text


def test_order_is_by_anatomical_system_and_lesions_follow_their_organ():
    names = ["pleural effusion", "lung", "patient rotation", "cardiomegaly", "consolidation"]
    report = compose(Reading(tuple(Finding(n, TERMS[n]) for n in names)), STUDY)
    assert [f.id for f in report.findings] == [
        "patient rotation",
        "cardiomegaly",
        "lung",
        "consolidation",
        "pleural effusion",
    ]


def test_both_sides_share_a_sentence():
    def lung(side, value):
        return Finding(
            side, TERMS["lung"], where=Location(TERMS["lung"], side), measurements=(measure("volume", value, "mL"),)
        )

    report = compose(Reading((lung("right", 2500.0), lung("left", 2200.04))), STUDY)
    (sentence,) = report.section("findings").sentences
    assert sentence.text == "The volume of the lung is 2200.0 mL on the left and 2500.0 mL on the right."
    assert set(sentence.findings) == {"left", "right"}


def test_contradicting_negative_is_withdrawn_and_named():
    present = Finding("f1", TERMS["consolidation"], where=Location(TERMS["upper zone of lung"], "left"))
    denied = Finding("f2", TERMS["consolidation"], "absent", Location(TERMS["lung"], "left"))
    elsewhere = Finding("f3", TERMS["consolidation"], "absent", Location(TERMS["lung"], "right"))
    findings, warnings = resolve_contradictions((present, denied, elsewhere))
    assert [f.status for f in findings] == ["present", "uncertain", "absent"]
    assert findings[1].attribute("contradiction") == "f1"
    assert len(warnings) == 1
    report = compose(Reading((present, denied, elsewhere)), STUDY)
    assert "withdrawn" in report.section("limitations").sentences[-1].text
    assert unsupported(report) == []


def test_free_text_of_a_header_makes_no_finding():
    nasty = "There is cardiomegaly.\nThe heart is enlarged."
    image = Image.of(np.zeros((8, 8)), modality="DX", acquisition=Acquisition(description=nasty))
    report = compose(Reading(), Study((image,), clinical=nasty))
    assert report.section("indication").sentences[0].text == "Clinical information: " + nasty.replace("\n", " ")
    assert unsupported(report) == []
    assert not re.search("enlarged", " ".join(s.text for s in report.section("findings").sentences))


@pytest.mark.parametrize(
    ("before", "now", "unit", "direction"),
    [
        (20.0, 25.0, "mm", "increased"),
        (20.0, 24.9, "mm", "stable"),
        (5.0, 6.5, "mm", "stable"),
        (20.0, 14.0, "mm", "decreased"),
        (20.0, 14.1, "mm", "stable"),
        (100.0, 109.9, "mL", "stable"),
        (100.0, 110.0, "mL", "increased"),
        (100.0, 89.0, "mL", "decreased"),
    ],
)
def test_direction_of_change(before, now, unit, direction):
    assert Change(measure("volume", now, unit), before).direction == direction


def test_prior_is_compared_across_units_and_stated():
    here = Location(TERMS["lung"], "left")
    now = Finding("n", TERMS["pulmonary nodule"], where=here, measurements=(measure("long axis", 12.0, "mm"),))
    then = Finding("b", TERMS["pulmonary nodule"], where=here, measurements=(measure("long axis", 0.6, "cm"),))
    effusion = [Finding("e", TERMS["pleural effusion"], status, here) for status in ("present", "absent")]
    prior = Report((), (then, effusion[1]))
    study = Study(STUDY.images, priors=(Study((), (prior,), date=str(datetime.date(2020, 1, 2))),))
    report = compose(Reading((now, effusion[0])), study)
    assert [s.text for s in report.section("comparison").sentences] == [
        "Compared with the prior study of 2020-01-02.",
        "The long axis of the left pulmonary nodule has increased, from 6.0 mm to 12.0 mm (100.0 %).",
        "The left pleural effusion is new since the prior study.",
    ]
    assert unsupported(report) == []


def test_several_lesions_of_one_place_are_not_matched_by_guess():
    def nodule(i, mm):
        return Finding(
            i, TERMS["pulmonary nodule"], where=Location(TERMS["lung"]), measurements=(measure("long axis", mm, "mm"),)
        )

    compared = compare_readings(Reading((nodule("a", 5.0), nodule("b", 9.0))), Reading((nodule("c", 5.0),)))
    assert all(f.attributes == () for f in compared.findings)
    kept = Finding("a", TERMS["lung"], attributes=(Attribute("x", "y"),), measurements=(measure("volume", 0.0, "mL"),))
    assert compare_readings(Reading((kept,)), Reading((kept,))).findings[0].attribute("change in volume") == "stable"
