"""How long a tracker takes per frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from groundglass.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds per step of a stream: mean, median, 95th percentile, greatest, and the share above the limit."""

    mean: float
    median: float
    p95: float
    greatest: float
    late: float
    steps: int


def latency(seconds: ArrayLike, *, limit: float, warm_up: int = 1) -> Latency:
    """From the wall time of each step (N,), the first `warm_up` of which do not count. Raises InputError."""
    values = np.asarray(seconds, dtype=np.float64)[warm_up:]
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all() or (values < 0).any():
        raise InputError("seconds", "are no times after the warm-up", "Pass one time per step, 0 or more.")
    return Latency(
        float(values.mean()),
        float(np.median(values)),
        float(np.percentile(values, 95)),
        float(values.max()),
        float((values > limit).mean()),
        len(values),
    )


def time_per_frame(total_seconds: ArrayLike, frames: ArrayLike) -> tuple[float, float]:
    """(seconds per frame, seconds to load): slope and offset of the total times (C,) of cases against their frame
    counts (C,), by least squares (TrackRAD2025). Raises InputError unless two cases differ in their number of frames.
    """
    total, count = np.asarray(total_seconds, dtype=np.float64), np.asarray(frames, dtype=np.float64)
    if total.shape != count.shape or total.ndim != 1 or not np.isfinite(np.concatenate([total, count])).all():
        raise InputError("total_seconds", "do not match the frame counts", "Pass one finite time and count per case.")
    if len(set(count.tolist())) < 2:
        raise InputError("frames", "are the same in all cases", "Cases of different length tell loading from tracking.")
    centred = count - count.mean()
    slope = float(centred @ total / (centred @ centred))
    return slope, float(total.mean() - slope * count.mean())
