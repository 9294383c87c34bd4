"""Line integrals to grey values: bone bright, windowed by percentiles or from lowest to highest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError


def grey(
    integrals: NDArray[Any], *, low: float = 1.0, high: float = 99.5, exponential: float | None = None
) -> NDArray[np.float32]:
    """(rows, columns) -> [0, 1]. `low`, `high`: the percentiles that become black and white; 0 and 100 stretch from
    lowest to highest, as DRR-RATE's tool does, and let one metal clip darken all.

    With `exponential` k the picture is that of a film, 1 - exp(-k x / p) of the integral x over its high percentile p.
    Raises ConfigurationError for percentiles in the wrong order.
    """
    if not 0 <= low < high <= 100:
        raise ConfigurationError(
            f"percentiles {low:g}, {high:g}", "do not span a window", "Use 0 <= low < high <= 100."
        )
    value = np.asarray(integrals, dtype=np.float64)
    if exponential is not None:
        value = 1 - np.exp(-exponential * value / max(float(np.percentile(value, high)), 1e-12))
    black, white = np.percentile(value, [low, high])
    return np.clip((value - black) / max(white - black, 1e-12), 0, 1).astype(np.float32)
