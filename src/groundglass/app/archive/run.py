"""The run: discover, take over what is done, do the rest, write the table."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from groundglass import __version__
from groundglass.app.archive.commit import committed, forget, quarantined, set_aside, sweep
from groundglass.app.archive.discover import Grouping
from groundglass.app.archive.engine import Engine
from groundglass.app.archive.faults import WorkerDiedError
from groundglass.app.archive.manifest import Manifest
from groundglass.app.archive.sources import Source, source_of
from groundglass.app.archive.study import Fault, Outcome, StudyRef, Work, pipeline_version
from groundglass.app.archive.table import require_parquet, write_rows
from groundglass.app.archive.tasks import checked_options, models_of, task_of
from groundglass.app.child_process import peak_bytes
from groundglass.core.errors import ConfigurationError, InputError, NetworkError

RESULTS = "results.parquet"
MOST_LOSSES = 3
"""Workers that may die of one study before it is set aside."""
_MOST_UNREACHABLE = 8
_FREE_BYTES = 64 << 20


@dataclass(frozen=True)
class Settings:
    """How to run. `memory` is that of one worker in bytes, `timeout` in seconds a study; 0 workers: one per core."""

    task: str = "read"
    options: Mapping[str, Any] = field(default_factory=dict)
    engine: Literal["pool", "ray"] = "pool"
    ray_address: str = ""
    token: str | None = None
    workers: int = 0
    timeout: float = 1800.0
    memory: int = 0
    group: Grouping = "file"
    resume: bool = False
    retry: bool = False


@dataclass(frozen=True)
class Summary:
    """What a run did. `figures` is ready for JSON; `quarantine` holds (source, fault) of every study set aside."""

    figures: dict[str, Any]
    quarantine: list[tuple[str, Fault]]


Listener = Callable[[str, int, int, int], None]
"""Told of a step with the numbers of studies done, set aside, and in all (0: not known yet)."""


def run(given: str, out: Path, settings: Settings, listen: Listener = lambda *_: None) -> Summary:
    """Carry the archive `given` (folder, file, CSV or DICOMweb address) through a task into `out`.

    A run that was stopped, however, goes on with `settings.resume`; what is done is not done again. Raises InputError
    and ConfigurationError before any work when it cannot begin, and InputError when the disk is full.
    """
    require_parquet()
    task = task_of(settings.task)
    options = checked_options(task, settings.options)
    columns = task.columns(options)
    pipeline = pipeline_version(task.name, options, models_of(task), __version__)
    out = out.absolute()
    seconds: dict[str, float] = {}
    with Manifest(out, pipeline) as manifest:
        if not settings.resume and not manifest.is_new():
            raise ConfigurationError(out, "holds an earlier run", "Go on with --resume, or name another folder.")
        sweep(out)
        source = source_of(given, out, texts=task.reads_text, group=settings.group, token=settings.token)
        with _timed(seconds, "discovery"):
            for count in manifest.plan(source.find()):
                listen("discovering", 0, 0, count)
            resumed = take_over(manifest, retry=settings.retry)
        work = Work(task.name, options, pipeline, source.root, str(out))
        left = manifest.count()["pending"]
        if left:
            with _timed(seconds, "start"):
                listen("starting workers", 0, 0, 0)
                engine = engine_of(settings, work)
                engine.__enter__()
            with _timed(seconds, "work"), engine:
                _work_off(engine, manifest, source, work, listen)
        with _timed(seconds, "table"):
            rows = write_rows(manifest.rows(), columns, out / RESULTS)
        changed = len(manifest.changed())
        figures = {
            "task": task.name,
            "pipeline": pipeline,
            "engine": settings.engine,
            "out": str(out),
            "results": str(out / RESULTS),
            "rows": rows,
            "studies": manifest.count(),
            "done_before": resumed,
            "done_now": left - manifest.count()["pending"],
            "changed_since": changed,
            **manifest.figures(),
            "peak_runner_bytes": peak_bytes(),
            "seconds": seconds,
        }
        return Summary(figures, manifest.quarantine())


def take_over(manifest: Manifest, *, retry: bool) -> int:
    """Make the index say what is on disk; the number of studies that need not be done. `retry` takes failures back."""
    changed = set(manifest.changed()) if retry else set()
    known = 0
    for key, name, state in manifest.studies():
        if retry and (state == "failed" or key in changed):
            forget(name, manifest.out)
            manifest.reset(key)
            continue
        row = committed(key, name, manifest.pipeline, manifest.out)
        fault = None if row is not None else quarantined(key, name, manifest.pipeline, manifest.out)
        if row is None and fault is None:
            if state != "pending":
                manifest.reset(key)
            continue
        if state == "pending":
            manifest.record(Outcome(key, "failed" if row is None else "done", row or {}, fault))
        known += 1
    manifest.commit()
    return known


def _work_off(engine: Engine, manifest: Manifest, source: Source, work: Work, listen: Listener) -> None:
    """Everything that is left; what killed its worker is tried again after the rest."""
    total = sum(manifest.count().values())
    done = {state: manifest.count()[state] for state in ("done", "failed")}
    unreachable = 0
    while manifest.count()["pending"]:
        for outcome in engine.map(manifest.pending(), source):
            unreachable = unreachable + 1 if _is_unreachable(outcome) else 0
            if unreachable >= _MOST_UNREACHABLE:
                raise NetworkError("the server", "cannot be reached", "Go on with --resume when it can.")
            final = _final(outcome, manifest, work)
            if final.state == "failed" and shutil.disk_usage(work.out).free < _FREE_BYTES:
                _take_back(final, manifest)
                raise InputError(work.out, "its disk is full", "Free some space and go on with --resume.")
            manifest.record(final)
            if final.state in done:
                done[final.state] += 1
            listen("working", done["done"], done["failed"], total)
        manifest.commit()


def _final(outcome: Outcome, manifest: Manifest, work: Work) -> Outcome:
    """A study that has cost several workers their lives is set aside."""
    if outcome.state != "lost" or manifest.losses(outcome.key) + 1 < MOST_LOSSES:
        return outcome
    study = manifest.study(outcome.key)
    fault = outcome.fault
    if not _is_unreachable(outcome):
        reason = fault.problem if fault else "it died"
        error = WorkerDiedError(
            study.source, f"{MOST_LOSSES} workers died of it, the last: {reason}", "Look at it alone; then use --retry."
        )
        fault = Fault.of(error, root=work.root)
    assert fault is not None
    set_aside(study, work, fault)
    return Outcome(outcome.key, "failed", fault=fault, seconds=outcome.seconds, worker=outcome.worker)


def _is_unreachable(outcome: Outcome) -> bool:
    return outcome.state == "lost" and outcome.fault is not None and outcome.fault.type == NetworkError.__name__


def _take_back(outcome: Outcome, manifest: Manifest) -> None:
    """What failed for want of space says nothing of the study."""
    study: StudyRef = manifest.study(outcome.key)
    forget(study.name, manifest.out)


def engine_of(settings: Settings, work: Work) -> Engine:
    """The engine that the settings name, not yet started."""
    from groundglass.core.cores import free_cores

    workers = settings.workers or free_cores()
    limits: dict[str, Any] = {
        "workers": workers,
        "timeout": settings.timeout,
        "memory": settings.memory or worker_memory(workers),
    }
    if settings.engine == "ray":
        from groundglass.app.archive.ray_engine import RayEngine

        return RayEngine(work, address=settings.ray_address, **limits)
    from groundglass.app.archive.pool import Pool

    return Pool(work, **limits)


def worker_memory(workers: int) -> int:
    """Bytes that one of so many workers may hold: four fifths of the machine's, or of its container's, shared out."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and (text := limit.read_text(encoding="ascii").strip()).isdigit():
        total = min(total, int(text))
    return int(total * 0.8 / workers)


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[name] = round(time.perf_counter() - started, 3)
