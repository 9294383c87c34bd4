"""Whether an upright frontal radiograph is mirrored: a network of its own, since nothing else is that hard to see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MODEL = "radiograph-side"
# The picture moved a little to each side and up and down: the mean of five looks is steadier than one.
LOOKS = ((0, 0), (4, 0), (-4, 0), (0, 4), (0, -4))


def mirrored_logit(network: object, picture: NDArray[np.float32]) -> float:
    """Log-odds that `picture` (S, S), head up and bone bright, in [0, 1], is mirrored; the mean over five looks.

    Odd: the mirrored picture gets the negative value.
    """
    import torch

    looks = np.stack([_moved(picture, rows, columns) for rows, columns in LOOKS])
    with torch.no_grad():
        logits = network(torch.from_numpy(looks)[:, None])  # type: ignore[operator]
    return float(logits.mean())


def _moved(picture: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    padded = np.pad(picture, ((abs(rows), abs(rows)), (abs(columns), abs(columns))), mode="edge")
    top, left = abs(rows) + rows, abs(columns) + columns
    return np.ascontiguousarray(padded[top : top + picture.shape[0], left : left + picture.shape[1]], np.float32)
