"""Wall time and peak memory of `groundglass read` on a 256 x 256 x 256 MR, beside one MONAI sliding-window pass.

The volume is the shipped template resampled to 256 cubes (a simulation of a fine scan). Prints JSON; the ratio is of
one run, so that the machine's load falls on both.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy import ndimage

SIZE = 256
# The same field of view in voxels of 1 mm.
WORKING = (182, 218, 182)


def write_volume(path: Path) -> None:
    """The template on a grid of SIZE cubes."""
    from groundglass.core import Image
    from groundglass.io import write_nifti
    from groundglass.measurement import mni152_template

    template = mni152_template()
    factors = [SIZE / n for n in template.t1.shape]
    pixels = ndimage.zoom(template.t1, factors, order=1).astype(np.float32)
    affine = template.affine @ np.diag([*[1 / f for f in factors], 1])
    write_nifti(pixels, Image.of(pixels, affine), path)


def sliding_window_seconds() -> float:
    """One MONAI pass of the same network over the volume at its 1 mm: windows of 96 cubes, overlap 0.25."""
    import torch
    from monai.inferers import SlidingWindowInferer

    from groundglass.models import load_model

    network = load_model("brain-mr").network
    classes = len(network.tissue)

    def predict(both: torch.Tensor) -> torch.Tensor:
        return network(both[:, :1], torch.nn.functional.avg_pool3d(both[:, 1:], 2))

    volume = torch.rand(1, 1 + classes, *WORKING)
    inferer = SlidingWindowInferer((96, 96, 96), sw_batch_size=1, overlap=0.25)
    started = time.perf_counter()
    with torch.inference_mode():
        inferer(volume, predict)
    return time.perf_counter() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        volume, out = Path(folder) / "head.nii.gz", Path(folder) / "out"
        write_volume(volume)
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "groundglass", "read", volume, "-o", out], check=True, capture_output=True
        )
        seconds = time.perf_counter() - started
        run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    reference = sliding_window_seconds()
    print(
        json.dumps(
            {
                "read_seconds": round(seconds, 1),
                "sliding_window_seconds": round(reference, 1),
                "ratio": round(seconds / reference, 2),
                "peak_GiB": round(run["peak_memory_bytes"] / 2**30, 2),
                "steps": run["seconds"],
            }
        )
    )


if __name__ == "__main__":
    main()
