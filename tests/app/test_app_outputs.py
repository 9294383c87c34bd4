"""Output folders are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundglass.app.outputs import staged_folder
from groundglass.core import InputError


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stop"), staged_folder(tmp_path / "out") as staging:
        (staging / "report.txt").write_text("half")
        raise ValueError("stop")
    assert list(tmp_path.iterdir()) == []


def test_files_replace_those_of_an_earlier_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for text in ("first", "second"):
        with staged_folder(out) as staging:
            (staging / "masks").mkdir()
            (staging / "masks" / "lung.nii.gz").write_text(text)
    assert (out / "masks" / "lung.nii.gz").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_error_keeps_the_earlier_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with staged_folder(out) as staging:
        (staging / "report.txt").write_text("first")
    with pytest.raises(InputError, match="No space left on device"), staged_folder(out) as staging:
        (staging / "report.txt").write_text("second")
        raise OSError(28, "No space left on device")
    assert (out / "report.txt").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="not a folder"), staged_folder(tmp_path / "out"):
        pass
    assert (tmp_path / "out").read_text() == "mine"
