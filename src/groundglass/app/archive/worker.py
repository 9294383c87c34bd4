"""One long-lived process that reads studies: its models stay loaded, and it dies with its runner."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection

from groundglass.app.archive.commit import Task, carry_out, set_aside
from groundglass.app.archive.study import Fault, Outcome, StudyRef, Work
from groundglass.app.archive.tasks import task_of
from groundglass.app.child_process import die_with_parent, peak_bytes
from groundglass.core.errors import GroundglassError

READY = "ready"
_PR_SET_PDEATHSIG = 1


def serve(connection: Connection, work: Work) -> None:
    """Answer every study that comes through `connection` with its outcome, until it is closed."""
    die_with_parent()
    _even_if_stuck()
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


def _even_if_stuck() -> None:
    """On Linux the kernel ends this process with its runner, also while compiled code lets no thread of ours run."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
