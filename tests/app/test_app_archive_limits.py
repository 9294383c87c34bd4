"""Limits of a study: its time, its memory, and how many workers may die of it; and what is read ahead."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import pytest
from archive_corpus import rows, write_png

from groundglass.app.archive.ahead import ReadAhead
from groundglass.app.archive.pool import Pool
from groundglass.app.archive.run import Settings, run
from groundglass.app.archive.study import StudyRef


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six small studies, and one whose check takes seconds and some 600 MB."""
    folder = tmp_path_factory.mktemp("archive")
    for number in range(6):
        write_png(folder, number)
    nibabel.save(
        nibabel.Nifti1Image(np.arange(384**3, dtype=np.uint8).reshape(384, 384, 384), np.eye(4)),
        folder / "00000-large.nii",
    )
    return folder


def test_a_study_that_takes_too_long_costs_only_its_worker(archive: Path, tmp_path: Path) -> None:
    started = time.monotonic()
    summary = run(str(archive), tmp_path / "out", Settings(task="check", workers=1, timeout=0.5))
    ((source, fault),) = summary.quarantine
    assert (source, fault.type) == ("00000-large.nii", "StudyTimeoutError")
    assert "0.5 s" in fault.problem
    assert summary.figures["studies"] == {"pending": 0, "done": 6, "failed": 1}
    assert time.monotonic() - started < 60
    assert not list((tmp_path / "out" / "studies").glob("*large*"))


def test_a_study_that_needs_too_much_memory_costs_only_its_worker(archive: Path, tmp_path: Path) -> None:
    summary = run(str(archive), tmp_path / "out", Settings(task="check", workers=1, memory=350 << 20))
    ((source, fault),) = summary.quarantine
    assert (source, fault.type) == ("00000-large.nii", "StudyMemoryError")
    assert summary.figures["studies"]["done"] == 6


def test_a_study_that_workers_die_of_is_set_aside(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is at the large study is killed from outside, as often as it is tried."""
    pools: list[Pool] = []
    start = Pool.__enter__
    monkeypatch.setattr(Pool, "__enter__", lambda self: pools.append(self) or start(self))
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.02):
            for hand in pools[0].hands if pools else ():
                if hand.study is not None and "large" in hand.study.source:
                    hand._process.kill()  # type: ignore[attr-defined]

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        summary = run(str(archive), tmp_path / "out", Settings(task="check", workers=1))
    finally:
        over.set()
        killer.join()
    ((source, fault),) = summary.quarantine
    assert (source, fault.type) == ("00000-large.nii", "WorkerDiedError")
    assert "3 workers" in fault.problem and "SIGKILL" in fault.problem
    assert summary.figures["studies"]["done"] == 6
    assert [row["state"] for row in rows(tmp_path / "out")].count("failed") == 1


def test_studies_are_prepared_before_their_turn_and_no_further() -> None:
    begun: list[str] = []
    go = threading.Event()

    def prepare(study: StudyRef) -> StudyRef:
        begun.append(study.key)
        go.wait(10)
        return study

    def studies() -> Iterator[StudyRef]:
        for number in range(10):
            yield StudyRef(str(number), "", "image", "")

    with ReadAhead(studies(), 3, prepare) as ahead:
        assert not ahead.is_empty and ahead.take() is None
        deadline = time.monotonic() + 10
        while len(begun) < 3 and time.monotonic() < deadline:
            time.sleep(0.001)
        assert sorted(begun) == ["0", "1", "2"]
        go.set()
        taken: list[str] = []
        while not ahead.is_empty:
            if (ready := ahead.take()) is not None:
                taken.append(ready[0].key)
                assert len(begun) <= len(taken) + 3
        assert sorted(taken) == [str(number) for number in range(10)]
