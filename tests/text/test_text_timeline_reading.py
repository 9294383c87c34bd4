"""Timelines: rows and their links, the course over studies, dates of reports, folders and tables, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from groundglass.core import InputError
from groundglass.text import timeline
from groundglass.text.timeline import DatedReport, PatientTimeline, Row

REPORTS = (
    DatedReport(
        "a",
        "2024-01-01",
        "FINDINGS: Small left pleural effusion. 12 mm nodule in the right upper lobe. "
        "Opacity in the left base consistent with pneumonia. Heart is normal in size.",
    ),
    DatedReport("b", "2024-01-05", "Bilateral pleural effusions have increased. The nodule is unchanged. Right PICC."),
    DatedReport("c", "2024-01-09", "No pleural effusion. 15 mm nodule in the right upper lobe. PICC has been removed."),
    DatedReport("d", "2024-03-09", "New left pleural effusion. New cardiomegaly. Cardiomegaly is possible."),
)


def made() -> PatientTimeline:
    return timeline.patient_timeline(REPORTS)


def row(text: str) -> Row:
    (found,) = timeline.patient_timeline([DatedReport("s", "2024-01-01", text)]).rows
    return found


def test_rows_hold_the_words_and_the_schema() -> None:
    found = row("FINDINGS: Probable small new spiculated 12 mm nodule in the left upper lobe.")
    assert (found.entity, found.category, found.status) == ("nodule", "RF", "TP")
    assert found.attributes == {
        "location": "left upper lobe of lung",
        "morphology": "spiculated",
        "measurement": "12 mm",
        "severity": "small",
        "onset": "new",
    }
    assert row("No pneumothorax.").status == "DN"
    assert row("<p>Left pleural<br>effusion.</p>").entity == "pleural effusion"
    assert row("INDICATION: Fever.").category == "COF"
    assert row("Right PICC with tip in the SVC.").category == "OTH"
    assert row("The effusion is stable.").attributes["no change"] == "unchanged"
    assert row("History of pneumonia.").attributes["past hx"] == "historical"


def test_a_diagnosis_has_its_finding_as_evidence() -> None:
    links = {r.concept: r.links for r in made().rows if r.study.id == "a" and r.links}
    ids = {r.concept: r.id for r in made().rows if r.study.id == "a"}
    assert links == {"opacity": (("ASSOCIATE", ids["pneumonia"]),), "pneumonia": (("EVIDENCE", ids["opacity"]),)}


def test_the_course_of_each_group() -> None:
    lines = {line.group: [(s.study_id, s.change) for s in line.states] for line in timeline.course(made())}
    assert lines["left pleural effusion"] == [
        ("a", "first seen"), ("b", "persisting"), ("c", "resolved"), ("d", "recurrent"),
    ]  # fmt: skip
    assert lines["right pleural effusion"] == [("b", "new"), ("c", "resolved")]
    assert lines["right picc"] == [("b", "new"), ("c", "resolved")]
    assert lines["cardiomegaly"] == [("a", "absent"), ("d", "new")]


def test_sizes_grow_and_contradictions_are_named() -> None:
    lines = {line.group: line for line in timeline.course(made())}
    nodule = lines["right upper zone of lung pulmonary nodule"].states
    assert [(s.size_mm, s.growth_mm) for s in nodule] == [(12, None), (None, None), (15, 3)]
    assert lines["right pleural effusion"].states[0].doubt == "called worsened, not reported before"
    twice = timeline.patient_timeline(
        [DatedReport("x", "2024-01-01", "Left effusion."), DatedReport("y", "2024-01-02", "New left effusion.")]
    )
    assert timeline.course(twice)[0].states[1].doubt == "called new, seen before"


def test_csv_and_json() -> None:
    rows = list(csv.DictReader(io.StringIO(timeline.to_csv(made()))))
    assert len(rows) == len(made().rows)
    assert {"entity", "dx_status", "location", "entity_group", "episode", "assessment limitations"} <= set(rows[0])
    document = json.loads(json.dumps(timeline.to_dict(made())))
    assert [study["day"] for study in document["studies"]] == [0, 4, 8, 68]
    assert document["course"][0]["group"] == "left pleural effusion"


def test_a_folder_is_read_in_time_order(tmp_path: Path) -> None:
    (tmp_path / "late.txt").write_text("Exam date: 5 March 2024\nFINDINGS: Left effusion.")
    (tmp_path / "cxr_20240102.txt").write_text("No pleural effusion.")
    (tmp_path / "more.csv").write_text('study_id,date,report\nx1,2024-02-01,"Left effusion, small."\n')
    found = timeline.read_folder(tmp_path)
    assert [(r.study_id, r.date) for r in found] == [
        ("cxr_20240102", "2024-01-02"), ("x1", "2024-02-01"), ("late", "2024-03-05"),
    ]  # fmt: skip
    assert timeline.read_folder(tmp_path / "more.csv")[0].text == "Left effusion, small."


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.txt", "FINDINGS: Nothing.", "has no date"),
        ("a.txt", "Date: 03/04/2024\nNothing.", "two ways"),
        ("a.csv", "when,words\n", "has no column"),
        ("a.jpg", "", "holds no report"),
    ],
)
def test_folders_that_cannot_be_read(tmp_path: Path, name: str, text: str, problem: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=problem):
        timeline.read_folder(tmp_path)


def test_a_day_that_only_reads_one_way_and_ids_that_come_twice(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Date: 03/25/2024\nNothing.")
    assert timeline.read_folder(tmp_path)[0].date == "2024-03-25"
    with pytest.raises(InputError, match="does not exist"):
        timeline.read_folder(tmp_path / "none")
    with pytest.raises(InputError, match="twice"):
        timeline.patient_timeline([REPORTS[0], REPORTS[0]])
    with pytest.raises(InputError, match="has the date"):
        timeline.patient_timeline([DatedReport("a", "yesterday", "")])
