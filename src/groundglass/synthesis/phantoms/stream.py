"""Many phantoms at once: made in several processes, handed over in order, a bounded number under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError, Finding, Mask
from groundglass.core.cores import free_cores
from groundglass.synthesis.phantoms.phantom import Phantom, Question
from groundglass.synthesis.phantoms.registry import kind_named, make_phantom, phantom_series

Answer = TypeVar("Answer")


@dataclass(frozen=True, eq=False)
class TrainingCase:
    """What a training loop needs of a phantom, free of everything that cannot travel between processes.

    `arrays` (C, *spatial) of each image with its `affines`; findings and structures carry their masks.
    """

    name: str
    arrays: tuple[NDArray[Any], ...]
    affines: tuple[NDArray[np.float64], ...]
    findings: tuple[Finding, ...]
    structures: dict[str, Mask]
    report: str
    questions: tuple[Question, ...]


def training_case(phantom: Phantom) -> TrainingCase:
    """The arrays, findings, structures and words of a phantom."""
    return TrainingCase(
        phantom.name, tuple(image.array for image in phantom.images), tuple(image.affine for image in phantom.images),
        phantom.findings, dict(phantom.structures), phantom.report.text if phantom.report.sections else "",
        phantom.questions,
    )  # fmt: skip


def stream_phantoms(
    kind: str,
    count: int,
    seed: int,
    work: Callable[[Phantom], Answer] = training_case,  # type: ignore[assignment]
    *,
    start: int = 0,
    visits: int = 1,
    workers: int = 1,
    **options: Any,
) -> Iterator[Answer]:
    """`work` of phantoms `start`..`start + count - 1` of `seed`, in order; every visit of a patient is one.

    `workers` processes (0: one per core); the result does not depend on their number. `work` must be a module's
    function or a partial of one: only what it gives back travels. Raises ConfigurationError before any is made.
    """
    kind_named(kind)
    if count < 0 or start < 0 or workers < 0:
        raise ConfigurationError(f"count {count}, start {start}, workers {workers}", "are not counts", "Use 0 or more.")
    job = partial(_made, kind, seed, work, visits, options)
    indices = range(start, start + count)
    processes = min(workers or free_cores(), max(count, 1))
    if processes == 1:
        for index in indices:
            yield from job(index)
        return
    waiting: deque[Future[list[Answer]]] = deque()
    # A fork of a process with threads may deadlock.
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for index in indices:
            waiting.append(pool.submit(job, index))
            if len(waiting) > 2 * processes:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _made(
    kind: str, seed: int, work: Callable[[Phantom], Answer], visits: int, options: dict[str, Any], index: int
) -> list[Answer]:
    if visits == 1:
        return [work(make_phantom(kind, seed, index, **options))]
    return [work(phantom) for phantom in phantom_series(kind, seed, index, visits=visits, **options)]
