"""Templates: what is said reads back to the same statement, in every language and paraphrase."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundglass.core import Attribute, Finding, Location, Measurement, ontology
from groundglass.core.errors import ConfigurationError
from groundglass.report import Templates, conflicts, parse, read_table, say, shipped_templates, statements_of
from groundglass.report.binding import system_of
from groundglass.report.numbers import quantity, read_quantity, write_quantity
from groundglass.report.templates import Statement


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_sentence_of_every_table_reads_back_to_itself(language):
    assert conflicts(shipped_templates(), language=language) == []


def test_a_table_whose_sentences_collide_is_found():
    table = {
        "templates": [
            {"key": "a", "sentences": {"en": {"present": ["It is there."]}}},
            {"key": "b", "sentences": {"en": {"absent": ["It is there."]}}},
        ]
    }
    found = conflicts(Templates(read_table(table, "twins")))
    assert len(found) == 1
    assert "key='b'" in found[0]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"key": "x", "sentences": {"en": {"present": ["{hole}."]}}}, "undefined gaps"),
        ({"key": "x", "sentences": {"en": {"maybe": ["A."]}}}, "unknown polarity"),
        (
            {"key": "x", "slots": {"n": {"type": "count"}}, "sentences": {"en": {"present": ["A {n}.", "B."]}}},
            "other gaps",
        ),
        ({"key": "x", "slots": {"t": {"type": "text"}}, "sentences": {"en": {"present": ["{t} is."]}}}, "free text"),
        ({"key": "x", "slots": {"t": {"type": "tekst"}}, "sentences": {"en": {"present": ["A."]}}}, "slot type"),
    ],
)
def test_inconsistent_table_is_refused(row, said):
    with pytest.raises(ConfigurationError, match=said):
        read_table({"templates": [row]}, "bad.json")


def test_all_paraphrases_are_reached_and_seeded():
    drawn = {say("cardiomegaly", "absent", rng=np.random.default_rng(seed)) for seed in range(40)}
    assert drawn == set(shipped_templates()["cardiomegaly"].sentences["en"]["absent"])
    assert say("cardiomegaly", rng=np.random.default_rng(3)) == say("cardiomegaly", rng=np.random.default_rng(3))
    assert say("cardiomegaly") == "The heart is enlarged."


def test_indonesian_uses_its_own_words_order_and_decimal_comma():
    text = say(
        "measurement", language="id", measurement="cardiothoracic ratio", structure=("left", "lung"), value=(0.5, "1")
    )
    assert text == "Nilai rasio kardiotoraks paru kiri adalah 0,50."
    assert parse(text, language="id")["structure"] == ("left", "lung")
    assert parse(text, language="en") is None


def test_missing_gap_and_unknown_key_are_typed_errors():
    with pytest.raises(ConfigurationError, match="needs the gaps"):
        say("pleural effusion on side")
    with pytest.raises(ConfigurationError, match="not the key"):
        say("no such key")


@given(
    st.floats(-5000, 5000, allow_nan=False),
    st.sampled_from(["mm", "mL", "deg", "1", "%", "[hnsf'U]", "{count}", "cm", "mm2", "g/mL{SUVbw}", "{pixels}"]),
    st.sampled_from(["en", "id"]),
)
def test_quantity_round_trip(value, unit, language):
    assert read_quantity(write_quantity(value, unit, language), language) == quantity(value, unit)


def test_rounding_is_that_of_the_text():
    assert write_quantity(9.996, "mL") == write_quantity(10.0, "mL") == "10.0 mL"
    assert write_quantity(0.256, "mL") == "0.26 mL"
    assert write_quantity(-0.2, "[hnsf'U]") == "0 HU"
    assert write_quantity(63.96, "deg") == "64.0°"


TERMS = [e.term.name for e in ontology() if e.kind in ("finding", "anatomy")]
PLACES = [e.term.name for e in ontology() if e.kind == "anatomy"]
KINDS = [e.term.name for e in ontology() if e.kind == "measurement"]


def _measurement(draw):
    limits = draw(st.sampled_from([(None, None), (None, 3.0), (1.0, None), (1.0, 3.0)]))
    unit = draw(st.sampled_from(["mm", "mL", "1", "deg", "[hnsf'U]"]))
    kind = ontology()[draw(st.sampled_from(KINDS))]
    return Measurement(kind, draw(st.floats(-50, 5000)), unit, low=limits[0], high=limits[1])


@st.composite
def any_finding(draw):
    term = ontology()[draw(st.sampled_from(TERMS))]
    place = draw(st.one_of(st.none(), st.sampled_from(PLACES)))
    side = draw(st.sampled_from([None, "left", "right", "bilateral", "midline"]))
    return Finding(
        "f1",
        term,
        draw(st.sampled_from(["present", "absent", "uncertain"])),
        Location(ontology()[place] if place else None, side),
        (Attribute("assessment", "not assessed"),) if draw(st.integers(0, 5)) == 0 else (),
        tuple(_measurement(draw) for _ in range(draw(st.integers(0, 3)))),
    )


@settings(max_examples=150, deadline=None)
@given(any_finding(), st.sampled_from(["en", "id"]), st.integers(0, 2**32 - 1))
def test_every_finding_is_stated_and_reads_back(finding, language, seed):
    said = statements_of(finding)
    assert said, "a finding without a sentence"
    for statement in said:
        text = shipped_templates().write(statement, language=language, rng=np.random.default_rng(seed))
        assert shipped_templates().parse(text, language=language) == statement


def test_the_most_specific_sentence_is_chosen_and_generic_ones_step_back():
    heart, ratio = ontology()["heart"], Measurement(ontology()["cardiothoracic ratio"], 0.562, "1", high=0.5)
    finding = Finding("f1", ontology()["cardiomegaly"], "present", Location(heart), measurements=(ratio,))
    assert statements_of(finding) == (
        Statement("cardiomegaly with ratio", "present", (("limit", (0.5, "1")), ("ratio", (0.56, "1")))),
    )
    assert system_of(finding) == "heart"
    assert json.dumps(statements_of(finding)[0].slots)


def test_a_length_in_pixels_leaves_the_sentence_in_centimetres_out():
    where = Location(ontology()["liver"])
    size = (
        Measurement(ontology()["long axis"], 12.0, "{pixels}"),
        Measurement(ontology()["short axis"], 9.0, "{pixels}"),
    )
    said = statements_of(Finding("f1", ontology()["liver lesion"], "present", where, measurements=size))
    assert said
    assert all("cm" not in shipped_templates().write(s) for s in said)
