"""`groundglass serve` under many viewers at once: errors, latencies, and its memory over time.

    python benchmarks/serve_load.py [--viewers 50] [--seconds 120] [--reading]

Starts the server as its users do and sends it a radiograph (read once, so that there is a report) and a volume. Each
viewer then does what the page does, with short pauses: lists studies, opens one, loads its volume, thumbnail, report
and label map, segments by clicks with the slice fetched after each, undoes, judges a finding, ends the session. With
`--reading` one study is read over and over beside it. Server and viewers share the machine. Prints JSON:

- `errors`: answers of 400 and more, and broken connections; each with its count.
- `latency_ms`: median, 95th and 99th percentile by kind of request; a click is answered by the interactive worker.
- `memory_mib`: resident memory of the server alone, and of all its processes, every ten seconds; `growth_mib` is the
  second half's mean less the first half's, of the server alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import httpx2

from groundglass.app.sample import write_sample


class Load:
    """What was asked and how it went."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.errors: Counter[str] = Counter()

    async def ask(self, http: httpx2.AsyncClient, kind: str, method: str, url: str, **body: Any) -> Any:
        began = time.perf_counter()
        try:
            answer = await http.request(method, url, **body)
        except httpx2.TransportError as error:
            self.errors[f"{kind}: {type(error).__name__}"] += 1
            return None
        self.seconds[kind].append(time.perf_counter() - began)
        if answer.status_code >= 400:
            self.errors[f"{kind}: {answer.status_code} {answer.json().get('detail', '')[:80]}"] += 1
            return None
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        return answer.json() if is_json and answer.content else True


async def viewer(number: int, address: str, studies: dict[str, str], until: float, load: Load) -> None:
    """One user until the time is over."""
    rng = random.Random(number)
    async with httpx2.AsyncClient(base_url=f"{address}/api/v1", timeout=120) as http:
        await asyncio.sleep(rng.uniform(0, 3))
        while time.monotonic() < until:
            await load.ask(http, "list", "GET", "/studies")
            study = studies[rng.choice(["film", "volume"])]
            images = await load.ask(http, "images", "GET", f"/studies/{study}/images")
            image = images["images"][0]
            await load.ask(http, "thumbnail", "GET", f"{address}{image['thumbnail']}")
            await load.ask(http, "volume", "GET", f"{address}{image['url']}")
            report = None
            if study == studies["film"]:
                report = await load.ask(http, "report", "GET", f"/studies/{study}/report")
                await load.ask(http, "label map", "GET", f"{address}{image['labels']}")
            await segment(http, study, image, rng, load)
            if report:
                finding = rng.choice(report["findings"])["id"]
                verdict = {"verdict": rng.choice(["accepted", "open"])}
                await load.ask(http, "judge", "PATCH", f"/studies/{study}/findings/{finding}", json=verdict)


async def segment(http: httpx2.AsyncClient, study: str, image: dict[str, Any], rng: random.Random, load: Load) -> None:
    """Clicks on one slice, a picture after each."""
    begun = await load.ask(http, "begin session", "POST", f"/studies/{study}/images/{image['id']}/sessions")
    if not begun:
        # The refusal is counted; a person would wait before the next try.
        await asyncio.sleep(rng.uniform(0.3, 1.5))
        return
    session, axis = begun["session"], begun["slice_axis"]
    shape = [n for a, n in enumerate(image["shape"]) if a != axis]
    index = None if axis is None else image["shape"][axis] // 2 + rng.randrange(-5, 5)
    for number in range(3):
        point = [shape[1] * rng.uniform(0.3, 0.7), shape[0] * rng.uniform(0.3, 0.7)]
        prompt = {"kind": "click", "points": [point], "positive": number != 2, "slice": index}
        await load.ask(http, "click", "POST", f"/sessions/{session}/prompts", json=prompt)
        query = {} if index is None else {"index": index}
        await load.ask(http, "slice", "GET", f"/sessions/{session}/slice.png", params=query)
        await asyncio.sleep(rng.uniform(0.3, 1.5))
    await load.ask(http, "undo", "POST", f"/sessions/{session}/undo")
    await load.ask(http, "end session", "DELETE", f"/sessions/{session}")


