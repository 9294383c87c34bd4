"""Latency of interactive segmentation: a correction, the first answer, propagation; beside the paper's network.

    OMP_NUM_THREADS=1 python benchmarks/interactive_latency.py --threads 1
    OMP_NUM_THREADS=2 python benchmarks/interactive_latency.py --threads 2

Prints JSON, milliseconds: medians of wall time, and of processor time (which load on the machine disturbs less).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch

from groundglass.nets.scribble_unet import ScribbleUNet
from groundglass.segmentation.interactive import Engine, Session, export_onnx, onnx_engine, torch_engine


def timed(work: Callable[[], object], repeats: int) -> dict[str, float]:
    """Median milliseconds of wall and processor time."""
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.process_time() - cpu))
    return {"wall ms": round(median(walls), 1), "processor ms": round(median(cpus), 1)}


def picture(side: int) -> np.ndarray:
    rows, columns = np.indices((side, side))
    disc = (rows - side / 2) ** 2 + (columns - side / 2) ** 2 < (side / 4) ** 2
    return (disc * 80 + np.random.default_rng(0).normal(100, 20, disc.shape)).astype(np.float32)


def corrections(engine: Engine, repeats: int) -> dict[str, float]:
    """One further click in a session on 256 x 256 pixels that has ten already."""
    session = Session(picture(256), engine=engine)
    rng = np.random.default_rng(1)

    def click() -> None:
        x, y = rng.integers(0, 256, 2)
        session.click((x, y), bool((x - 128) ** 2 + (y - 128) ** 2 < 64**2))
        _ = session.mask

    for _ in range(10):
        click()
    return timed(click, repeats)


def first_answer(engine: Engine, repeats: int) -> dict[str, float]:
    """From a loaded 512 x 512 picture to the mask of the first click."""
    image = picture(512)

    def answer() -> None:
        session = Session(image, engine=engine)
        session.click((256, 256))
        _ = session.mask

    answer()
    return timed(answer, repeats)


def propagation(engine: Engine) -> dict[str, float]:
    """A ball through 100 slices of 256 x 256."""
    at = np.indices((256, 256, 100)).astype(np.float32)
    ball = ((at[0] - 128) / 60) ** 2 + ((at[1] - 128) / 50) ** 2 + ((at[2] - 50) / 55) ** 2 < 1
    volume = (ball * 80 + np.random.default_rng(0).normal(100, 20, ball.shape)).astype(np.float32)
    session = Session(volume, engine=engine)
    session.box((76, 66, 180, 190), slice=50)
    session.click((128, 128))
    figures = timed(session.propagate, 1)
    mask = session.mask
    overlap = 2 * float((mask & ball).sum()) / float(mask.sum() + ball.sum())
    return {**figures, "slices": int(mask.any(axis=(0, 1)).sum()), "Dice": round(overlap, 3)}


def paper(side: int, repeats: int) -> dict[str, float]:
    network = ScribbleUNet().eval()
    image = torch.rand(1, 5, side, side)

    def forward() -> None:
        with torch.inference_mode():
            network(image)

    forward()
    return timed(forward, repeats)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    ours = torch_engine()
    figures: dict[str, object] = {"threads": options.threads}
    figures["paper's 192-channel UNet, 256 px"] = theirs = paper(256, 3)
    figures["paper's 192-channel UNet, 128 px"] = paper(128, 5)
    figures["correction, 256 px (torch)"] = mine = corrections(ours, options.repeats)
    with tempfile.TemporaryDirectory() as folder:
        other = onnx_engine(export_onnx(Path(folder) / "net.onnx"), threads=options.threads)
        figures["correction, 256 px (ONNX Runtime)"] = corrections(other, options.repeats)
    figures["share of the paper's network at 256 px"] = round(mine["processor ms"] / theirs["processor ms"], 3)
    figures["first answer, 512 px"] = first_answer(ours, options.repeats)
    figures["propagation, 100 slices of 256 px"] = propagation(ours)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
