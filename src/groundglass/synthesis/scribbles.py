"""Strokes as people draw them, from a mask: lines, centre-lines and contours, broken and warped.

Wong et al., ScribblePrompt (ECCV 2024, arXiv 2312.07381), appendix on scribble simulation. Every stroke lies in the
mask and is not empty where the mask is not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundglass.core import InputError

Bool = NDArray[np.bool_]
Float = NDArray[np.float32]
KINDS = ("line", "centreline", "contour")


def draw_scribbles(
    mask: Bool, rng: np.random.Generator, *, count: int = 1, kind: str | None = None, most: int | None = None
) -> Bool:
    """(H, W): `count` strokes in a mask, of one kind (by default drawn anew), at most `most` pixels in all.

    Lines are `count` lines; a centre-line or a contour is one figure, broken into strokes.
    Raises InputError for an unknown kind.
    """
    chosen = kind or KINDS[int(rng.integers(len(KINDS)))]
    if chosen not in KINDS:
        raise InputError(f"scribble {chosen}", "is no kind of scribble", f"Use {', '.join(KINDS)}.")
    if not mask.any():
        return np.zeros_like(mask)
    window = _window(mask)
    inside = mask[window]
    if chosen == "line":
        strokes = lines(inside, rng, count=count)
    else:
        strokes = centreline(inside) if chosen == "centreline" else contour(inside, rng)
        strokes = _kept(broken(strokes, rng), strokes)
    strokes = _kept(warped(strokes, rng) & inside, strokes)
    if most is not None and strokes.sum() > most:
        strokes = shortened(strokes, rng, most=most)
    full = np.zeros_like(mask)
    full[window] = strokes
    return full


def lines(mask: Bool, rng: np.random.Generator, *, count: int = 1) -> Bool:
    """`count` straight lines between random pairs of the mask's pixels, as far as they lie in the mask."""
    from skimage.draw import line

    inside = np.argwhere(mask)
    drawn = np.zeros_like(mask)
    for start, stop in inside[rng.integers(len(inside), size=(count, 2))]:
        drawn[line(*start, *stop)] = True
    return drawn & mask


def centreline(mask: Bool) -> Bool:
    """The mask thinned to lines of one pixel."""
    from skimage.morphology import skeletonize

    return _kept(np.asarray(skeletonize(mask), dtype=bool), mask)


def contour(mask: Bool, rng: np.random.Generator, *, sigmas: tuple[float, float] = (5.0, 20.0)) -> Bool:
    """An outline at a random depth: where the mask's blurred outside passes a random level.

    The blur's sigma is U(`sigmas`) pixels in a window of 33. Nothing but the mask itself is returned where it is too
    thin to hold an outline.
    """
    from scipy.ndimage import binary_erosion, gaussian_filter

    outside = np.pad(~mask, 1, constant_values=True).astype(np.float32)
    blurred = np.maximum(gaussian_filter(outside, rng.uniform(*sigmas), radius=16, mode="nearest"), outside)
    levels = blurred[1:-1, 1:-1][mask]
    level = rng.uniform(levels.min(), levels.max())
    core = (blurred <= level)[1:-1, 1:-1] & mask
    return _kept(core & ~binary_erosion(core), core if core.any() else mask)


def broken(strokes: Bool, rng: np.random.Generator) -> Bool:
    """Strokes with gaps: only where smooth noise (4 to 16 pixels) is positive."""
    return strokes & (smooth_noise(strokes.shape, rng, rng.uniform(4, 16)) > 0)


def warped(strokes: Bool, rng: np.random.Generator) -> Bool:
    """Strokes displaced by a smooth random field: nodes every 4 to 16 pixels, 1 to 6 pixels in size."""
    size, scale = rng.uniform(1, 6), rng.uniform(4, 16)
    index = np.indices(strokes.shape)
    moved = [
        np.clip(np.rint(axis + size * smooth_noise(strokes.shape, rng, scale)), 0, length - 1).astype(np.intp)
        for axis, length in zip(index, strokes.shape, strict=True)
    ]
    return strokes[moved[0], moved[1]]


def shortened(strokes: Bool, rng: np.random.Generator, *, most: int) -> Bool:
    """The `most` pixels of the strokes with the highest smooth noise: a few pieces of them."""
    noise = np.where(strokes, smooth_noise(strokes.shape, rng, 8.0), -np.inf)
    kept = np.zeros(strokes.size, dtype=bool)
    kept[np.argpartition(noise.ravel(), -most)[-most:]] = True
    return kept.reshape(strokes.shape) & strokes


def smooth_noise(shape: tuple[int, ...], rng: np.random.Generator, scale: float) -> Float:
    """(H, W) normal noise with a node every `scale` pixels, interpolated cubically, of about unit spread."""
    import PIL.Image

    nodes = [max(2, int(np.ceil(n / scale)) + 1) for n in shape]
    noise = PIL.Image.fromarray(rng.standard_normal(nodes, dtype=np.float32))
    return np.asarray(noise.resize((shape[1], shape[0]), PIL.Image.Resampling.BICUBIC))


def _kept(strokes: Bool, before: Bool) -> Bool:
    """A step is undone when it leaves nothing."""
    return strokes if strokes.any() else before


def _window(mask: Bool) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
