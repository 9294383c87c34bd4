"""A written report beside a reading: verdicts by logic of terms, places and sides, and where they are shown."""

from __future__ import annotations

import jsonschema
import numpy as np
import pytest

from groundglass.app.outputs import report_document
from groundglass.core import Finding, Image, Location, Reading, Study, ontology
from groundglass.core.schema import shipped_schema
from groundglass.report import beside, compose, render_html, render_text
from groundglass.text import read_report

TERMS = ontology()
IMAGE = Image.of(np.zeros((8, 8), np.uint8), modality="DX")


def seen(name: str, status: str, side: str | None = None, number: int = 1) -> Finding:
    return Finding(f"f{number}", TERMS[name], status, Location(side=side))  # type: ignore[arg-type]


def verdicts(text: str, *findings: Finding) -> list[str]:
    return [pair.verdict for pair in beside(findings, read_report(text))]


@pytest.mark.parametrize(
    ("text", "name", "status", "side", "expected"),
    [
        ("The heart is enlarged.", "cardiomegaly", "present", None, ["agreement"]),
        ("Heart size is normal.", "cardiomegaly", "present", None, ["disagreement"]),
        ("Possible cardiomegaly.", "cardiomegaly", "absent", None, ["doubt"]),
        ("Heart size is normal.", "cardiomegaly", "uncertain", None, ["doubt"]),
        ("Left pleural effusion.", "pleural effusion", "present", "left", ["agreement"]),
        ("Left pleural effusion.", "pleural effusion", "present", "right", ["not looked for", "not in the report"]),
        ("Left pleural effusion.", "pleural effusion", "absent", "right", ["not looked for"]),
        ("No pleural effusion.", "pleural effusion", "present", "right", ["disagreement"]),
        # Broader and narrower: no opacity means no consolidation; no consolidation leaves another opacity.
        ("Consolidation.", "lung opacity", "absent", None, ["disagreement"]),
        ("Consolidation.", "lung opacity", "present", None, ["agreement"]),
        ("No consolidation.", "lung opacity", "present", None, ["not looked for", "not in the report"]),
        ("No lung opacity.", "consolidation", "present", None, ["disagreement"]),
        ("Lung opacity.", "consolidation", "absent", None, ["not looked for"]),
        # What is remembered, supposed, recommended or felt is no statement about these images.
        ("History of pneumothorax.", "pneumothorax", "absent", None, []),
        ("Chest pain.", "pneumothorax", "absent", None, []),
        ("Follow-up CT is recommended.", "pneumothorax", "absent", None, []),
        # The impression stands.
        ("Findings: Cardiomegaly. Impression: No cardiomegaly.", "cardiomegaly", "absent", None, ["agreement"]),
    ],
)
def test_verdicts(text: str, name: str, status: str, side: str | None, expected: list[str]) -> None:
    assert verdicts(text, seen(name, status, side)) == expected


def test_one_side_present_is_enough_and_both_must_be_absent() -> None:
    sides = seen("pleural effusion", "absent", "left", 1), seen("pleural effusion", "present", "right", 2)
    assert verdicts("Pleural effusion.", *sides) == ["agreement"]
    assert verdicts("Left pleural effusion.", *sides) == ["disagreement", "not in the report"]


def test_it_is_shown_in_text_page_and_json() -> None:
    written = read_report("The heart is enlarged. <b>No</b> pleural effusion.")
    findings = (seen("cardiomegaly", "absent"), seen("pneumothorax", "present", number=2))
    for study, exam in (
        (Study((IMAGE,), (written,)), "this"),
        (Study((IMAGE,), priors=(Study((), (written,), date="2024-05-01"),)), "earlier"),
    ):
        report = compose(Reading(findings), study)
        text, page = render_text(report), render_html(report, study)
        assert "disagreement" in " ".join(text.split())
        assert "images not assessed: not looked for in the images" in " ".join(text.split())
        assert page.count('class="verdict disagreement"') == 1
        assert page.count('class="verdict not-in-the-report"') == 1
        assert "The heart is enlarged." in page
        document = report_document(report, study)
        jsonschema.validate(document, shipped_schema())
        part = document["written_reports"][0]
        assert part["exam"] == exam
        assert [pair["verdict"] for pair in part["pairs"]] == ["disagreement", "not looked for", "not in the report"]
        assert part["pairs"][0]["seen"] == ["f1"]


def test_without_a_written_report_nothing_is_added() -> None:
    study = Study((IMAGE,))
    report = compose(Reading((seen("cardiomegaly", "present"),)), study)
    assert report.section("written report") is None
    assert "beside" not in render_html(report, study).split("</style>")[1]
    assert "written_reports" not in report_document(report, study)
