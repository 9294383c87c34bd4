"""Findings and reports to JSON and back: nothing is lost, and what is written fits the schema."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundglass.core import (
    SCHEMA_VERSION,
    Attribute,
    Box,
    Evidence,
    Finding,
    Image,
    InputError,
    Line,
    Location,
    Mask,
    Measurement,
    ModelCitation,
    Reading,
    Report,
    Section,
    Sentence,
    Study,
    Term,
    UnsupportedError,
    from_dict,
    to_dict,
)
from groundglass.core.codec import WRITTEN_TYPES
from groundglass.core.schema import report_schema, require_version, shipped_schema

TEXT = st.text(max_size=12)
FLOAT = st.floats(width=64)
POINT = st.lists(FLOAT, max_size=3).map(tuple)
TERMS = st.builds(Term, TEXT, TEXT, TEXT)
LINES = st.builds(Line, st.lists(POINT, max_size=3).map(tuple), TEXT)
OPTIONAL = st.none() | FLOAT
MEASUREMENTS = st.builds(
    Measurement, TERMS, FLOAT, TEXT, st.lists(LINES, max_size=2).map(tuple), TEXT, OPTIONAL, OPTIONAL, TEXT
)
SPANS = st.none() | st.tuples(st.integers(), st.integers())
EVIDENCE = st.builds(Evidence, st.sampled_from(["model", "rule", "sentence", "person"]), TEXT, TEXT, TEXT, SPANS)
ATTRIBUTES = st.builds(Attribute, TEXT, TEXT)
SENTENCES = st.builds(Sentence, TEXT, st.lists(TEXT, max_size=2).map(tuple))
SECTIONS = st.builds(Section, TEXT, st.lists(SENTENCES, max_size=2).map(tuple), TEXT)
CITATIONS = st.builds(ModelCitation, TEXT, TEXT, TEXT)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    pairs = draw(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=3))
    return Box(tuple(min(p) for p in pairs), tuple(max(p) for p in pairs))


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    shape = tuple(draw(st.lists(st.integers(1, 9), min_size=2, max_size=3)))
    array = np.random.default_rng(draw(st.integers(0, 999))).random(shape) < draw(
        st.sampled_from([0.0, 0.05, 0.5, 1.0])
    )
    affine = np.array(draw(st.lists(FLOAT, min_size=16, max_size=16))).reshape(4, 4)
    return Mask.of(array, affine)


LOCATIONS = st.builds(
    Location,
    st.none() | TERMS,
    st.sampled_from([None, "left", "right", "bilateral", "midline"]),
    st.none() | masks(),
    st.none() | boxes(),
    st.lists(LINES, max_size=2).map(tuple),
    st.none() | TEXT,
)
FINDINGS = st.builds(
    Finding,
    TEXT,
    TERMS,
    st.sampled_from(["present", "absent", "uncertain"]),
    LOCATIONS,
    st.lists(ATTRIBUTES, max_size=2).map(tuple),
    st.lists(MEASUREMENTS, max_size=2).map(tuple),
    OPTIONAL,
    st.lists(EVIDENCE, max_size=2).map(tuple),
    st.none() | TEXT,
)
REPORTS = st.builds(
    Report,
    st.lists(SECTIONS, max_size=2).map(tuple),
    st.lists(FINDINGS, max_size=2).map(tuple),
    TEXT,
    TEXT,
    st.lists(CITATIONS, max_size=2).map(tuple),
    TEXT,
)
READINGS = st.builds(
    Reading,
    st.lists(FINDINGS, max_size=2).map(tuple),
    st.lists(TEXT, max_size=2).map(tuple),
    st.lists(TEXT, max_size=2).map(tuple),
    st.lists(CITATIONS, max_size=2).map(tuple),
)
VALIDATOR = jsonschema.Draft202012Validator(report_schema())


def same(a: Any, b: Any) -> bool:
    """Equal in every field and type, NaN being itself; a Term's name counts, though it is no part of its equality."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Mask):
        return (
            a.shape == b.shape
            and a.offset == b.offset
            and np.array_equal(a.crop, b.crop)
            and (a.crop.dtype == b.crop.dtype and np.array_equal(a.affine, b.affine, equal_nan=True))
        )
    if is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    return a == b


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(REPORTS | READINGS | FINDINGS | boxes() | masks())
def test_round_trip_loses_nothing(value: Any) -> None:
    text = json.dumps(to_dict(value), allow_nan=False)
    assert same(from_dict(json.loads(text)), value)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(REPORTS)
