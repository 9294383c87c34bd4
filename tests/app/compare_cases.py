"""Small real files for the `compare` tests, and the command itself."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from typer.testing import CliRunner, Result

from groundglass.app.cli import app
from groundglass.core.errors import GroundglassError

SPACING = (1.0, 1.0, 2.5)


def compare(*arguments: object) -> Result:
    """The command in this process, and by default in no other. A typed error is the exception of the result."""
    alone = [] if "--processes" in arguments else ["--processes", "1"]
    return CliRunner().invoke(app, ["compare", *map(str, arguments), *alone])


def document(*arguments: object, code: int = 0) -> dict[str, Any]:
    """What `--json` prints; asserts the exit code."""
    done = compare(*arguments, "--json")
    assert done.exit_code == code, (done.stderr, done.exception)
    return json.loads(done.stdout)


def problem(*arguments: object) -> str:
    """The typed error that the command ends with."""
    done = compare(*arguments)
    assert isinstance(done.exception, GroundglassError), (done.exit_code, done.stdout, done.exception)
    return str(done.exception)


def program(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command as a program of its own."""
    command = [sys.executable, "-m", "groundglass", "compare", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def summary(result: dict[str, Any], metric: str, label: str | None = None, method: str | None = None) -> dict[str, Any]:
    """The one aggregate of this metric, label and method, whether a mean or a figure."""
    found = [
        row
        for row in (*result["summaries"], *result["figures"])
        if row["metric"] == metric and label in (None, row["label"]) and method in (None, row["method"])
    ]
    assert len(found) == 1, found
    return found[0]


def values(result: dict[str, Any], metric: str, label: str) -> dict[str, float | None]:
    """Case -> value."""
    return {row["case"]: row["value"] for row in result["rows"] if (row["metric"], row["label"]) == (metric, label)}


def save_mask(path: Path, array: np.ndarray, spacing: Sequence[float] = SPACING) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array.astype(np.uint8), np.diag([*spacing, 1.0])), path)
    return path


def box_mask(start: int, stop: int, label: int = 1, shape: tuple[int, ...] = (12, 12, 8)) -> np.ndarray:
    """A cuboid along the first axis, 4 x 4 across."""
    array = np.zeros(shape, dtype=np.uint8)
    array[start:stop, 3:7, 2:6] = label
    return array


def save_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path
