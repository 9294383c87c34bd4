"""Workers as processes of this machine, spawned once and kept."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import cast

from groundglass.app.archive.engine import Engine, Hand, Lost, threads_of
from groundglass.app.archive.study import Outcome, StudyRef, Work
from groundglass.app.archive.worker import READY, serve
from groundglass.app.child_process import end_at_once, resident_bytes


class Process(Hand):
    """A spawned process at the other end of a pipe."""

    def __init__(self, work: Work, environment: dict[str, str]) -> None:
        super().__init__()
        # A fork of a process with threads may deadlock.
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, work))
        with _environment(environment):
            self._process.start()
        # Ours is closed, so that the pipe ends when the process does.
        theirs.close()
        self.name = str(self._process.pid)

    def give(self, study: StudyRef) -> None:
        try:
            self.connection.send(study)
        except OSError as error:
            raise Lost(self._end()) from error

    def receive(self) -> Outcome | None:
        try:
            message = self.connection.recv()
        except (EOFError, OSError) as error:
            raise Lost(self._end()) from error
        return None if message == READY else cast("Outcome", message)

    def _end(self) -> str:
        self._process.join(5)
        code = self._process.exitcode
        if code is not None and code < 0:
            with suppress(ValueError):
                return f"its process was ended by {signal.Signals(-code).name}"
        return f"its process ended with status {code}"

    def kill(self) -> None:
        end_at_once(self._process)
        self.connection.close()

    def memory(self) -> int:
        return resident_bytes(self._process.pid)


class Pool(Engine):
    """Processes of this machine."""

    def new_hand(self) -> Process:
        return Process(self.work, threads_of(self.workers))

    def news(self, hands: Sequence[Hand], seconds: float) -> list[Hand]:
        by_pipe: dict[Connection, Hand] = {cast("Process", hand).connection: hand for hand in hands}
        if not by_pipe:
            time.sleep(seconds)
            return []
        return [by_pipe[cast("Connection", pipe)] for pipe in wait(list(by_pipe), seconds)]


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Variables for a process that is started here: libraries read them before any code of ours runs."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
