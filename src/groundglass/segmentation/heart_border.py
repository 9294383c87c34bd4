"""The heart's lateral borders drawn to the edge that the picture shows.

A network that learnt on projected phantoms draws the right border through the vessels beside it. Here the outline is
taken as a closed curve about the heart's middle, and on its sides each point moves to the strongest step from dense to
clear, by dynamic programming over the curve (an active contour, Amini, Weymouth and Jain, IEEE PAMI 1990). The part
on the diaphragm and the great vessels, where no lung gives an edge, follows the network. Lengths are shares of the
chest's width, so that the size of the picture does not matter; none was set by the masks that test the model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from skimage.draw import polygon

Bool = NDArray[np.bool_]
Floats = NDArray[np.float64]

RAYS, CANDIDATES = 181, 25
# A point moves at most so far inwards and outwards; the network errs to the outside.
INWARDS, OUTWARDS = 0.09, 0.045
# Length of the stretches that are compared on both sides of an edge, and the blur before.
STRETCH, BLUR = 0.025, 0.006
# Rays within this angle of the horizontal look into lung.
SIDE_DEGREES = 50.0
# Weights of edge (per step of the picture's 2nd to 98th percentile), of moving away, and of bends.
EDGE, AWAY, AWAY_ELSEWHERE, BEND = 1 / 0.15, 1.4, 12.0, 0.08
BENDS = (-2, -1, 0, 1, 2)


def heart_to_edge(picture: NDArray[np.floating], heart: Bool, lungs: Bool) -> Bool:
    """`heart` (rows, columns) of an upright picture with bone bright, its lateral borders moved to the edge."""
    columns = np.flatnonzero(lungs.any(axis=0))
    if columns.size < 2 or not heart.any():
        return heart
    chest = float(columns[-1] - columns[0] + 1)
    middle = np.argwhere(heart).mean(axis=0)
    # The seam of the closed curve lies on top, where points stay.
    angles = np.linspace(-np.pi / 2, 1.5 * np.pi, RAYS, endpoint=False)
    rays = np.stack([np.sin(angles), np.cos(angles)])
    radius = _radius(heart, middle, rays, chest)
    offsets = np.linspace(-INWARDS, OUTWARDS, CANDIDATES) * chest
    cost = AWAY * np.square(offsets / (INWARDS * chest)) - EDGE * _edges(picture, middle, rays, radius, offsets, chest)
    sideways = np.abs(np.cos(angles)) > np.cos(np.deg2rad(SIDE_DEGREES))
    cost[~sideways] = AWAY_ELSEWHERE * np.square(offsets / (INWARDS * chest))
    moved = ndi.gaussian_filter1d(radius + offsets[_cheapest(cost)], 1.2, mode="wrap")
    found = np.zeros(heart.shape, dtype=bool)
    found[polygon(*(middle[:, None] + rays * moved), heart.shape)] = True
    return found


def _radius(heart: Bool, middle: Floats, rays: Floats, chest: float) -> Floats:
    """(RAYS,) distance of the outermost voxel of the heart along each ray."""
    steps = np.arange(0.0, 0.9 * chest)
    at = middle[:, None, None] + rays[:, :, None] * steps
    inside = ndi.map_coordinates(heart.astype(np.float32), at, order=1) > 0.5
    return np.asarray(np.where(inside, steps, 0.0).max(axis=1))


def _edges(
    picture: NDArray[np.floating], middle: Floats, rays: Floats, radius: Floats, offsets: Floats, chest: float
) -> Floats:
    """(RAYS, CANDIDATES) mean brightness just inside of each candidate less that just outside."""
    smooth = ndi.gaussian_filter(picture.astype(np.float64), BLUR * chest)
    low, high = np.percentile(smooth, (2, 98))
    smooth = (smooth - low) / max(high - low, 1e-9)
    away = np.linspace(0.15, 1, 5) * max(3.0, STRETCH * chest)
    at = np.maximum(radius[:, None] + offsets, 1.0)[..., None]
    inside, outside = (
        ndi.map_coordinates(
            smooth, middle[:, None, None, None] + rays[:, :, None, None] * (at + side * away), order=1, mode="nearest"
        ).mean(axis=-1)
        for side in (-1, 1)
    )
    return np.asarray(inside - outside)


def _cheapest(cost: Floats) -> NDArray[np.int_]:
    """The candidate of each ray on the path of least cost, where neighbours differ by at most two candidates."""
    count = cost.shape[1]
    target = np.arange(count)[None] + np.array(BENDS)[:, None]
    allowed = (target >= 0) & (target < count)
    bend = np.where(allowed, BEND * np.square(BENDS)[:, None], np.inf)
    target = target.clip(0, count - 1)
    total, came = cost[0], np.zeros(cost.shape, dtype=int)
    for ray in range(1, len(cost)):
        options = total[target] + bend
        choice = options.argmin(axis=0)
        came[ray] = target[choice, np.arange(count)]
        total = cost[ray] + options.min(axis=0)
    path = [int(total.argmin())]
    for ray in range(len(cost) - 1, 0, -1):
        path.append(int(came[ray, path[-1]]))
    return np.array(path[::-1])
