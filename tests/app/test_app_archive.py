"""`groundglass archive`: every study once, whatever is killed, whatever is broken, whoever does the work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from archive_corpus import commits, rows, write_archive, write_dicom_study, write_nifti, write_png

from groundglass.app.archive.run import Settings, run

PROGRAM = [sys.executable, "-m", "groundglass", "archive"]


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    done = [*PROGRAM, *map(str, arguments), "--json"]
    return subprocess.run(done, capture_output=True, text=True, check=False, timeout=300)


def archived(*arguments: object, status: int = 0) -> dict[str, Any]:
    done = command(*arguments)
    assert done.returncode == status, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def test_a_row_for_every_study_and_a_reason_for_every_broken_one(tmp_path: Path) -> None:
    write_archive(tmp_path / "in", 24, broken=14)
    (tmp_path / "in" / "notes.txt").write_text("not an image")
    figures = archived(tmp_path / "in", tmp_path / "out", "--task", "check", "--workers", 2, status=1)
    assert figures["studies"] == {"pending": 0, "done": 24, "failed": 14}
    table = rows(tmp_path / "out")
    assert len(table) == 38
    assert [row["source"] for row in table] == sorted(row["source"] for row in table)
    broken = [row for row in table if row["source"].startswith("broken/")]
    assert {row["state"] for row in broken} == {"failed"}
    assert {row["error"] for row in broken} >= {"TruncatedError", "UnsupportedError", "UnsafeInputError", "InputError"}
    assert all(row["problem"] and row["remedy"] for row in broken)
    assert sorted(fault["source"] for fault in figures["quarantine"]) == sorted(row["source"] for row in broken)
    whole = [row for row in table if row["state"] == "done"]
    assert {row["kind"] for row in whole} == {"dicom", "image", "zip"}
    for row in whole:
        assert row["usable"] == 1 and len(row["images"]) == 1
        kept = json.loads((tmp_path / "out" / "studies" / row["folder"] / "result.json").read_text())
        assert kept["study"] == row["study"] and kept["row"]["images"][0]["sha256"] == row["images"][0]["sha256"]
    ct = next(row for row in whole if row["kind"] == "dicom")
    assert ct["study_files"] == 2 and ct["images"][0]["shape"] == [2, 24, 24]
    assert not list((tmp_path / "out" / ".unfinished").iterdir())
    assert not list(tmp_path.glob("outside*"))
    assert 20 << 20 < figures["peak_worker_bytes"] < 1 << 30


def test_a_second_run_needs_resume_and_does_nothing(tmp_path: Path) -> None:
    write_archive(tmp_path / "in", 6, broken=2)
    first = run(str(tmp_path / "in"), tmp_path / "out", Settings(task="info", workers=1)).figures
    assert first["done_now"] == 8
    before, table = commits(tmp_path / "out"), (tmp_path / "out" / "results.parquet").read_bytes()
    refused = command(tmp_path / "in", tmp_path / "out", "--task", "info")
    assert refused.returncode == 2 and "--resume" in refused.stderr
    again = run(str(tmp_path / "in"), tmp_path / "out", Settings(task="info", workers=1, resume=True)).figures
    assert (again["done_before"], again["done_now"], again["attempts"]) == (8, 0, first["attempts"])
    assert commits(tmp_path / "out") == before
    assert (tmp_path / "out" / "results.parquet").read_bytes() == table


def test_resume_takes_new_studies_and_retry_takes_changed_and_mended_ones(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    write_archive(source, 4, broken=2)
    assert run(str(source), out, Settings(task="info", workers=1)).figures["studies"]["done"] == 4
    before = commits(out)
    write_png(source / "new", 900)
    write_dicom_study(source / "again", 0)  # more files of a study that is done
    resumed = run(str(source), out, Settings(task="info", workers=1, resume=True)).figures
    assert (resumed["done_now"], resumed["changed_since"]) == (1, 1)
    assert before.items() <= commits(out).items()
    retried = run(str(source), out, Settings(task="info", workers=1, resume=True, retry=True)).figures
    # The changed one and the two broken ones.
    assert (retried["done_now"], retried["changed_since"]) == (3, 0)
    assert sum(commits(out)[name] != state for name, state in before.items()) == 1


def test_another_pipeline_is_another_result(tmp_path: Path) -> None:
    write_archive(tmp_path / "in", 3)
    run(str(tmp_path / "in"), tmp_path / "out", Settings(task="info", workers=1))
    figures = run(str(tmp_path / "in"), tmp_path / "out", Settings(task="check", workers=1, resume=True)).figures
    assert figures["done_now"] == 3
    assert len(commits(tmp_path / "out")) == 6
    assert "usable" in rows(tmp_path / "out")[0]


def test_two_runs_may_not_write_one_archive(tmp_path: Path) -> None:
    from groundglass.app.archive.manifest import Manifest

    write_archive(tmp_path / "in", 1)
    with Manifest(tmp_path / "out", "x"):
        refused = command(tmp_path / "in", tmp_path / "out", "--task", "info")
    assert refused.returncode == 2 and "another run" in refused.stderr


def test_reports_are_labelled(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("FINDINGS: There is a large right pleural effusion. No pneumothorax.")
    (tmp_path / "in" / "b.txt").write_text("FINDINGS: Possible left lower lobe pneumonia.")
    (tmp_path / "in" / "c.png").write_bytes(b"no text")
    run(str(tmp_path / "in"), tmp_path / "out", Settings(task="label", workers=1))
    first, second = rows(tmp_path / "out")
    assert (first["Pleural Effusion"], first["Pneumothorax"], first["Cardiomegaly"]) == (1, 0, None)
    assert second["Pneumonia"] == -1


def test_a_csv_names_studies(tmp_path: Path) -> None:
    for number in range(3):
        write_nifti(tmp_path, number)
    table = tmp_path / "list.csv"
    table.write_text("study,path\nA,00000.nii.gz\nA,00001.nii.gz\nB,00002.nii.gz\nC,absent.nii\n")
    run(str(table), tmp_path / "out", Settings(task="info", workers=1))
    found = {row["study"]: row for row in rows(tmp_path / "out")}
    assert [len(found[key]["images"] or ()) for key in "ABC"] == [2, 1, 0]
    assert (found["C"]["state"], found["C"]["error"]) == ("failed", "InputError")


def test_images_of_a_folder_are_one_study_where_asked(tmp_path: Path) -> None:
    for number in range(2):
        write_nifti(tmp_path / "in" / "subject", number)
    write_png(tmp_path / "in" / "other", 5)
    run(str(tmp_path / "in"), tmp_path / "out", Settings(task="info", workers=1, group="folder"))
    assert [(row["source"], len(row["images"])) for row in rows(tmp_path / "out")] == [("other", 1), ("subject", 2)]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--task", "dream"], "read, info, check, label"),
        (["--engine", "dask"], "pool or ray"),
        (["--group", "patient"], "file or folder"),
        (["--task", "info", "--only", "heart"], "means nothing to the task info"),
    ],
)
def test_wrong_usage_names_the_remedy(tmp_path: Path, arguments: list[str], word: str) -> None:
    write_png(tmp_path / "in", 0)
    done = command(tmp_path / "in", tmp_path / "out", *arguments)
    assert done.returncode == 2 and word in done.stderr
