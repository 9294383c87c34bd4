"""A child process that does one thing at a time, so that the server stays quick and survives what it is sent.

The process is spawned when it is first needed, has a bound on its memory, is killed when a call is cancelled or takes
too long, and is replaced when it dies or has grown.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection, wait
from typing import Any

from groundglass.app.child_process import die_with_parent, end_at_once, resident_bytes
from groundglass.core.errors import GroundglassError, InputError

Tell = Callable[[str], None]
# A process of this many resident bytes is replaced after its call: libraries keep what they once allocated.
_GROWN = 3 << 30


class WorkerGone(Exception):  # noqa: N818 - it is a state of the world, not a fault of the caller
    """The process died, was stopped or failed inside during a call; `str` says which."""


class WorkerBusy(Exception):  # noqa: N818 - as above
    """More calls wait than may."""


class Worker:
    """Runs functions of modules in a spawned process, one call after the other, first come first served.

    A function is called as `function(tell, *arguments)`; `tell` sends a line of progress. `bytes_at_most` bounds the
    process's own memory, `waiting` how many calls may stand in line. With `keep` a grown process is kept.
    """

    def __init__(self, name: str, *, bytes_at_most: int, waiting: int, keep: bool = False) -> None:
        self.name = name
        self.started = 0
        self._bytes, self._waiting, self._keep = bytes_at_most, waiting, keep
        self._line = ThreadPoolExecutor(1, thread_name_prefix=f"groundglass-{name}")
        self._in_line = 0
        self._process: Any = None
        self._pipe: Connection | None = None
        self._closed = False

    async def call(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        seconds: float,
        tell: Tell | None = None,
        cancelled: threading.Event | None = None,
    ) -> Any:
        """What the function gives. Raises its typed errors, WorkerBusy, and WorkerGone for everything else.

        `tell` is called in the event loop. Once `cancelled` is set the call ends with WorkerGone, at once.
        """
        if self._in_line >= self._waiting:
            raise WorkerBusy(self.name)
        loop = asyncio.get_running_loop()

        def pass_on(line: str) -> None:
            if tell is not None:
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(tell, line)

        self._in_line += 1
        # A client that goes away does not end the call: what it makes is kept, and the pipe stays in step.
        return await asyncio.shield(
            loop.run_in_executor(
                self._line, self._turn, function, arguments, seconds, pass_on, cancelled or threading.Event()
            )
        )

    def close(self) -> None:
        """End the process; calls in progress end with WorkerGone."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()
        self._line.shutdown(wait=True, cancel_futures=True)
        self._stop()

    def _turn(self, *call: Any) -> Any:
        try:
            return self._exchange(*call)
        finally:
            self._in_line -= 1

    def _exchange(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], seconds: float, tell: Tell,
        cancelled: threading.Event,
    ) -> Any:  # fmt: skip
        if cancelled.is_set() or self._closed:
            raise WorkerGone("was cancelled")
        pipe = self._running()
        try:
            pipe.send((function, arguments))
        except (OSError, ValueError):
            self._stop()
            pipe = self._running()
            pipe.send((function, arguments))
        until = time.monotonic() + seconds
        while True:
            ready = wait([pipe, self._process.sentinel], timeout=0.1)
            if pipe in ready:
                try:
                    kind, value = pipe.recv()
                except (EOFError, OSError):
                    kind, value = "gone", ""
                if kind == "tell":
                    tell(value)
                elif kind == "gone":
                    self._stop()
                    raise WorkerGone("the process died")
                else:
                    return self._ended(kind, value)
            elif ready:
                self._stop()
                raise WorkerGone("the process died")
            if cancelled.is_set():
                self._stop()
                raise WorkerGone("was cancelled")
            if time.monotonic() > until:
                self._stop()
                raise WorkerGone(f"took more than {seconds:.0f} s")

    def _ended(self, kind: str, value: Any) -> Any:
        resident, answer = value
        if resident > _GROWN and not self._keep:
            self._stop()
        if kind == "done":
            return answer
        if isinstance(answer, GroundglassError):
            raise answer
        raise WorkerGone(f"failed inside ({answer})")

    def _running(self) -> Connection:
        if self._process is None or not self._process.is_alive():
            self._stop()
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, self._bytes), name=f"groundglass-{self.name}")
            self._process.start()
            theirs.close()
            self.started += 1
        assert self._pipe is not None
        return self._pipe

    def _stop(self) -> None:
        if self._process is not None:
            end_at_once(self._process)
            self._process = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None


def _serve(pipe: Connection, bytes_at_most: int) -> None:
    """The life of the child: calls until the pipe closes or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    _bound_memory(bytes_at_most)

    def tell(line: str) -> None:
        with contextlib.suppress(OSError):
            pipe.send(("tell", line))

    while True:
        try:
            function, arguments = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            kind, answer = "done", function(tell, *arguments)
        except GroundglassError as error:
            kind, answer = "error", error
        except MemoryError:
            kind, answer = "error", InputError("it", "needs more memory than a worker may use", "Give a smaller image.")
        except Exception as error:
            _log_trace()
            kind, answer = "fault", type(error).__name__
        try:
            pipe.send((kind, (resident_bytes(), answer)))
        except OSError:
            return


def _bound_memory(bytes_at_most: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    # Private memory only: libraries map far more address space than they use.
    resource.setrlimit(resource.RLIMIT_DATA, (bytes_at_most, bytes_at_most))


def _log_trace() -> None:
    import logging

    logging.getLogger("groundglass.serve").exception("a worker's call failed")
