"""The next studies' bytes, on their way while a model is at work on the present ones."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType

from groundglass.app.archive.study import StudyRef

_MOST_BYTES = 512 << 20


def warm(study: StudyRef) -> StudyRef:
    """Ask the system to bring the study's files into its cache; at most 512 MiB of them."""
    left = _MOST_BYTES
    for path in study.paths:
        if left <= 0:
            break
        # A file that is not there is for the reader to complain about.
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY)
            try:
                left -= os.fstat(handle).st_size
                if hasattr(os, "posix_fadvise"):
                    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_WILLNEED)
                else:
                    while os.read(handle, 1 << 20):
                        pass
            finally:
                os.close(handle)
    return study


class ReadAhead:
    """Takes up to `depth` studies from `studies` ahead of their use and prepares them in threads.

    `prepare` gives the study back, with the paths of files that it fetched.
    """

    def __init__(self, studies: Iterator[StudyRef], depth: int, prepare: Callable[[StudyRef], StudyRef]) -> None:
        self._studies, self._depth, self._prepare = studies, depth, prepare
        self._threads = ThreadPoolExecutor(depth)
        self._waiting: deque[tuple[StudyRef, Future[StudyRef]]] = deque()
        self._exhausted = False

    def __enter__(self) -> ReadAhead:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _fill(self) -> None:
        while not self._exhausted and len(self._waiting) < self._depth:
            study = next(self._studies, None)
            if study is None:
                self._exhausted = True
            else:
                self._waiting.append((study, self._threads.submit(self._prepare, study)))

    @property
    def is_empty(self) -> bool:
        """True when every study has been taken."""
        self._fill()
        return not self._waiting

    def take(self) -> tuple[StudyRef, Future[StudyRef]] | None:
        """The first study whose bytes are there, with its future (which holds what went wrong), None when none is."""
        self._fill()
        for place, (study, future) in enumerate(self._waiting):
            if future.done():
                del self._waiting[place]
                self._fill()
                return study, future
        return None
