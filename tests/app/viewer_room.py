"""A really started `groundglass serve` with a real Chromium in front of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")

CHROMIUM = shutil.which("chromium")
# WebGL 2 without a graphics card, and no look-ups of the browser's own.
FLAGS = [
    "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 60_000


class Room:
    """The open page and the server behind it. `foreign` holds requests that would have left this machine's server."""

    def __init__(self, page: Any, url: str, data: Path) -> None:
        self.page, self.url, self.data = page, url, data
        self.foreign: list[str] = []
        self.faults: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: self._note(request.url))
        page.on("pageerror", lambda error: self.faults.append(str(error)))

    def _note(self, url: str) -> None:
        if not url.startswith((self.url, "blob:", "data:")):
            self.foreign.append(url)

    def ask(self, path: str) -> Any:
        """GET from the API, past the browser."""
        with urllib.request.urlopen(f"{self.url}/api/v1{path}", timeout=60) as answer:
            return json.load(answer)

    def fetch(self, path: str) -> bytes:
        with urllib.request.urlopen(f"{self.url}/api/v1{path}", timeout=60) as answer:
            return answer.read()

    def open(self, *files: Path) -> dict[str, Any]:
        """Open files as one study with the file dialogue; the study as the server has it."""
        before = {study["id"] for study in self.ask("/studies")["studies"]}
        self.page.set_input_files("input[type=file]", [str(file) for file in files])
        self.page.locator(".study .row[aria-current=true]").filter(has_text=files[0].name[:8]).wait_for()
        (fresh,) = (study for study in self.ask("/studies")["studies"] if study["id"] not in before)
        self.view().wait_for()
        self.settle()
        return fresh

    def choose(self, study: dict[str, Any]) -> None:
        """Open a study that the server knows."""
        self.page.locator(".study .row", has_text=study["name"]).first.click()
        self.page.locator(".study .row[aria-current=true]", has_text=study["name"]).wait_for()
        self.settle()

    def read(self, study: dict[str, Any]) -> dict[str, Any]:
        """Press the button and wait for the report; the report as the server has it."""
        self.page.get_by_role("button", name="Read this study").click()
        self.page.locator(".report").wait_for(timeout=5 * PATIENCE)
        return self.ask(f"/studies/{study['id']}/report")

    def view(self, plane: str | None = None) -> Any:
        """The canvas of a plane, or the large one."""
        return self.page.locator(f"[data-plane='{plane}'] canvas" if plane else ".view.main canvas").first

    def crosshair(self) -> tuple[int, ...]:
        """The voxel under the crosshair, as it is read aloud."""
        said = self.view().get_attribute("aria-label")
        return tuple(int(part) for part in re.search(r"voxel ([\d, ]+)\.", said).group(1).split(","))

    def pixels(self, plane: str | None = None) -> NDArray[np.uint8]:
        """What the canvas shows, RGB."""
        from PIL import Image

        return np.asarray(Image.open(BytesIO(self.view(plane).screenshot())).convert("RGB"))

    def settle(self) -> None:
        """Until nothing is loading and the frame is drawn."""
        self.page.locator(".busy").wait_for(state="detached")
        self.page.wait_for_timeout(150)

    def segmented(self) -> float:
        """Size of the segment that the bar shows, mL or pixels, when the server has answered."""
        self.page.locator(".segment-bar[aria-busy=false]").wait_for()
        size = self.page.get_by_test_id("segment-size")
        return float(re.sub(r"[^\d.]", "", size.inner_text())) if size.count() else 0.0


@contextmanager
def room(data: Path, *options: str) -> Iterator[Room]:
    """A server of `data`, with further `options` of the command, and a browser window; skips without Chromium.

    Fails in the end when a script failed, or something was asked of another server.
    """
    if CHROMIUM is None:
        pytest.skip("needs chromium (Debian: chromium)")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    data.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "groundglass", "serve", "--data", str(data), "--port", str(port), *options]
    with open(data.parent / "serve.log", "wb") as log:  # noqa: PTH123
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"})
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, process, data.parent / "serve.log")
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            context = browser.new_context(viewport={"width": 1366, "height": 768}, accept_downloads=True)
            held = Room(context.new_page(), url, data)
            held.page.goto(url)
            held.page.locator(".room").wait_for()
            yield held
            browser.close()
            assert held.faults == [], held.faults
            assert held.foreign == [], held.foreign
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"{url}/api/v1/info", timeout=5).close()
            return
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
    raise AssertionError(f"the server did not start: {log.read_text()}")


def sample_radiograph(folder: Path) -> Path:
    """The package's own simulated chest film, as DICOM."""
    from groundglass.app.sample import write_sample

    folder.mkdir(parents=True, exist_ok=True)
    return write_sample("radiograph", folder / "film.dcm")


def sample_brain(folder: Path) -> Path:
    """The T1 template that the installation brings, 2 mm, with its name saying what it is."""
    from groundglass.app.sample import write_sample

    folder.mkdir(parents=True, exist_ok=True)
    return write_sample("brain", folder / "brain_T1w.nii.gz")
