"""Ghosts: copies of the image along the phase axis, from lines that came back weaker at regular intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError
from groundglass.synthesis.motion.fourier import to_image, to_kspace


def with_ghosts(
    image: NDArray[Any], *, ghosts: int, strength: float, axis: int = 0, centre: float = 0.02
) -> NDArray[np.float64]:
    """(H, W) magnitude with `ghosts` copies across the field: every ghosts-th line of k-space is weakened by
    `strength` in [0, 1], save the middle share `centre` of the lines. Raises ConfigurationError for other values."""
    if ghosts < 1 or not 0 <= strength <= 1 or axis not in (0, 1) or not 0 <= centre < 1:
        raise ConfigurationError(
            f"{ghosts} ghosts of strength {strength:g}", "cannot be made", "Use >= 1, strength 0..1."
        )
    lines = image.shape[axis]
    weight = np.ones(lines)
    weight[lines // 2 % ghosts :: ghosts] = 1 - strength
    kept = round(centre * lines)
    first = lines // 2 - kept // 2
    weight[first : first + kept] = 1
    kspace = to_kspace(image) * (weight[:, None] if axis == 0 else weight)
    return np.abs(to_image(kspace))
