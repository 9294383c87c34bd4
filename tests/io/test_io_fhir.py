"""Reports as FHIR: valid by fhir.resources, unchanged by a round trip through it, and saying what the report says."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fhir.resources", reason="needs the extra fhir")

from dicom_cases import series
from fhir.resources.R4B.bundle import Bundle

from groundglass.core import (
    Attribute,
    Evidence,
    Finding,
    Image,
    InputError,
    Location,
    Measurement,
    ModelCitation,
    Report,
    Section,
    Sentence,
    Study,
    Term,
    ontology,
)
from groundglass.io import to_fhir, write_fhir

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def report() -> Report:
    terms = ontology()
    lung = Finding(
        id="f1",
        what=terms["lung"],
        where=Location(anatomy=terms["lung"], side="left"),
        measurements=(
            Measurement(terms["volume"], 2412.5, "mL", low=2000.0, high=3500.0, source="Somebody 2020"),
            Measurement(Term("d", "99GROUNDGLASS", "diameter"), float("nan"), "mm"),
        ),
        evidence=(Evidence("model", "ct-lungs", "1.2"),),
    )
    nodule = Finding(
        id="f2",
        what=Term("27925004", "SCT", "Nodule"),
        status="uncertain",
        where=Location(anatomy=terms["lung"], side="left"),
        attributes=(Attribute("severity", "mild <1 cm"),),
        score=0.75,
        part_of="f1",
    )
    absent = Finding(id="f3", what=Term("60046008", "SCT", "Pleural effusion"), status="absent")
    return Report(
        sections=(
            Section("findings", (Sentence("Left lung 2412 mL & clear.", ("f1",)), Sentence("Small nodule?", ("f2",)))),
            Section("impression", (Sentence("A nodule <1 cm.", ("f2",)), Sentence("No effusion.", ("f3",)))),
        ),
        findings=(lung, nodule, absent),
        title="CT of the chest",
        models=(ModelCitation("ct-lungs", "1.2", "20 phantoms"),),
    )


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study((series(tmp_path / "ct"),), patient_id="P<7>", uid="1.2.3.4", date="2026-02-28", clinical="Cough")


def resources(bundle: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {e["fullUrl"]: e["resource"] for e in bundle["entry"]}


def test_the_library_reads_back_what_was_written(study: Study, tmp_path: Path) -> None:
    bundle = to_fhir(report(), study, issued=NOW)
    again = json.loads(Bundle.model_validate_json(json.dumps(bundle)).model_dump_json())
    assert normal(again) == normal(bundle)
    path = write_fhir(report(), study, tmp_path / "report.fhir.json")
    written = json.loads(path.read_text(encoding="utf-8"))
    assert [e["fullUrl"] for e in written["entry"]] == [e["fullUrl"] for e in bundle["entry"]]
    assert to_fhir(report(), study, issued=NOW) == bundle


def normal(value: Any) -> Any:
    """Numbers and times as values: the library may write 2.0 as "2.0" and +00:00 as Z."""
    if isinstance(value, dict):
        return {k: normal(v) for k, v in value.items()}
    if isinstance(value, list):
        return [normal(v) for v in value]
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value.replace("+00:00", "Z")
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def test_every_reference_resolves_to_the_kind_that_it_names(study: Study) -> None:
    held = resources(to_fhir(report(), study, issued=NOW))
    seen = 0

    def walk(value: Any) -> None:
        nonlocal seen
        if isinstance(value, dict):
            if "reference" in value:
                seen += 1
                assert held[value["reference"]]["resourceType"] == value["type"]
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(list(held.values()))
    # The report: 3 results and the study; each finding: device and study; one part of another.
    assert seen == 4 + 3 * 2 + 1


def test_it_says_what_the_report_says(study: Study) -> None:
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for resource in resources(to_fhir(report(), study, issued=NOW)).values():
        by_kind.setdefault(resource["resourceType"], []).append(resource)
    (said,), (images,) = by_kind["DiagnosticReport"], by_kind["ImagingStudy"]
    lung, nodule, absent = by_kind["Observation"]
    assert said["status"] == lung["status"] == "preliminary"
    assert said["conclusion"] == "A nodule <1 cm. No effusion."
    assert "<p>Draft for a qualified reader." in said["text"]["div"] and "A nodule &lt;1 cm." in said["text"]["div"]
    assert base64.b64decode(said["presentedForm"][0]["data"]).decode() == report().text
    # A normal organ and a doubtful nodule are no conclusions.
    assert "conclusionCode" not in said
    assert lung["bodySite"]["coding"][0] == {"system": "http://snomed.info/sct", "code": "39607008", "display": "lung"}
    side, volume, diameter = lung["component"]
    assert side["valueCodeableConcept"]["coding"][0]["code"] == "7771000"
    assert volume["valueQuantity"] == {
        "value": 2412.5,
        "unit": "mL",
        "system": "http://unitsofmeasure.org",
        "code": "mL",
    }
    assert volume["referenceRange"][0]["high"]["value"] == 3500.0
    assert diameter["dataAbsentReason"]["coding"][0]["code"] == "not-a-number" and "valueQuantity" not in diameter
    assert lung["method"]["text"] == "ct-lungs 1.2"
    assert [n["text"] for n in nodule["note"]] == ["Small nodule?", "A nodule <1 cm."]
    assert nodule["valueCodeableConcept"]["text"] == "Undetermined"
    assert nodule["component"][1]["valueCodeableConcept"] == {"text": "mild <1 cm"}
    assert nodule["component"][2]["valueQuantity"]["value"] == 0.75
    assert absent["valueCodeableConcept"]["coding"][0]["code"] == "272519000"
    assert images["identifier"][0]["value"] == "urn:oid:1.2.3.4"
    assert (images["numberOfSeries"], images["numberOfInstances"]) == (1, 6)
    assert images["series"][0]["modality"]["code"] == "CT"
    assert said["subject"]["identifier"]["value"] == "P<7>"


def test_pictures_without_dicom_have_no_series() -> None:
    picture = Image.of(np.zeros((4, 4)), name="photo", modality="ES")
    bundle = to_fhir(Report((), title="Endoscopy"), Study((picture,)), issued=NOW)
    images = next(r for r in resources(bundle).values() if r["resourceType"] == "ImagingStudy")
    assert "series" not in images and "numberOfSeries" not in images
    assert images["modality"][0]["code"] == "ES"


def test_what_fhir_cannot_hold_is_refused() -> None:
    broken = Finding(id="f1", what=Term("with  two blanks", "SCT", "x"))
    with pytest.raises(InputError, match="does not fit FHIR at entry"):
        to_fhir(Report((), (broken,)), Study(()), issued=NOW)
