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


def geodesic(image: Float, seeds: Bool, *, step: float | Float = 0.02, rounds: int = 2) -> Float:
    """(B, H, W) least cost of a path to a seed: `step` (a number, or one for each image) a pixel plus every change of
    grey value on the way.

    Raster scans in four directions, each over whole rows with three parents (Toivanen, Pattern Recognition Letters
    1996), `rounds` times; where there is no seed the distance stays at 1e3.
    """
    distance = np.where(seeds, np.float32(0), np.float32(1e3))
    scans = [_Scan(plane, np.asarray(step, dtype=np.float32)) for plane in (image, image.transpose(0, 2, 1))]
    for _ in range(rounds):
        distance = scans[0](distance)
        distance = scans[1](distance.transpose(0, 2, 1)).transpose(0, 2, 1)
    return np.ascontiguousarray(distance)


class _Scan:
    """Down and up over the rows of (B, H, W). A row's parents are three windows on its neighbour, one column apart."""

    def __init__(self, image: Float, step: Float) -> None:
        plane = image.transpose(1, 0, 2)
        straight = np.abs(np.diff(plane, axis=0)) + step.reshape(-1, 1)
        aslant = step.reshape(-1, 1) * np.float32(2**0.5)
        right = np.abs(plane[1:, :, 1:] - plane[:-1, :, :-1]) + aslant
        left = np.abs(plane[1:, :, :-1] - plane[:-1, :, 1:]) + aslant
        first, last = ((0, 0), (0, 0), (1, 0)), ((0, 0), (0, 0), (0, 1))
        self._down = np.stack([np.pad(right, first), straight, np.pad(left, last)], axis=1)
        self._up = np.stack([np.pad(left, first), straight, np.pad(right, last)], axis=1)

    def __call__(self, distance: Float) -> Float:
        count, height, width = distance.shape
        held = np.full((height, count, width + 2), np.float32(1e3))
        held[:, :, 1:-1] = distance.transpose(1, 0, 2)
        rows = list(held[:, :, 1:-1])
        parents = list(np.lib.stride_tricks.sliding_window_view(held, width, axis=2).transpose(0, 2, 1, 3))
        paths = np.empty((3, count, width), dtype=np.float32)
        one, two, three = paths
        for costs, near, here in (
            *zip(self._down, parents, rows[1:], strict=False),
            *zip(self._up[::-1], parents[:0:-1], rows[-2::-1], strict=True),
        ):
            np.add(near, costs, out=paths)
            np.minimum(one, two, out=one)
            np.minimum(one, three, out=one)
            np.minimum(here, one, out=here)
        return held[:, :, 1:-1].transpose(1, 0, 2)


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
        answer = _relaxed(plane, inside, outside, answer, np.full_like(plane, ground), np.float32(0), sweeps)
    return answer


def tied_walk(image: Float, positive: Bool, negative: Bool, prior: Float, tie: Float, *, sweeps: int = 24) -> Float:
    """(B, H, W) probability of a random walk between the seeds in which each pixel is also tied, with weight `tie`, to
    a probability `prior` of its own (Grady, CVPR 2005: multilabel random walker segmentation using prior models).

    `sweeps` Jacobi steps from the prior: what is tied firmly has settled by then, and the rest comes from nearby.
    """
    return _relaxed(image, positive, negative & ~positive, prior, tie, prior, sweeps)


def halved(planes: Float) -> Float:
    """Means of 2 x 2 pixels of (B, H, W)."""
    even, odd = planes[:, ::2], planes[:, 1::2]
    return np.asarray((even[:, :, ::2] + even[:, :, 1::2] + odd[:, :, ::2] + odd[:, :, 1::2]) * np.float32(0.25))


def doubled(planes: Float) -> Float:
    """(B, H, W) on a grid twice as fine, by the nearest value."""
    return np.repeat(np.repeat(planes, 2, axis=1), 2, axis=2)


def _relaxed(
    plane: Float, inside: Bool, outside: Bool, answer: Float, tie: Float, prior: Float | np.float32, sweeps: int
) -> Float:
    """Jacobi steps from `answer`; `prior` is what `tie` draws a pixel to."""
    vertical, horizontal = _conductances(plane)
    total = tie.copy()
    total[:, 1:] += vertical
    total[:, :-1] += vertical
    total[:, :, 1:] += horizontal
    total[:, :, :-1] += horizontal
    share = 1 / total
    # Seeds keep their value: nothing flows in, the constant stays.
    share[inside | outside] = 0
    weights = np.zeros((4, *plane.shape), dtype=np.float32)  # of the pixel above, below, to the left, to the right
    np.multiply(vertical, share[:, 1:], out=weights[0, :, 1:])
    np.multiply(vertical, share[:, :-1], out=weights[1, :, :-1])
    np.multiply(horizontal, share[:, :, 1:], out=weights[2, :, :, 1:])
    np.multiply(horizontal, share[:, :, :-1], out=weights[3, :, :, :-1])
    start = np.where(inside, np.float32(1), np.where(outside, np.float32(0), answer))
    return _stepped(start, np.asarray(share * tie * prior + inside, dtype=np.float32), weights, sweeps)


def _conductances(plane: Float) -> tuple[Float, Float]:
    """Gaussian weights between neighbours in a column (B, H - 1, W) and in a row (B, H, W - 1)."""
    vertical, horizontal = np.diff(plane, axis=1), np.diff(plane, axis=2)
    size = (np.abs(vertical).mean(axis=(1, 2)) + np.abs(horizontal).mean(axis=(1, 2))) / 2
    scale = (1 / (2 * (1.5 * size + 0.01) ** 2))[:, None, None].astype(np.float32)
    vertical, horizontal = (np.exp(-scale * d * d) + np.float32(1e-4) for d in (vertical, horizontal))
    return vertical, horizontal


def _stepped(answer: Float, fixed: Float, weights: Float, sweeps: int) -> Float:
    """`sweeps` times: every pixel becomes `fixed` plus its four neighbours times `weights` (4, B, H, W).

    On the planes as one line of pixels, where neighbours are a fixed way apart and the weights across a border are 0;
    torch multiplies and adds in one pass over the memory, which halves the time.
    """
    import torch

    width, count = answer.shape[2], answer.size
    first, *others = torch.from_numpy(weights.reshape(4, count))
    constant = torch.from_numpy(fixed.reshape(count))
    buffers = torch.zeros(2, count + 2 * width)
    inner = buffers[:, width:-width]
    inner[0] = torch.from_numpy(answer.reshape(count))
    # Pixel by pixel, what lies above, below, to the left and to the right of it.
    above, *around = ([b[at : at + count] for b in buffers] for at in (0, 2 * width, width - 1, width + 1))
    targets = list(inner)
    for step in range(sweeps):
        then = targets[1 - step % 2]
        torch.addcmul(constant, first, above[step % 2], out=then)
        for weight, neighbours in zip(others, around, strict=True):
            then.addcmul_(weight, neighbours[step % 2])
    return np.asarray(inner[sweeps % 2].numpy().reshape(answer.shape))
