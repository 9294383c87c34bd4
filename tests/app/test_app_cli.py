"""The command line as a user meets it: start-up, errors, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

PROGRAM = [sys.executable, "-m", "groundglass"]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120)


def test_help_imports_neither_numpy_nor_torch() -> None:
    code = (
        "import sys, groundglass.app.cli; print(sorted({'numpy', 'torch', 'monai', 'rich.console'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert "read" in run("--help").stdout


def test_no_such_file_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    done = run("read", tmp_path / "absent.nii", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "absent.nii" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_unknown_term_names_near_ones(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    Picture.fromarray(np.arange(4096, dtype=np.uint8).reshape(64, 64)).save(picture)
    done = run("read", picture, "--only", "lungg", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert "Did you mean lung" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["liver", "=liver.nii", "liver="])
def test_malformed_mask_option(tmp_path: Path, option: str) -> None:
    picture = tmp_path / "picture.png"
    Picture.fromarray(np.arange(4096, dtype=np.uint8).reshape(64, 64)).save(picture)
    done = run("read", picture, "--mask", option, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert "TERM=FILE" in done.stderr


def test_systems_lists_all_94_as_json() -> None:
    rows = json.loads(run("systems", "--json").stdout)
    assert [row["number"] for row in rows] == list(range(1, 95))
    assert all(row["name"] and row["kind"] for row in rows)


def test_a_planned_system_cannot_be_proved() -> None:
    rows = json.loads(run("systems", "--json").stdout)
    planned = next(row for row in rows if row["state"] == "planned")
    done = run("prove", planned["number"])
    assert done.returncode == 2
    assert "is planned, not built" in done.stderr


def test_terms_finds_a_synonym_and_refuses_nonsense() -> None:
    rows = json.loads(run("terms", "lung", "--json").stdout)
    assert {"name": "lung", "kind": "anatomy", "code": "39607008", "scheme": "SCT"} in rows
    assert run("terms", "zzzz").returncode == 2
