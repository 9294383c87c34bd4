"""A server that runs in a thread of the tests, on a free port, and what the tests ask of it over the wire."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import uvicorn


class Running:
    """A server that runs: its folder, its address, its application, and a client."""

    def __init__(self, app: Any, data: Path, port: int) -> None:
        self.app, self.data, self.port = app, data, port
        self.url = f"http://127.0.0.1:{port}"
        self.desk = app.state.desk
        self.http = httpx2.Client(base_url=f"{self.url}/api/v1", timeout=120)

    def send(self, *files: Path, names: list[str] | None = None) -> httpx2.Response:
        """POST files as one study."""
        called = names or [file.name for file in files]
        form = [("files", (name, file.read_bytes())) for name, file in zip(called, files, strict=True)]
        return self.http.post("/studies", files=form)

    def study(self, *files: Path) -> dict[str, Any]:
        """Send files that are expected to be taken."""
        answer = self.send(*files)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def read(self, study: str, **wanted: Any) -> dict[str, Any]:
        """Read a study and wait; the final job."""
        answer = self.http.post(f"/studies/{study}/read", json=wanted)
        assert answer.status_code == 202, answer.text
        return self.events(answer.json()["id"])[-1][1]

    def events(self, job: str) -> list[tuple[str, dict[str, Any]]]:
        """The events of a job until it is over."""
        found, name = [], ""
        with self.http.stream("GET", f"/jobs/{job}/events") as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            for line in response.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    found.append((name, json.loads(line.removeprefix("data: "))))
        return found


@contextmanager
def running(data: Path, **options: Any) -> Iterator[Running]:
    """A server of `data`; `limits` are changes to the defaults."""
    from groundglass.app.serve.application import create_app
    from groundglass.app.serve.settings import Limits, Settings

    limits = replace(Limits(), **options.pop("limits", {}))
    data.mkdir(parents=True, exist_ok=True)
    app = create_app(Settings(data, limits=limits, **options))
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started
    held = Running(app, data, listener.getsockname()[1])
    try:
        yield held
    finally:
        held.http.close()
        server.should_exit = True
        thread.join(30)
