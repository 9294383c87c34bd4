"""The commands structure, timeline and graph on files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from groundglass.app.text_commands import graph, structure, timeline
from groundglass.core import InputError
from groundglass.synthesis.thorax import random_radiograph

REPORT = "Date: 2024-01-01\nFINDINGS: Small left pleural effusion. No pneumothorax."
LATER = "Date: 2024-01-09\nFINDINGS: The left pleural effusion has increased."


@pytest.fixture
def patient(tmp_path: Path) -> Path:
    (tmp_path / "one.txt").write_text(REPORT)
    (tmp_path / "two.txt").write_text(LATER)
    return tmp_path


def run(*words: str) -> str:
    app = typer.Typer()
    for command in (structure, timeline, graph):
        app.command()(command)
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_structure(patient: Path) -> None:
    file = str(patient / "one.txt")
    assert "effusion: present" in run("structure", file)
    assert json.loads(run("structure", file, "--json"))["items"]["effusion side"]["value"] == "left"
    assert json.loads(run("structure", file, "--fhir"))["resourceType"] == "QuestionnaireResponse"
    out = patient / "form.json"
    assert run("structure", file, "-o", str(out)) == ""
    assert json.loads(out.read_text())["template"] == "chest-xray"


def test_timeline(patient: Path) -> None:
    said = run("timeline", str(patient))
    assert "2024-01-09 persisting" in said
    assert run("timeline", str(patient), "--csv").startswith("study_id,")
    assert len(json.loads(run("timeline", str(patient), "--json"))["studies"]) == 2


def test_graph(patient: Path) -> None:
    made = json.loads(run("graph", str(patient / "two.txt"), "--prior", str(patient / "one.txt"), "--stated"))
    assert made["relationships"][0]["predicate"] == "worsened"
    places = {row["bbox_name"] for row in json.loads(run("graph", str(patient / "one.txt")))["attributes"]}
    assert {"left costophrenic angle", "left lung", "lungs", "right apical zone"} <= places
    assert run("graph", str(patient / "one.txt"), "--rdf").endswith(" .\n")


def test_graph_with_boxes(patient: Path) -> None:
    film = random_radiograph(np.random.default_rng([76, 3]), size=256, findings=(), view="PA").image
    Image.fromarray((film * 255).astype(np.uint8)).save(patient / "film.png")
    made = json.loads(run("graph", str(patient / "one.txt"), "--radiograph", str(patient / "film.png"), "--stated"))
    boxed = {row["bbox_name"]: row for row in made["objects"] if "original_x1" in row}
    assert len(boxed) > 25
    angle, lung = boxed["left costophrenic angle"], boxed["left lung"]
    assert lung["original_x1"] <= angle["original_x1"] and angle["original_y2"] <= lung["original_y2"] + 1
    assert made["attributes"][0]["bbox_name"] in {row["bbox_name"] for row in made["objects"]}


def test_a_missing_file_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        run("structure", str(tmp_path / "none.txt"))


def test_structure_by_a_model_in_a_folder(patient: Path) -> None:
    """An untrained model answers nonsense; every answer still passes through the form's own rules."""
    from groundglass.report.generation.form_answers import tiny_answer_model

    tiny_answer_model(width=16, layers=1).save(patient / "model")
    form = json.loads(run("structure", str(patient / "one.txt"), "--model", str(patient / "model"), "--json"))
    assert {item["status"] for item in form["items"].values()} <= {"filled", "not reported", "conflict", "invalid"}


def test_structure_finds_the_language(patient: Path) -> None:
    (patient / "it.txt").write_text("Milza di 14 cm. Non versamento pleurico.", encoding="utf-8")
    said = run("structure", str(patient / "it.txt"), "--template", "lymphoma-ct", "--lang", "auto", "--json")
    assert "14" in said
