"""Branching trees that fill a space: airways, pulmonary and hepatic vessels.

Terminals are halved again and again across their widest direction; a branch point lies on the way to the middle of
what it serves, and radii follow Murray's law, r^p = r1^p + r2^p (C. D. Murray, PNAS 1926; 12: 207; p = 3 for him, 2.7
measured in pulmonary arteries).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.phantoms.capsules import Capsules

Points = NDArray[np.float64]


def tree(
    root: Points,
    terminals: Points,
    rng: np.random.Generator,
    *,
    leaf_radius: float,
    exponent: float = 2.7,
    reach: float = 0.42,
    most: float = np.inf,
) -> Capsules:
    """Segments from `root` (3,) to every row of `terminals` (n, 3); `most` caps the radius in mm."""
    starts, ends, served = [], [], []
    # (branch point, rows that it serves); a stack keeps the order of draws fixed.
    stack = [(np.asarray(root, dtype=float), np.arange(len(terminals)))]
    while stack:
        here, rows = stack.pop()
        if len(rows) == 1:
            starts.append(here)
            ends.append(terminals[rows[0]])
            served.append(1)
            continue
        for part in _halves(terminals, rows):
            middle = terminals[part].mean(axis=0)
            step = reach * rng.uniform(0.85, 1.15) * (middle - here)
            bend = 0.08 * np.linalg.norm(step) * rng.standard_normal(3)
            there = terminals[part[0]] if len(part) == 1 else here + step + bend
            starts.append(here)
            ends.append(there)
            served.append(len(part))
            if len(part) > 1:
                stack.append((there, part))
    radius = np.minimum(leaf_radius * np.array(served, dtype=float) ** (1 / exponent), most)
    return Capsules(np.array(starts), np.array(ends), radius, radius)


def _halves(points: Points, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows on either side of the median across the direction of their greatest spread."""
    own = points[rows] - points[rows].mean(axis=0)
    widest = np.linalg.eigh(own.T @ own)[1][:, -1]
    order = np.argsort(own @ widest, kind="stable")
    middle = len(rows) // 2
    return [rows[order[:middle]], rows[order[middle:]]]
