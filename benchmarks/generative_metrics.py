"""How long FID, KID and the neighbour figures take on cached features, beside the usual formula.

    python benchmarks/generative_metrics.py [--images 10000] [--width 2048] [--peers]

Random non-negative features of two sets, kept in a feature store and read back. Wall and processor seconds (on a busy
machine only the latter say something). With `--peers` also the trace by scipy's matrix root, as most packages do.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from groundglass.metrics.generative import FeatureStore, fid, kid, neighbourhoods


def timed(call: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """The result, wall and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    result = call()
    return result, {
        "wall_s": round(time.perf_counter() - wall, 2),
        "processor_s": round(time.process_time() - processor, 2),
    }


def fid_by_matrix_root(real: np.ndarray, synthetic: np.ndarray) -> float:
    """The formula as written."""
    from scipy.linalg import sqrtm

    m1, m2 = real.mean(axis=0), synthetic.mean(axis=0)
    s1, s2 = np.cov(real, rowvar=False), np.cov(synthetic, rowvar=False)
    return float((m1 - m2) @ (m1 - m2) + np.trace(s1) + np.trace(s2) - 2 * np.trace(sqrtm(s1 @ s2)).real)


def stored(images: int, width: int, seed: int, folder: str) -> tuple[np.ndarray, dict[str, float]]:
    """Features written to a store under keys of small images, and the time to read them back."""
    rng = np.random.default_rng(seed)
    store = FeatureStore(folder, f"random {seed}")
    pictures = rng.integers(0, 255, (images, 16, 16), dtype=np.uint8)

    def encode(batch: Any) -> np.ndarray:
        return np.maximum(rng.normal(0.05 * seed, 1, (len(batch), width)), 0).astype(np.float32)

    store.features(pictures, encode, batch_size=1024)
    return timed(lambda: store.features(pictures, encode, batch_size=1024))


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--peers", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        real, reading = stored(arguments.images, arguments.width, 0, folder)
        synthetic, _ = stored(arguments.images, arguments.width, 1, folder)
    value, seconds = timed(lambda: fid(real, synthetic))
    result: dict[str, Any] = {
        "images": arguments.images,
        "width": arguments.width,
        "load": os.getloadavg()[0],
        "read_one_set": reading,
        "fid": {"value": value, **seconds},
        "kid_100_subsets_of_1000": timed(lambda: kid(real, synthetic))[1],
        "neighbourhoods": timed(lambda: neighbourhoods(real, synthetic))[1],
    }
    if arguments.peers:
        print("scipy's matrix root ...", file=sys.stderr)
        other, slow = timed(lambda: fid_by_matrix_root(real, synthetic))
        result["fid_by_matrix_root"] = {"value": other, **slow}
        result["times_faster"] = round(slow["processor_s"] / seconds["processor_s"], 1)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
