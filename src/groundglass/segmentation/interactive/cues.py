"""What classical methods make of an image and strokes, as channels: where a network starts from.

All functions take a batch (B, ...) of one grid and compute in float32; pixel loops run over rows of the whole batch, so
that a training batch costs little more than one image.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]


def stroke_contrast(image: Float, positive: Bool, negative: Bool) -> Float:
    """(B, H, W) in (-1, 1): the image about the mean under the positive strokes, in units of the strokes' difference.

    A window for the eye of the method: in a CT of air, bone and soft tissue the strokes say which few grey values
    matter. Without positive strokes the centre is the image's median; the unit never falls below 2 % of its range.
    """
    out = np.empty_like(image)
    for k, plane in enumerate(image):
        inside = plane[positive[k]]
        outside = plane[negative[k]]
        centre = float(inside.mean()) if inside.size else float(np.median(plane))
        spread = float(inside.std()) if inside.size > 4 else 0.08
        apart = abs(float(outside.mean()) - centre) if outside.size else 0.2
        out[k] = np.tanh((plane - centre) / max(1.5 * spread, 0.5 * apart, 0.02))
    return out


def likelihood(contrast: Float, positive: Bool, negative: Bool, *, bins: int = 24) -> Float:
    """(B, H, W) log-ratio, in [-1, 1], of how often a pixel's grey value and its surroundings' lie under the strokes.

    Two-dimensional histograms (value; mean over 7 x 7 pixels), smoothed; the whole image stands in for negative
    strokes in so far as there are few.
    """
    from scipy.ndimage import gaussian_filter, uniform_filter

    around = uniform_filter(contrast, size=(0, 7, 7), mode="nearest")
    cell = _bin(contrast, bins) * bins + _bin(around, bins)
    out = np.empty_like(contrast)
    for k, cells in enumerate(cell):
        counts = [
            np.bincount(c, minlength=bins * bins) for c in (cells[positive[k]], cells[negative[k]], cells.ravel())
        ]
        inside, outside, all_of_it = (
            gaussian_filter(c.reshape(bins, bins).astype(np.float32), 1.2).ravel() / max(int(c.sum()), 1)
            for c in counts
        )
        trust = counts[1].sum() / (counts[1].sum() + 40.0)
        outside = trust * outside + (1 - trust) * all_of_it
        ratio = np.log((inside + 1e-4) / (outside + 1e-4)) if counts[0].any() else np.zeros_like(outside)
        out[k] = np.tanh(ratio / 3)[cells]
    return out


def _bin(values: Float, bins: int) -> NDArray[np.intp]:
    return np.clip((values + 1) * (bins / 2), 0, bins - 1).astype(np.intp)


def geodesic(image: Float, seeds: Bool, *, step: float = 0.02, rounds: int = 2) -> Float:
    """(B, H, W) least cost of a path to a seed: `step` a pixel plus every change of grey value on the way.

    Raster scans in four directions, each over whole rows with three parents (Toivanen, Pattern Recognition Letters
    1996), `rounds` times; where there is no seed the distance stays at 1e3.
    """
    distance = np.where(seeds, np.float32(0), np.float32(1e3))
    for _ in range(rounds):
        for turn in (False, True):
            turned = distance.transpose(0, 2, 1) if turn else distance
            plane = image.transpose(0, 2, 1) if turn else image
            distance = _scanned(plane, turned, step)
            distance = distance.transpose(0, 2, 1) if turn else distance
    return np.ascontiguousarray(distance)


def _scanned(image: Float, distance: Float, step: float) -> Float:
    """Down and up over the rows."""
    rows = np.ascontiguousarray(distance.transpose(1, 0, 2))
    plane = image.transpose(1, 0, 2)
    straight = np.abs(np.diff(plane, axis=0)) + np.float32(step)
    right = np.abs(plane[1:, :, 1:] - plane[:-1, :, :-1]) + np.float32(step * 2**0.5)
    left = np.abs(plane[1:, :, :-1] - plane[:-1, :, 1:]) + np.float32(step * 2**0.5)
    for r in range(1, len(rows)):
        here, above = rows[r], rows[r - 1]
        np.minimum(here, above + straight[r - 1], out=here)
        np.minimum(here[:, 1:], above[:, :-1] + right[r - 1], out=here[:, 1:])
        np.minimum(here[:, :-1], above[:, 1:] + left[r - 1], out=here[:, :-1])
    for r in range(len(rows) - 2, -1, -1):
        here, below = rows[r], rows[r + 1]
        np.minimum(here, below + straight[r], out=here)
        np.minimum(here[:, :-1], below[:, 1:] + right[r], out=here[:, :-1])
        np.minimum(here[:, 1:], below[:, :-1] + left[r], out=here[:, 1:])
    return rows.transpose(1, 0, 2)


def random_walk(
    image: Float, positive: Bool, negative: Bool, *, ground: float = 1e-3, sweeps: int = 24, coarsest: int = 8
) -> Float:
    """(B, H, W) probability that a walker starting at a pixel meets a positive before a negative seed.

    Grady, IEEE TPAMI 2006, with Gaussian weights of the grey differences; each pixel is tied to the background with
    weight `ground`, so that the answer is defined without negative seeds. Solved coarse to fine with `sweeps` Jacobi
    steps a level, that is, not to the last digit: a cue, not the method itself.
    """
    levels = [(image, positive, negative & ~positive)]
    while min(levels[-1][0].shape[1:]) >= 2 * coarsest and all(n % 2 == 0 for n in levels[-1][0].shape[1:]):
        plane, inside, outside = levels[-1]
        one, other = (halved(s.astype(np.float32)) for s in (inside, outside))
        levels.append((halved(plane), one > other, (other > 0) & (other >= one)))
    answer = np.zeros_like(levels[-1][0])
    for plane, inside, outside in reversed(levels):
        if answer.shape != plane.shape:
            answer = doubled(answer)
        answer = _relaxed(plane, inside, outside, answer, ground, sweeps)
    return answer


def halved(planes: Float) -> Float:
    """Means of 2 x 2 pixels of (B, H, W)."""
    b, h, w = planes.shape
    return planes.reshape(b, h // 2, 2, w // 2, 2).mean(axis=(2, 4))


def doubled(planes: Float) -> Float:
    """(B, H, W) on a grid twice as fine, by the nearest value."""
    return np.repeat(np.repeat(planes, 2, axis=1), 2, axis=2)


def _relaxed(plane: Float, inside: Bool, outside: Bool, answer: Float, ground: float, sweeps: int) -> Float:
    vertical, horizontal = np.diff(plane, axis=1), np.diff(plane, axis=2)
    size = (np.abs(vertical).mean(axis=(1, 2)) + np.abs(horizontal).mean(axis=(1, 2))) / 2
    scale = (1 / (2 * (1.5 * size + 0.01) ** 2))[:, None, None].astype(np.float32)
    vertical, horizontal = (np.exp(-scale * d * d) + np.float32(1e-4) for d in (vertical, horizontal))
    total = np.full_like(plane, ground)
    total[:, 1:] += vertical
    total[:, :-1] += vertical
    total[:, :, 1:] += horizontal
    total[:, :, :-1] += horizontal
    share = 1 / total
    # Seeds keep their value: nothing flows in, the constant stays.
    share[inside | outside] = 0
    fixed = inside.astype(np.float32)
    answer = np.where(inside, np.float32(1), np.where(outside, np.float32(0), answer))
    flow = np.empty_like(answer)
    part_v, part_h = np.empty_like(vertical), np.empty_like(horizontal)
    for _ in range(sweeps):
        flow[:, 0] = 0
        np.multiply(vertical, answer[:, :-1], out=flow[:, 1:])
        np.multiply(vertical, answer[:, 1:], out=part_v)
        flow[:, :-1] += part_v
        np.multiply(horizontal, answer[:, :, :-1], out=part_h)
        flow[:, :, 1:] += part_h
        np.multiply(horizontal, answer[:, :, 1:], out=part_h)
        flow[:, :, :-1] += part_h
        np.multiply(flow, share, out=answer)
        answer += fixed
    return answer
