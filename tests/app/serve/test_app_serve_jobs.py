"""Readings are cancelled, die and are bounded; the server goes on."""

from __future__ import annotations

import threading
import time

import pytest

from groundglass.app.serve.worker import Worker, WorkerBusy, WorkerGone
from groundglass.core import InputError


def test_a_reading_is_cancelled_and_a_dead_worker_is_a_failed_job(server, radiograph):
    study = server.study(radiograph)["id"]
    job = server.http.post(f"/studies/{study}/read", json={}).json()["id"]
    assert server.http.post(f"/studies/{study}/read", json={}).status_code == 409
    assert server.http.delete(f"/jobs/{job}").status_code == 202
    assert server.events(job)[-1][1]["state"] == "cancelled"

    job = server.http.post(f"/studies/{study}/read", json={}).json()["id"]
    until = time.monotonic() + 60
    while server.http.get(f"/jobs/{job}").json()["state"] == "queued" and time.monotonic() < until:
        time.sleep(0.02)
    server.desk._reader._process.kill()
    final = server.events(job)[-1][1]
    assert final["state"] == "failed" and "died" in final["message"]
    # The server lives, and the next reading gets a new process.
    assert server.read(study)["state"] == "done"


def test_jobs_in_line_are_bounded(serve, radiograph):
    with serve(limits={"waiting_jobs": 1}) as held:
        first, second = held.study(radiograph)["id"], held.study(radiograph)["id"]
        job = held.http.post(f"/studies/{first}/read", json={}).json()["id"]
        answer = held.http.post(f"/studies/{second}/read", json={})
        assert answer.status_code == 429 and answer.json()["type"].endswith("too-many")
        assert held.http.delete(f"/studies/{first}").status_code == 409
        held.http.delete(f"/jobs/{job}")
        held.events(job)
        assert held.http.delete(f"/studies/{first}").status_code == 204


def add(tell, *numbers):
    tell(f"{len(numbers)} numbers")
    return sum(numbers)


def fail(_tell, kind):
    if kind == "typed":
        raise InputError("it", "is wrong", "Mend it.")
    if kind == "memory":
        return bytearray(4 << 30)
    if kind == "exit":
        import os

        os._exit(3)
    raise ValueError("inside")


def sleep(_tell, seconds):
    time.sleep(seconds)


def test_a_worker_answers_fails_and_comes_back():
    import asyncio

    async def check():
        worker = Worker("test", bytes_at_most=1 << 30, waiting=2)
        told = []
        assert await worker.call(add, 1, 2, 3, seconds=60, tell=told.append) == 6
        await asyncio.sleep(0)
        assert told == ["3 numbers"]
        with pytest.raises(InputError, match="it: is wrong"):
            await worker.call(fail, "typed", seconds=60)
        with pytest.raises(InputError, match="more memory"):
            await worker.call(fail, "memory", seconds=60)
        with pytest.raises(WorkerGone, match="ValueError"):
            await worker.call(fail, "other", seconds=60)
        assert worker.started == 1
        with pytest.raises(WorkerGone, match="died"):
            await worker.call(fail, "exit", seconds=60)
        with pytest.raises(WorkerGone, match="took more than"):
            await worker.call(sleep, 60, seconds=0.3)
        stop = threading.Event()
        asyncio.get_running_loop().call_later(0.2, stop.set)
        with pytest.raises(WorkerGone, match="cancelled"):
            await worker.call(sleep, 60, seconds=60, cancelled=stop)
        assert await worker.call(add, 4, seconds=60) == 4 and worker.started == 4
        first = asyncio.create_task(worker.call(sleep, 0.5, seconds=60))
        second = asyncio.create_task(worker.call(add, 1, seconds=60))
        await asyncio.sleep(0.1)
        with pytest.raises(WorkerBusy):
            await worker.call(add, 1, seconds=60)
        await first
        assert await second == 1
        worker.close()
        with pytest.raises((WorkerGone, RuntimeError)):
            await worker.call(add, 1, seconds=60)

    asyncio.run(check())
