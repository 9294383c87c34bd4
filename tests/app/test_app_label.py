"""`groundglass label` on real files: every input and output, bad reports among good ones, a bounded queue."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from groundglass.app.label.run import chosen_sets
from groundglass.app.label.sources import sources
from groundglass.core import ConfigurationError, InputError
from groundglass.text import label

EFFUSION = "FINDINGS: Small left pleural effusion. No pneumothorax."
NORMAL = "The heart is normal in size. The lungs are clear."
DOUBTFUL = "Possible pneumonia in the right lower lobe."


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "groundglass", "label", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def table(text: str) -> dict[str, dict[str, str]]:
    return {row["report"]: row for row in csv.DictReader(io.StringIO(text))}


def test_a_folder_of_texts_with_one_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(EFFUSION)
    (tmp_path / "b.txt").write_text(DOUBTFUL)
    (tmp_path / "c.txt").write_bytes(bytes(range(32)) * 20)
    done = run(tmp_path)
    assert done.returncode == 1
    rows = table(done.stdout)
    assert set(rows) == {"a.txt", "b.txt"}
    assert (rows["a.txt"]["Pleural Effusion"], rows["a.txt"]["Pneumothorax"]) == ("1", "0")
    assert (rows["b.txt"]["Pneumonia"], rows["b.txt"]["Pleural Effusion"]) == ("-1", "")
    assert "c.txt is not text" in done.stderr.replace(":", "")
    assert "2 reports labelled, 1 left out" in done.stderr


def test_rows_of_a_table_agree_with_the_function_over_processes(tmp_path: Path) -> None:
    texts = [EFFUSION, NORMAL, DOUBTFUL] * 250
    with (tmp_path / "reports.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["study_id", "Report"])
        rows.writerows([f"s{n}", text] for n, text in enumerate(texts))
    out = tmp_path / "labels.csv"
    assert run(tmp_path / "reports.csv", "--uncertain", "ones", "--processes", 2, "-o", out).returncode == 0
    found = table(out.read_text())
    assert list(found) == [f"s{n}" for n in range(len(texts))]
    for n in (0, 1, 2, 449, 749):
        wanted = label(texts[n], "chexpert14", uncertain="ones")
        assert {
            name: float(value) if value else None for name, value in found[f"s{n}"].items() if name != "report"
        } == {name: answer.number for name, answer in wanted.items()}


def test_json_lines_carry_the_words_that_decided(tmp_path: Path) -> None:
    lines = [json.dumps({"id": "x", "text": EFFUSION}), "not json", json.dumps({"id": "y", "text": None})]
    (tmp_path / "reports.jsonl").write_text("\n".join(lines))
    out = tmp_path / "labels.jsonl"
    done = run(tmp_path / "reports.jsonl", "--set", "chexpert14,nih14", "-o", out)
    assert done.returncode == 1
    assert done.stderr.count("left out: reports.jsonl:") == 2
    (row,) = [json.loads(line) for line in out.read_text().splitlines()]
    assert row["report"] == "x"
    assert row["labels"]["nih14: Effusion"] == row["labels"]["chexpert14: Pleural Effusion"] == 1
    (words,) = row["evidence"]["nih14: Effusion"]
    assert EFFUSION[slice(*words["span"])] == words["words"]
    assert "effusion" in words["words"]


def test_parquet_holds_the_same_values(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs the extra `tables`")
    import pyarrow.parquet

    (tmp_path / "a.txt").write_text(EFFUSION)
    assert run(tmp_path / "a.txt", "-o", tmp_path / "labels.parquet").returncode == 0
    (row,) = pyarrow.parquet.read_table(tmp_path / "labels.parquet").to_pylist()
    assert row["Pleural Effusion"] == 1
    assert row["Pneumonia"] is None


def test_wrong_options_and_inputs_end_with_a_message_and_write_nothing(tmp_path: Path) -> None:
    (tmp_path / "reports.csv").write_text("name,words\nx,effusion\n")
    for arguments, said in (
        ((tmp_path / "reports.csv",), "has no column"),
        ((tmp_path / "missing.txt",), "does not exist"),
        ((tmp_path / "reports.csv", "--set", "nih99"), "is not a label set"),
        ((tmp_path / "reports.csv", "--uncertain", "maybe"), "is not a policy"),
        ((tmp_path / "reports.csv", "--column", "words", "-o", tmp_path / "labels.xlsx"), "suffix"),
    ):
        done = run(*arguments)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reports.csv"]


def test_sources_are_read_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text('{"text": "a"}\n' + "broken\n" * 3)
    stream = sources([path])
    assert next(stream).text == "a"
    assert [source.problem[:10] for source in stream] == ["is no JSON"] * 3
    with pytest.raises(InputError, match="holds no report"):
        list(sources([_empty(tmp_path)]))


def _empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def test_all_means_every_set_that_ships() -> None:
    assert {"chexpert14", "nih14"} <= set(chosen_sets("all"))
    with pytest.raises(ConfigurationError, match="is not a label set"):
        chosen_sets("chexpert14,unknown")


def test_languages_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "it.txt").write_text("Non versamento pleurico. Cuore ingrandito.", encoding="utf-8")
    (tmp_path / "ja.txt").write_bytes("両側胸水を認めるが、気胸は認めない。".encode("cp932"))
    (tmp_path / "zh.txt").write_bytes("右肺上叶见结节影，双侧胸腔未见积液。".encode("gb18030"))
    rows = table(run(tmp_path, "--set", "ctrate18", "--lang", "auto").stdout)
    assert (rows["it.txt"]["Pleural effusion"], rows["it.txt"]["Cardiomegaly"]) == ("0", "1")
    assert rows["ja.txt"]["Pleural effusion"] == "1"
    assert (rows["zh.txt"]["Lung nodule"], rows["zh.txt"]["Pleural effusion"]) == ("1", "0")
