"""A clean slice and its spoilt self, with the SSIM between them: one training item of a motion score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.metrics.images import ssim
from groundglass.synthesis.motion.simulate import padded, with_motion
from groundglass.synthesis.motion.trajectory import KINDS, Trajectory, random_trajectory

# scikit-image's default window; the data range is the clean slice's, which is normalised to [0, 1].
WINDOW = "uniform-7"
MOTIONS = KINDS
HEAD_LEVEL = 0.05


@dataclass(frozen=True, eq=False)
class MotionSlice:
    """`image` (H, W) float32: spoilt, on the clean slice's scale. `score`: SSIM to the clean one over the whole slice,
    background included; `head_score`: over the windows whose centre is in the head (NaN without one)."""

    image: NDArray[np.float32]
    score: float
    head_score: float
    trajectory: Trajectory


def corrupt_slice(
    clean: NDArray[np.floating], rng: np.random.Generator, *, severity: float, kinds: tuple[str, ...] = KINDS
) -> MotionSlice:
    """`clean` (H, W) in [0, 1]. Motion is simulated in a larger field, so that nothing wraps around."""
    field, window = padded(np.asarray(clean, dtype=np.float64))
    trajectory = random_trajectory(field.shape, rng, severity=severity, kinds=kinds)
    image = with_motion(field, trajectory)[window]
    head = clean > HEAD_LEVEL
    return MotionSlice(
        image.astype(np.float32),
        ssim(image, clean, data_range=1.0, window=WINDOW),
        ssim(image, clean, data_range=1.0, window=WINDOW, mask=head) if head[3:-3, 3:-3].any() else float("nan"),
        trajectory,
    )
