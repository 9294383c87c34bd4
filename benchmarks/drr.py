"""Speed of projection: a cone-beam radiograph of 256 x 256 pixels from a CT of 256 x 256 x 200 voxels.

    python benchmarks/drr.py [--threads 2] [--repeats 5]

Prints JSON: seconds (wall and processor, best of the repeats) of the fast and the exact line integrals and of the
gradient, the relative error of the fast ones against the exact ones, and both DiffDRR renderers on the same volume and
rays where GROUNDGLASS_DIFFDRR_PYTHON names an interpreter that has DiffDRR. Source at 1000 mm from the centre, detector
at 1500 mm, gantry turned by 0.4 rad.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

SHAPE, SPACING = (256, 256, 200), (1.4, 1.4, 1.5)
SAMPLES = 400


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--peer", type=Path)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    if chosen.peer:
        print(json.dumps(peer(chosen.peer, chosen.repeats)))
        return
    result = ours(chosen.repeats)
    python = os.environ.get("GROUNDGLASS_DIFFDRR_PYTHON")
    if python:
        result |= theirs(python, chosen.threads, chosen.repeats)
    print(json.dumps({"threads": chosen.threads, "load": os.getloadavg()[0], **result}, indent=2))


def ours(repeats: int) -> dict[str, Any]:
    from groundglass.synthesis import exact_line_integrals, line_integrals, xray_view

    volume, affine = thorax(), np.diag([*SPACING, 1.0])
    angles = {"0.4 rad": (np.degrees(0.4), 0.0), "PA": (0.0, 0.0), "lateral": (90.0, 0.0), "oblique": (40.0, 20.0)}
    result: dict[str, Any] = {}
    for name, angle in angles.items():
        view = xray_view(SHAPE, affine, angle, size=256, distance_mm=1500, gap_mm=280)
        fast, exact = line_integrals(volume, affine, view).double(), exact_line_integrals(volume, affine, view)
        result[f"relative error, {name} (L2)"] = float((fast - exact).norm() / exact.norm())
        result[f"relative error, {name} (mean)"] = float((fast - exact).abs().mean() / exact.mean())
    view = xray_view(SHAPE, affine, angles["0.4 rad"], size=256, distance_mm=1500, gap_mm=280)
    result["fast"] = timed(lambda: line_integrals(volume, affine, view), repeats)
    result["exact"] = timed(lambda: exact_line_integrals(volume, affine, view), repeats)
    wanted = volume.clone().requires_grad_(True)
    result["fast with gradient"] = timed(lambda: line_integrals(wanted, affine, view).sum().backward(), repeats)
    return result


def theirs(python: str, threads: int, repeats: int) -> dict[str, Any]:
    """DiffDRR in its own interpreter, on the same rays in voxel coordinates; its images against our exact one."""
    from groundglass.synthesis import exact_line_integrals, line_integrals, xray_view

    affine = np.diag([*SPACING, 1.0])
    view = xray_view(SHAPE, affine, (np.degrees(0.4), 0.0), size=256, distance_mm=1500, gap_mm=280)
    assert view.source is not None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rays.npz"
        np.savez(path, source=view.source / SPACING, target=view.pixels.reshape(-1, 3) / SPACING)
        call = [python, __file__, "--peer", str(path), "--threads", str(threads), "--repeats", str(repeats)]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        if done.returncode:
            return {"DiffDRR": f"did not run: {done.stderr.strip().splitlines()[-1]}"}
        measured = json.loads(done.stdout.splitlines()[-1])
        images = {name: np.load(f"{path}.{name}.npy") for name in ("siddon", "trilinear")}
    # DiffDRR weighs by the fraction of the way from source to pixel, in mm here.
    way = np.linalg.norm(view.pixels - view.source, axis=-1)
    exact = exact_line_integrals(thorax(), affine, view).numpy()
    result: dict[str, Any] = {f"DiffDRR {name}": measured[name] for name in images}
    for name, image in images.items():
        off = image.reshape(way.shape) * way - exact
        result[f"DiffDRR {name}, relative error (L2)"] = float(np.linalg.norm(off) / np.linalg.norm(exact))
    volume = thorax()
    fast = timed(lambda: line_integrals(volume, affine, view), repeats)
    for name in images:
        for clock in ("wall_s", "processor_s"):
            result[f"ratio to DiffDRR {name} ({clock})"] = measured[name][clock] / fast[clock]
    return result


def peer(path: Path, repeats: int) -> dict[str, Any]:
    """Runs in DiffDRR's interpreter."""
    from diffdrr.renderers import Siddon, Trilinear

    held = np.load(path)
    volume = thorax()
    source = torch.tensor(held["source"], dtype=torch.float32)[None, None]
    target = torch.tensor(held["target"], dtype=torch.float32)[None]
    one = torch.ones(1, 1, target.shape[1])
    result = {}
    with torch.no_grad():
        for name, render in (
            ("siddon", lambda: Siddon()(volume, source, target, one)),
            ("trilinear", lambda: Trilinear()(volume, source, target, one, n_points=SAMPLES)),
        ):
            np.save(f"{path}.{name}.npy", render().numpy())
            result[name] = timed(render, repeats)
    return result


def thorax() -> torch.Tensor:
    """Attenuation per mm of a body with two lungs, a spine and a heart, softened at its edges."""
    from scipy.ndimage import gaussian_filter

    x, y, z = np.meshgrid(*[np.linspace(-1, 1, n, dtype=np.float32) for n in SHAPE], indexing="ij", sparse=True)
    value = 0.02 * ((x / 0.8) ** 2 + (y / 0.6) ** 2 + (z / 1.2) ** 2 < 1).astype(np.float32)
    for side in (-1, 1):
        value -= 0.015 * (((x + 0.4 * side) / 0.25) ** 2 + (y / 0.4) ** 2 + (z / 0.7) ** 2 < 1)
    value += 0.03 * ((x / 0.08) ** 2 + ((y + 0.4) / 0.1) ** 2 < 1)
    return torch.from_numpy(gaussian_filter(value, 1.0))


def timed(work: Callable[[], Any], repeats: int) -> dict[str, float]:
    best = {"wall_s": float("inf"), "processor_s": float("inf")}
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        best["wall_s"] = min(best["wall_s"], time.perf_counter() - wall)
        best["processor_s"] = min(best["processor_s"], time.process_time() - processor)
    return best


if __name__ == "__main__":
    main()
