"""One long-lived process that reads studies: its models stay loaded, and it dies with its runner."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection

from groundglass.app.archive.commit import Task, carry_out, set_aside
from groundglass.app.archive.study import Fault, Outcome, StudyRef, Work
from groundglass.app.archive.tasks import task_of
from groundglass.core.errors import GroundglassError

READY = "ready"
_PR_SET_PDEATHSIG = 1


def serve(connection: Connection, work: Work) -> None:
    """Answer every study that comes through `connection` with its outcome, until it is closed."""
    _die_with_parent()
    # What a library prints must not mix with the runner's own output.
    os.dup2(2, 1)
    task = task_of(work.task).load()
    connection.send(READY)
    while True:
        try:
            study = connection.recv()
        except (EOFError, OSError):
            return
        outcome = perform(task, study, work)
        try:
            connection.send(outcome)
        except OSError:
            return


def perform(task: Task, study: StudyRef, work: Work) -> Outcome:
    """The outcome of one study; its folder or its reasons are on disk when this returns."""
    started = time.perf_counter()
    row, fault = {}, None
    try:
        row = carry_out(task, study, work)
    except GroundglassError as error:
        fault = Fault.of(error, root=work.root)
        set_aside(study, work, fault)
    seconds = round(time.perf_counter() - started, 4)
    state = "failed" if fault else "done"
    return Outcome(study.key, state, row, fault, seconds, peak_bytes(), f"{os.getpid()}")  # type: ignore[arg-type]


def peak_bytes() -> int:
    """The most memory that this process held at any time."""
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _die_with_parent() -> None:
    """Leave no orphan that would go on to write: not even one that is stuck in compiled code (on Linux)."""
    # Its own group: whoever kills it kills the processes that it started (decoders, engines), too.
    os.setpgid(0, 0)
    parent = multiprocessing.parent_process()
    assert parent is not None
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        parent.join()
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