def test_every_report_fits_the_schema(report: Report) -> None:
    document = {"schema_version": SCHEMA_VERSION, "report": json.loads(json.dumps(to_dict(report)))}
    VALIDATOR.validate(document)


def test_the_schema_file_is_the_generated_one() -> None:
    assert shipped_schema() == json.loads(json.dumps(report_schema()))
    jsonschema.Draft202012Validator.check_schema(shipped_schema())
    assert set(report_schema()["$defs"]) == {*WRITTEN_TYPES, "Mask", "ImageFacts", "WrittenReport"}


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": "2.0"},
        {"report": {"type": "Report"}},
        {"report": {"type": "Report", "sections": [], "colour": "red"}},
        {"report": {"type": "Report", "sections": [{"type": "Section"}]}},
        {"report": {"type": "Report", "sections": [], "findings": [{"type": "Finding", "id": "f1"}]}},
        {"report": {"type": "Reading", "sections": []}},
    ],
)
def test_the_schema_refuses_what_does_not_fit(change: dict[str, Any]) -> None:
    document = {"schema_version": SCHEMA_VERSION, "report": {"type": "Report", "sections": []}}
    VALIDATOR.validate(document)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({**document, **change})


def test_newer_versions_are_refused() -> None:
    require_version({"schema_version": SCHEMA_VERSION})
    require_version({"schema_version": "1.99"})
    with pytest.raises(UnsupportedError, match="newer"):
        require_version({"schema_version": "2.0"})
    with pytest.raises(InputError, match="no schema version"):
        require_version({})


@pytest.mark.parametrize(
    "data",
    [
        {"type": "Nonsense"},
        {"no": "type"},
        {"type": "Term", "code": "1"},
        {"type": "Term", "code": "1", "scheme": "a", "name": "b", "more": 1},
        {"type": "Box", "start": [1], "stop": ["a"]},
        {
            "type": "Measurement",
            "kind": {"type": "Term", "code": "1", "scheme": "a", "name": "b"},
            "value": "ten",
            "unit": "mm",
        },
    ],
)
def test_damaged_objects_are_typed_errors(data: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        from_dict(data)


def test_damaged_masks_are_typed_errors() -> None:
    good = to_dict(Mask.of(np.ones((3, 4, 5)), np.eye(4)))
    assert from_dict(good).voxel_count == 60
    for change in (
        {"bits": "!!!"},
        {"bits": "AAAA"},
        {"bits": to_dict(Mask.of(np.ones((9, 9, 9)), np.eye(4)))["bits"]},
        {"crop_shape": [3, 4]},
        {"crop_shape": [30, 40, 50]},
        {"shape": [10**9, 10**9, 10**9], "crop_shape": [10**9, 10**9, 10**9]},
        {"offset": [1, 0, 0]},
        {"offset": [-1, 0, 0]},
        {"affine": [[1, 0], [0, 1]]},
        {"affine": "eye"},
    ):
        with pytest.raises(InputError):
            from_dict({**good, **change})
    del good["shape"]
    with pytest.raises(InputError):
        from_dict(good)


def test_images_and_studies_are_not_written() -> None:
    image = Image.of(np.zeros((2, 2)))
    for value in (image, Study((image,))):
        with pytest.raises(InputError, match="is not written"):
            to_dict(value)
