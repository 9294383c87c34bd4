"""Readings in progress: a line of them, their state, and streams of what happens (server-sent events)."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from groundglass.app.serve import models
from groundglass.app.serve.problems import Problem, not_found, too_many
from groundglass.app.serve.settings import Limits
from groundglass.app.serve.store import now
from groundglass.app.serve.worker import Tell, WorkerBusy, WorkerGone
from groundglass.core.errors import GroundglassError

Work = Callable[[Tell, threading.Event], Awaitable[str]]
_log = logging.getLogger("groundglass.serve")
# Proxies close a connection that is silent for a minute.
_HEARTBEAT = 15.0
_FINAL = ("done", "failed", "cancelled")


@dataclass
class Job:
    """One piece of long work. `events` are (name, data) in order; `news` is set, and replaced, whenever one comes."""

    study: str
    kind: str
    id: str = field(default_factory=lambda: secrets.token_hex(10))
    state: models.JobState = "queued"
    message: str = "waiting"
    steps: list[str] = field(default_factory=list)
    created: str = field(default_factory=now)
    result: str | None = None
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    stop: threading.Event = field(default_factory=threading.Event)
    task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        return self.state in _FINAL

    def view(self) -> models.Job:
        seconds = (self.ended or time.monotonic()) - self.began
        return models.Job(
            id=self.id, study=self.study, kind=self.kind, state=self.state, message=self.message,
            steps=self.steps, created=self.created, seconds=round(seconds, 3), result=self.result,
        )  # fmt: skip


class Jobs:
    """The jobs of a server: bounded in number, newest kept."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._jobs: dict[str, Job] = {}
        self._streams = 0

    def get(self, job_id: str) -> Job:
        """Raises the 404 problem for a job that never was or is forgotten."""
        if job_id not in self._jobs:
            raise not_found("job")
        return self._jobs[job_id]

    def of_study(self, study: str) -> list[Job]:
        """The jobs of a study, oldest first."""
        return [job for job in self._jobs.values() if job.study == study]

    def start(self, study: str, kind: str, work: Work) -> Job:
        """Begin a job. Raises problems: 409 where the study has one, 429 where too many wait."""
        active = [job for job in self._jobs.values() if not job.is_over]
        if any(job.study == study for job in active):
            raise Problem(409, "busy", "This study is being read already.")
        if len(active) >= self._limits.waiting_jobs:
            raise too_many("Too many readings wait.", after=30)
        over = [job for job in self._jobs.values() if job.is_over]
        for job in over[: max(0, len(self._jobs) - self._limits.kept_jobs + 1)]:
            del self._jobs[job.id]
        job = Job(study, kind)
        self._jobs[job.id] = job
        job.task = asyncio.create_task(self._run(job, work))
        return job

    def cancel(self, job: Job) -> None:
        """Ask a job to end; its worker is killed. A job that is over stays as it is."""
        job.stop.set()

    async def close(self) -> None:
        """End every job and wait for them."""
        tasks = [job.task for job in self._jobs.values() if job.task is not None and not job.is_over]
        for job in self._jobs.values():
            job.stop.set()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, job: Job, work: Work) -> None:
        def tell(line: str) -> None:
            job.state, job.message = "running", line
            job.steps = [*job.steps[-199:], line]
            self._say(job, "progress", {"message": line, "step": len(job.steps)})

        try:
            job.result = await work(tell, job.stop)
            self._end(job, "done", "done")
        except WorkerGone as error:
            self._end(job, "cancelled" if job.stop.is_set() else "failed", f"the reading {error}")
        except WorkerBusy:
            self._end(job, "failed", "too many readings wait")
        except GroundglassError as error:
            self._end(job, "failed", str(error))
        except Problem as error:
            self._end(job, "failed", error.detail)
        except Exception as error:
            _log.error("a job failed", exc_info=error)
            self._end(job, "failed", "the server failed; its log says more")

    def _end(self, job: Job, state: models.JobState, message: str) -> None:
        job.state, job.message, job.ended = state, message, time.monotonic()
        self._say(job, "done" if state == "done" else "failed", job.view().model_dump(mode="json"))

    def _say(self, job: Job, name: str, data: dict[str, Any]) -> None:
        job.events.append((name, data))
        woken, job.news = job.news, asyncio.Event()
        woken.set()

    async def stream(self, job: Job, after: int) -> AsyncIterator[bytes]:
        """The events of a job from number `after` on, as text/event-stream, until it is over."""
        if self._streams >= self._limits.streams:
            raise too_many("Too many streams are open.")
        self._streams += 1
        return self._stream(job, after)

    async def _stream(self, job: Job, after: int) -> AsyncIterator[bytes]:
        try:
            sent = max(0, after)
            yield b"retry: 2000\n\n"
            while True:
                news = job.news  # taken before the look, so that none is missed after it
                while sent < len(job.events):
                    name, data = job.events[sent]
                    sent += 1
                    yield f"id: {sent}\nevent: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
                if job.is_over and sent >= len(job.events):
                    return
                try:
                    await asyncio.wait_for(news.wait(), _HEARTBEAT)
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self._streams -= 1
