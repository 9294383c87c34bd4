"""Many cases in several processes: each is scored or says why not, and one that breaks does not stop the others."""

from __future__ import annotations

import multiprocessing
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from typing import TypeVar

from groundglass.core import GroundglassError

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_ALONE = 4
"""Up to this many cases are scored in this process: starting others would take longer."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a case could not be scored."""

    reason: str
    error: GroundglassError | None = None


def run_all(
    work: Callable[[Item], Answer], items: Sequence[Item], *, processes: int, title: str
) -> list[Answer | Failure]:
    """`work` of every item, in order. A typed error, any other exception, or a process that dies (a damaged file that
    crashes a decoder, too little memory) stands as a Failure in its item's place.

    `work` must be a module's function or a partial of one. Progress is shown on a terminal.
    """
    with _progress(title, len(items)) as advance:
        if runs_here(len(items), processes):
            return [_one(work, item, advance) for item in items]
        answers: dict[int, Answer | Failure] = {}
        waiting = deque(enumerate(items))
        while waiting:
            # Whoever killed the pool is among these; one at a time, only it is lost.
            suspects = deque(_pooled(work, waiting, processes, answers, advance))
            while suspects:
                for index, _ in _pooled(work, suspects, 1, answers, advance):
                    answers[index] = Failure("its process ended: a damaged file, or too little memory")
                    advance()
        return [answers[index] for index in range(len(items))]


def runs_here(items: int, processes: int) -> bool:
    """Whether `run_all` starts no process of its own, so that each item may use all cores."""
    return processes == 1 or items <= _ALONE


def attempt(work: Callable[[Item], Answer], item: Item) -> Answer | Failure:
    """`work(item)`, or why not."""
    try:
        return work(item)
    except GroundglassError as error:
        return Failure(str(error), error)
    except MemoryError:
        return Failure("needs more memory than there is")
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}")


def failures_of(cases: Sequence[str], answers: Sequence[Answer | Failure]) -> dict[str, str]:
    """Case -> reason of those that failed. Where there is only one case, its typed error is raised instead."""
    if len(answers) == 1 and isinstance(answers[0], Failure) and answers[0].error is not None:
        raise answers[0].error
    return {case: answer.reason for case, answer in zip(cases, answers, strict=True) if isinstance(answer, Failure)}


def _one(work: Callable[[Item], Answer], item: Item, advance: Callable[[], None]) -> Answer | Failure:
    answer = attempt(work, item)
    advance()
    return answer


def _pooled(
    work: Callable[[Item], Answer],
    waiting: deque[tuple[int, Item]],
    processes: int,
    answers: dict[int, Answer | Failure],
    advance: Callable[[], None],
) -> list[tuple[int, Item]]:
    """Take from `waiting`, fill `answers`; when a process dies, those that were under way: one, of one process."""
    workers = min(processes, len(waiting))
    under_way: dict[Future[Answer | Failure], tuple[int, Item]] = {}
    with ProcessPoolExecutor(workers, _context(work)) as pool:
        try:
            while waiting or under_way:
                while waiting and len(under_way) < 2 * workers - 1:
                    under_way[pool.submit(attempt, work, waiting[0][1])] = waiting[0]
                    waiting.popleft()
                for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                    answers[under_way[done][0]] = done.result()
                    del under_way[done]
                    advance()
        except BrokenProcessPool:
            return list(under_way.values())
    return []


def _context(work: Callable[..., object]) -> BaseContext:
    """How processes start: forking one with running threads may deadlock, a fork server has none."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    # Imported once, by the server; with its first start this is settled for the life of the program.
    context.set_forkserver_preload([getattr(work, "func", work).__module__])
    return context


@contextmanager
def _progress(title: str, total: int) -> Iterator[Callable[[], None]]:
    """A function to call once per case; a bar on stderr when that is a terminal."""
    if not sys.stderr.isatty() or total < 2:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)