async def reader(address: str, study: str, until: float, load: Load) -> None:
    """One study read over and over."""
    async with httpx2.AsyncClient(base_url=f"{address}/api/v1", timeout=600) as http:
        while time.monotonic() < until:
            job = await load.ask(http, "read", "POST", f"/studies/{study}/read", json={})
            if job:
                await load.ask(http, "events", "GET", f"/jobs/{job['id']}/events")


def resident(pid: int) -> tuple[float, float]:
    """MiB of a process, and of it with its children."""

    def one(number: int) -> float:
        try:
            pages = int(Path(f"/proc/{number}/statm").read_text().split()[1])
        except OSError:
            return 0.0
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    tasks = [t.name for t in Path(f"/proc/{pid}/task").iterdir() if t.name != str(pid)]
    for task in tasks:
        try:
            children += Path(f"/proc/{pid}/task/{task}/children").read_text().split()
        except OSError:
            continue
    own = one(pid)
    return round(own, 1), round(own + sum(one(int(child)) for child in set(children)), 1)


async def measure(address: str, pid: int, studies: dict[str, str], options: argparse.Namespace) -> dict[str, Any]:
    load, memory = Load(), []
    began = time.monotonic()
    until = began + options.seconds
    tasks = [asyncio.create_task(viewer(n, address, studies, until, load)) for n in range(options.viewers)]
    if options.reading:
        tasks.append(asyncio.create_task(reader(address, studies["read"], until, load)))
    while time.monotonic() < until:
        memory.append(resident(pid))
        await asyncio.sleep(1)
    await asyncio.gather(*tasks)
    own, both = [server for server, _all in memory], [together for _server, together in memory]
    half = len(own) // 2
    requests = sum(len(seconds) for seconds in load.seconds.values())
    return {
        "viewers": options.viewers,
        "seconds": round(time.monotonic() - began, 1),
        "requests": requests,
        "per_second": round(requests / (time.monotonic() - began), 1),
        "errors": dict(load.errors),
        "latency_ms": {kind: spread(seconds) for kind, seconds in sorted(load.seconds.items())},
        "memory_mib": {"server": own[::10], "all": both[::10], "peak": max(both)},
        "growth_mib": round(statistics.mean(own[half:]) - statistics.mean(own[:half]), 1),
        "load_average": os.getloadavg()[0],
    }


def spread(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    last = len(ordered) - 1
    at = {str(q): ordered[min(last, len(ordered) * q // 100)] for q in (50, 95, 99)}
    return {"n": len(ordered)} | {name: round(1000 * value, 1) for name, value in at.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--reading", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film, brain = write_sample("radiograph", folder / "chest.dcm"), write_sample("brain", folder / "brain.nii.gz")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "groundglass", "serve", "--data", str(folder / "data"), "--port", str(port)]
        server = subprocess.Popen(command)
        address = f"http://127.0.0.1:{port}"
        try:
            studies = prepared(address, film, brain)
            print(json.dumps(asyncio.run(measure(address, server.pid, studies, options)), indent=1))
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)


def prepared(address: str, film: Path, brain: Path) -> dict[str, str]:
    """Ids of a film that was read, of a volume, and of a film to read over and over."""
    with httpx2.Client(base_url=f"{address}/api/v1", timeout=600) as http:
        for _attempt in range(300):
            try:
                http.get("/info")
                break
            except httpx2.TransportError:
                time.sleep(0.1)
        sent = {
            name: http.post("/studies", files=[("files", (path.name, path.read_bytes()))]).json()["id"]
            for name, path in (("film", film), ("volume", brain), ("read", film))
        }
        job = http.post(f"/studies/{sent['film']}/read", json={}).json()["id"]
        http.get(f"/jobs/{job}/events")
        return sent


if __name__ == "__main__":
    main()
