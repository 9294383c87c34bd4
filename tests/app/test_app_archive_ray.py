"""The archive over a real Ray, started on this machine: the same rows as the pool of processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel
import numpy as np
import pytest
from archive_corpus import commits, descendants, rows, write_archive

from groundglass.app.archive.run import Settings, run

pytest.importorskip("ray", reason="needs Ray: pip install 'groundglass[ray]'")


def test_ray_gives_the_rows_of_the_pool(tmp_path: Path) -> None:
    """One study takes too long, and one actor is killed from outside."""
    write_archive(tmp_path / "in", 40, broken=7)
    volume = np.arange(448**3, dtype=np.uint8).reshape(448, 448, 448)
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / "in" / "large.nii")
    arguments = ["archive", tmp_path / "in", tmp_path / "ray", "--task", "check", "--workers", "2", "--timeout", "1.5"]
    process = subprocess.Popen(
        [sys.executable, "-m", "groundglass", *map(str, arguments), "--engine", "ray", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while process.poll() is None and len(commits(tmp_path / "ray")) < 5:
        time.sleep(0.02)
    victims = [
        pid for pid in descendants(process.pid) if Path(f"/proc/{pid}/cmdline").read_text().startswith("ray::Actor")
    ]
    os.kill(victims[0], signal.SIGKILL)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 1, errors
    figures = json.loads(out)
    assert figures["engine"] == "ray"
    assert figures["studies"] == {"pending": 0, "done": 40, "failed": 8}
    run(str(tmp_path / "in"), tmp_path / "pool", Settings(task="check", workers=2, timeout=1.5))
    assert rows(tmp_path / "ray") == rows(tmp_path / "pool")
    assert [row["error"] for row in rows(tmp_path / "ray")].count("StudyTimeoutError") == 1
