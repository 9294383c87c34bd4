"""Hostile uploads change nothing outside of the data folder, kill nothing, and leave nothing behind.

The server runs as its users run it, in a process of its own with a home, a temporary folder and a working folder of its
own; all of these, and what lies beside the data folder, must be the same to the byte afterwards.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np
import PIL.Image
import pytest
from hostile import attacks

ALLOWED = {201, 400, 404, 409, 413, 415, 422, 429}


def tree(folder: Path) -> dict[str, str]:
    """Every file, folder and link below, with content, mode and time."""
    found = {}
    for path in sorted(folder.rglob("*")):
        facts = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else ""
        found[str(path)] = f"{facts.st_mode} {facts.st_mtime_ns if path.is_file() else ''} {content}"
    return found


@contextmanager
def process(root: Path, data: Path):
    """The command `groundglass serve`, in surroundings of its own; (process, address)."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    surroundings = {name: root / name for name in ("home", "tmp", "cwd")}
    for folder in surroundings.values():
        folder.mkdir()
        (folder / "canary").write_text("here before")
    environment = {**os.environ, "HOME": str(root / "home"), "TMPDIR": str(root / "tmp"), "OMP_NUM_THREADS": "1"}
    with (root / "server.log").open("wb") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "groundglass", "serve", "--data", str(data), "--port", str(port)],
            cwd=root / "cwd", env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if httpx2.get(f"{address}/api/v1/info").status_code == 200:
                break
        except httpx2.TransportError:
            time.sleep(0.1)
    try:
        yield running, address
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(30)


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def survive(root: Path, count: int, radiograph: Path, volume: Path, seed: int) -> Counter[int]:
    """Send so many attacks, four at a time, and check everything; the statuses."""
    picture = root / "picture.png"
    PIL.Image.fromarray(np.arange(4096, dtype=np.uint8).reshape(64, 64)).save(picture)
    good = {".dcm": radiograph.read_bytes(), ".nii.gz": volume.read_bytes()}
    good[".png"] = picture.read_bytes()
    outside = root / "outside"
    outside.mkdir()
    data = outside / "data"
    data.mkdir()
    (outside / "secret.nii.gz").write_bytes(good[".nii.gz"])
    (data / "own.nii.gz").write_bytes(good[".nii.gz"])
    with process(root, data) as (running, address), httpx2.Client(base_url=address, timeout=300) as http:
        form = [("files", ("ball.nii.gz", good[".nii.gz"]))]
        first = http.post("/api/v1/studies", files=form)
        assert first.status_code == 201, first.text
        study = first.json()["id"]
        volume_before = http.get(f"/api/v1/studies/{study}/images/i1/volume.nii.gz").content
        before = {
            **{k: v for folder in ("home", "tmp", "cwd") for k, v in tree(root / folder).items()},
            **{k: v for k, v in tree(outside).items() if ".groundglass" not in k and k != str(data)},
        }

        def send(attack):
            for _ in range(200):
                answer = http.post(
                    "/api/v1/studies", content=attack.body, headers={"Content-Type": attack.content_type}
                )
                if answer.status_code != 429:
                    break
                time.sleep(0.2)
            assert answer.status_code in ALLOWED, (attack.kind, answer.status_code, answer.text[:300])
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == "application/problem+json", attack.kind
                assert str(root) not in answer.text, (attack.kind, answer.text[:500])
            else:
                http.delete(f"/api/v1/studies/{answer.json()['id']}")
            return answer.status_code

        with ThreadPoolExecutor(4) as pool:
            statuses = Counter(pool.map(send, attacks(count, seed=seed, good=good)))
        assert running.poll() is None, (root / "server.log").read_text()[-3000:]
        assert resident(running.pid) < 700 << 20
        after = {
            **{k: v for folder in ("home", "tmp", "cwd") for k, v in tree(root / folder).items()},
            **{k: v for k, v in tree(outside).items() if ".groundglass" not in k and k != str(data)},
        }
        assert after == before
        kept = [record["id"] for record in http.get("/api/v1/studies?limit=1000").json()["studies"]]
        assert kept == [study]
        assert not list((data / ".groundglass" / "incoming").iterdir())
        assert {path.name for path in (data / ".groundglass" / "studies").iterdir()} == {study}
        # What was there is as it was, and good files are still taken.
        assert http.get(f"/api/v1/studies/{study}/images/i1/volume.nii.gz").content == volume_before
        assert http.post("/api/v1/studies", files=form).status_code == 201
    return statuses


def test_a_hundred_hostile_uploads(tmp_path, radiograph, volume):
    statuses = survive(tmp_path, 100, radiograph, volume, seed=0)
    assert sum(statuses.values()) == 100 and statuses[422] > 40


@pytest.mark.slow
def test_a_thousand_hostile_uploads(tmp_path, radiograph, volume):
    statuses = survive(tmp_path, 1000, radiograph, volume, seed=1)
    assert sum(statuses.values()) == 1000 and statuses[422] > 400
