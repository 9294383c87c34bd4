"""Path lengths of tubes and plates on the detector: thin structures, drawn in the image plane with their true depth."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.thorax.bones import Tube
from groundglass.synthesis.thorax.rays import Beam

Float = NDArray[np.float32]


def draw_tube(beam: Beam, tube: Tube, depth: Float, mask: NDArray[np.bool_]) -> None:
    """Add the tube's path length times its density to `depth` and its silhouette to `mask`, in place.

    A ray at distance d from the axis of a cylinder of radius r runs 2 sqrt(r^2 - d^2) through it; a bone's
    marrow (radius 0.7 r) weighs `rim` less than its cortex, which draws the bright edges of ribs.
    """
    pixels, scale = beam.project(tube.points)
    radii = tube.radii * scale / beam.pixel
    reach = radii.max() + 1
    start = np.maximum(np.floor(pixels.min(axis=0) - reach), 0).astype(int)
    stop = np.minimum(np.ceil(pixels.max(axis=0) + reach) + 1, beam.size).astype(int)
    if (stop <= start).any():
        return
    rows, columns = np.mgrid[start[0] : stop[0], start[1] : stop[1]].astype(np.float32)
    best = np.full(rows.shape, np.inf, dtype=np.float32)
    radius = np.ones(rows.shape, dtype=np.float32)
    for (a, b), (ra, rb) in zip(pairwise(pixels), pairwise(radii), strict=True):
        low = np.clip(np.floor(np.minimum(a, b) - reach - start), 0, None).astype(int)
        high = np.ceil(np.maximum(a, b) + reach + 1 - start).astype(int)
        window = (slice(low[0], max(high[0], 0)), slice(low[1], max(high[1], 0)))
        r, c = rows[window], columns[window]
        if r.size == 0:
            continue
        way = b - a
        along = np.clip(((r - a[0]) * way[0] + (c - a[1]) * way[1]) / max(float(way @ way), 1e-6), 0, 1)
        size = (ra + (rb - ra) * along).astype(np.float32)
        distance = (r - a[0] - along * way[0]) ** 2 + (c - a[1] - along * way[1]) ** 2
        relative = (distance / size**2).astype(np.float32)
        closer = relative < best[window]
        best[window] = np.where(closer, relative, best[window])
        radius[window] = np.where(closer, size, radius[window])
    chord = 2 * np.sqrt(np.clip(1 - best, 0, 1))
    marrow = 2 * np.sqrt(np.clip(0.49 - best, 0, 1))
    box = (slice(start[0], stop[0]), slice(start[1], stop[1]))
    depth[box] += (chord - tube.rim * marrow) * radius * np.float32(beam.pixel * tube.density / float(scale.mean()))
    mask[box] |= best < 1


def fill_plate(beam: Beam, corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Silhouette of a flat polygon with these 3-D corners."""
    from skimage.draw import polygon2mask

    pixels, _ = beam.project(corners)
    return np.asarray(polygon2mask((beam.size, beam.size), pixels))


def enlarge(coarse: Float, factor: int) -> Float:
    """Bilinear enlargement by a whole factor, pixel centres aligned as in `Beam.detector`."""
    if factor == 1:
        return coarse
    for axis in (0, 1):
        n = coarse.shape[axis]
        at = (np.arange(n * factor) + 0.5) / factor - 0.5
        low = np.clip(np.floor(at).astype(int), 0, n - 1)
        high = np.minimum(low + 1, n - 1)
        weight = np.clip(at - low, 0, 1).astype(np.float32)
        shape = (-1, 1) if axis == 0 else (1, -1)
        w = weight.reshape(shape)
        coarse = np.take(coarse, low, axis) * (1 - w) + np.take(coarse, high, axis) * w
    return coarse
