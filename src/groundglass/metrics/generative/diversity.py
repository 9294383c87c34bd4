"""How different the images of one prompt are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from groundglass.core.errors import InputError
from groundglass.metrics.images.multiscale import ms_ssim


def pairwise_ms_ssim(images: Sequence[ArrayLike], *, data_range: float) -> float:
    """Mean MS-SSIM over all pairs of the images (X, Y) of one prompt: lower is more diverse (RoentGen: 4 images in
    [0, 1], mean over 2000 prompts). Raises InputError for fewer than two, else as `ms_ssim`.
    """
    if len(images) < 2:
        raise InputError("images", f"are {len(images)}", "A pair needs two of one prompt.")
    return float(np.mean([ms_ssim(a, b, data_range=data_range) for a, b in combinations(images, 2)]))
