"""A spawned process that reads studies one by one: a model that crashes or hangs costs the study, not the node."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from groundglass.app.child_process import die_with_parent, end_at_once
from groundglass.core import GroundglassError, InputError


class ReaderLost(Exception):  # noqa: N818 - internal: a state of the world; the job is tried again
    """The process died, or took too long; the message says which."""


@dataclass(frozen=True, slots=True)
class ReadingTask:
    """The files of a study, the folder for its results, options of `app.read.read`, and what its UIDs are made of."""

    files: tuple[Path, ...]
    folder: Path
    identity: str
    options: dict[str, Any] = field(default_factory=dict)


class Reader:
    """Reads in a process that is started when it is first needed and kept, with its models loaded."""

    def __init__(self) -> None:
        self._process: Any = None
        self._pipe: Connection | None = None

    def read(self, task: ReadingTask, *, seconds: float) -> None:
        """Return when the folder is there. Raises the typed errors of reading, and ReaderLost."""
        if self._process is None or not self._process.is_alive():
            self._start()
        assert self._pipe is not None
        try:
            self._pipe.send(task)
            if not self._pipe.poll(seconds):
                raise ReaderLost(f"took more than {seconds:g} s")
            error = self._pipe.recv()
        except (EOFError, OSError) as gone:
            self.close()
            raise ReaderLost("ended in the middle") from gone
        except BaseException:
            self.close()
            raise
        if error is not None:
            raise error

    def close(self) -> None:
        """End the process at once."""
        if self._process is not None:
            end_at_once(self._process)
        self._process = None

    def _start(self) -> None:
        # A fork of a process with threads may deadlock.
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,))
        self._process.start()
        theirs.close()


def _serve(pipe: Connection) -> None:
    # Ctrl-C is for the node, which ends this process by itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    # What a library prints is no part of the node's log, and may name the patient.
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(_read(task))


def _read(task: ReadingTask) -> GroundglassError | None:
    """Read into a hidden folder, which becomes the task's by one rename when it is worth sending."""
    from groundglass.app.read import read

    unfinished = task.folder.with_name(f".{task.folder.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        outcome = read(task.files, unfinished, identity=task.identity, **task.options)
        if outcome.is_degraded:
            return InputError("study", "has no image with usable pixels", "Export it again.")
        unfinished.rename(task.folder)
        return None
    except GroundglassError as error:
        return error
    except Exception as error:
        return InputError("study", f"could not be read ({type(error).__name__}: {error})", "Report it.")
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def results(folder: Path) -> list[Path]:
    """What is sent of a reading: SEGs, then the SRs that refer to them."""
    return [*sorted(folder.glob("*.seg.dcm")), *sorted(folder.glob("*.sr.dcm"))]


def is_read(folder: Path) -> bool:
    """True when the results are there; the folder appears as a whole."""
    return (folder / "run.json").is_file()
