"""`groundglass node` as a process of its own, and dcmtk's storescu to feed it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

STORESCU = shutil.which("storescu")


class RunningNode:
    """Starts, kills and starts again a node with the same options."""

    def __init__(self, folder: Path, port: int, *options: str, settle: float = 1.0) -> None:
        self.folder, self.port = folder, port
        self.log = folder.with_suffix(".log")
        self._command = [
            *(sys.executable, "-m", "groundglass", "node", "--data", str(folder), "--port", str(port)),
            *("--settle", str(settle), *options),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> RunningNode:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)

    def start(self) -> None:
        """Start, and return when it listens."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"}
            )

        def is_up() -> bool:
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(self.log.read_text())
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        until(is_up, seconds=60, step=0.05)

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(30)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What the node's ledger holds."""
        with closing(sqlite3.connect(self.folder / "node.sqlite", timeout=10)) as db:
            return db.execute(statement).fetchall()

    def jobs(self) -> dict[str, str]:
        """The state of each study's last job."""
        return dict(self.rows("SELECT study, state FROM job WHERE state <> 'superseded' ORDER BY made"))


def storescu(port: int, files: Sequence[Path], *, aet: str = "GROUNDGLASS", calling: str = "STORESCU") -> bool:
    """Send by dcmtk as it comes; True when every instance was taken."""
    command = [str(STORESCU), "-aet", calling, "-aec", aet, "127.0.0.1", str(port)]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, timeout=120)
    return done.returncode == 0


def until(holds: Callable[[], Any], *, seconds: float, step: float = 0.1) -> Any:
    """What `holds` gives as soon as it is true. Raises AssertionError after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(step)
    raise AssertionError(f"not within {seconds} s")
