"""`groundglass archive` under kill -9: nothing is lost, nothing is done twice, nobody is left behind."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from archive_corpus import commits, descendants, rows, write_archive

PROGRAM = [sys.executable, "-m", "groundglass", "archive"]


def archived(*arguments: object) -> dict[str, Any]:
    done = subprocess.run([*PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 1, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


@pytest.mark.parametrize(("kills", "studies"), [(4, 600), pytest.param(20, 2000, marks=pytest.mark.slow)])
def test_kills_lose_and_repeat_nothing(tmp_path: Path, kills: int, studies: int) -> None:
    """Runner and workers are killed in turn at random moments; every study has exactly one result in the end."""
    broken = studies // 40
    write_archive(tmp_path / "in", studies, broken=broken, size=48)
    out, draw = tmp_path / "out", random.Random(7)
    arguments = [*PROGRAM, str(tmp_path / "in"), str(out), "--task", "check", "--workers", "2", "--json"]
    known: dict[str, tuple[int, int]] = {}
    landed = {"runner": 0, "worker": 0}
    while sum(landed.values()) < kills:
        process = subprocess.Popen([*arguments, "--resume"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        before = len(commits(out)) if out.exists() else 0
        victim = "worker" if landed["runner"] > landed["worker"] else "runner"
        while process.poll() is None and (not out.exists() or len(commits(out)) < before + draw.randint(1, 20)):
            time.sleep(0.02)
        time.sleep(draw.random() * 0.05)
        if process.poll() is None and victim == "worker":
            victims = workers_of(process.pid)
            if victims:
                os.kill(draw.choice(victims), signal.SIGKILL)
                landed["worker"] += 1
                time.sleep(0.3)
        if process.poll() is None:
            process.kill()
            landed["runner"] += 1
        process.communicate()
        now = commits(out)
        # What was done is still there, and is still the same.
        assert known.items() <= now.items()
        known = now
        assert len(now) < studies, "the archive was done before the kills were: make it larger"
    figures = archived(*arguments[4:], "--resume")
    assert figures["studies"] == {"pending": 0, "done": studies, "failed": broken}
    assert known.items() <= commits(out).items()
    assert len(commits(out)) == studies
    fresh = archived(tmp_path / "in", tmp_path / "fresh", *arguments[6:])
    assert fresh["attempts"] == studies + broken
    assert rows(out) == rows(tmp_path / "fresh")


def workers_of(runner: int) -> list[int]:
    """The spawned workers of a runner."""
    lines = {pid: Path(f"/proc/{pid}/cmdline") for pid in descendants(runner)}
    return [pid for pid, line in lines.items() if line.exists() and "spawn_main" in line.read_text()]


def test_workers_die_with_their_runner(tmp_path: Path) -> None:
    write_archive(tmp_path / "in", 60, size=64)
    arguments = [*PROGRAM, str(tmp_path / "in"), str(tmp_path / "out"), "--task", "check", "--workers", "2"]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (workers := workers_of(process.pid)) or not (tmp_path / "out" / "studies").exists():
        time.sleep(0.05)
        assert process.poll() is None
    process.kill()
    process.wait()
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{worker}").exists() for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    at_the_end = commits(tmp_path / "out")
    time.sleep(0.3)
    assert commits(tmp_path / "out") == at_the_end


def test_an_interrupt_leaves_what_is_done(tmp_path: Path) -> None:
    """Ctrl-C ends at once with its own exit code, and a resumed run finishes."""
    studies = 400
    write_archive(tmp_path / "in", studies, size=48)
    arguments = [*PROGRAM, str(tmp_path / "in"), str(tmp_path / "out"), "--task", "check", "--workers", "1"]
    # A test run in the background of a script has Ctrl-C ignored, and hands that on.
    process = subprocess.Popen(
        arguments,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not commits(tmp_path / "out"):
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130 and "Traceback" not in errors
    done = subprocess.run([*arguments, "--resume", "--json"], capture_output=True, text=True, check=True, timeout=120)
    figures = json.loads(done.stdout)
    assert figures["studies"]["done"] == studies and figures["done_before"] >= 1
