"""Outlines moved to where the grey values nearby change."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from groundglass.segmentation.interactive import cues
from groundglass.segmentation.interactive.encoding import SURE

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
# Chosen on validation pictures of the training sets and on new phantoms, not on unseen sets.
STRENGTH, REACH = 2.0, 4.0
TIE = 0.05
_BAND = 32


def sharpened(logits: Float, image: Float) -> Float:
    """Logits (H, W) plus how much better each pixel of `image` fits the inside than the outside nearby.

    Means of both within a Gaussian of REACH pixels, weighted by the probability; the log-ratio of the two Gaussians
    that share the local variance, limited to +-STRENGTH (after Li et al., region-scalable fitting, IEEE TIP 2008).
    Where inside and outside look alike nothing changes. It narrows lines that a network drew too wide.
    """
    inside = (1 / (1 + np.exp(-np.clip(logits, -15, 15)))).astype(np.float32)
    weight, mean, within, square = blurred(np.stack([inside, image, inside * image, image * image]))
    other = 1 - weight
    # What is not inside is outside: its sums are those of the whole less those of the inside.
    mean_in, mean_out = within / (weight + 1e-3), (mean - within) / (other + 1e-3)
    spread = square - weight * mean_in**2 - other * mean_out**2
    better = ((image - mean_out) ** 2 - (image - mean_in) ** 2) / (2 * np.maximum(spread, 4e-4))
    return np.asarray(logits + STRENGTH * np.tanh(better / 2), dtype=np.float32)


def blurred(planes: Float) -> Float:
    """(C, H, W) through a Gaussian of REACH pixels, borders mirrored: as products of matrices, which on planes of this
    size take less time than going along each line."""
    rows = np.empty_like(planes)
    for part, near, weights in _bands(planes.shape[1]):
        np.matmul(weights, planes[:, near], out=rows[:, part])
    both = np.empty_like(planes)
    for part, near, weights in _bands(planes.shape[2]):
        np.matmul(rows[:, :, near], weights.T, out=both[:, :, part])
    return both


@lru_cache(maxsize=8)
def _bands(length: int) -> tuple[tuple[slice, slice, Float], ...]:
    """Parts of a line, what of the line the Gaussian reaches from there, and its weights: (part, reached)."""
    from scipy.ndimage import gaussian_filter1d

    whole = np.asarray(gaussian_filter1d(np.eye(length), REACH, axis=0, truncate=3), dtype=np.float32)
    far = round(3 * REACH)
    bands = []
    for start in range(0, length, _BAND):
        part = slice(start, min(start + _BAND, length))
        near = slice(max(0, start - far), min(part.stop + far, length))
        bands.append((part, near, np.ascontiguousarray(whole[part, near])))
    return tuple(bands)


def walked(logits: Float, image: Float, positive: Bool, negative: Bool) -> Float:
    """Logits (H, W), within +-SURE, of a random walk between the strokes on `image` at full resolution.

    Each pixel is tied to its own probability, the firmer the surer that is: sure answers stay, unsure ones go with what
    the image does not part them from, and pixels under strokes are as the strokes say.
    """
    prior = (1 / (1 + np.exp(-np.clip(logits, -SURE, SURE)))).astype(np.float32)
    tie = np.float32(TIE) * ((2 * prior - 1) ** 2 + np.float32(1e-3))
    share = cues.tied_walk(image[None], positive[None], negative[None], prior[None], tie[None])[0]
    return np.asarray(np.clip(np.log((share + 1e-6) / (1 - share + 1e-6)), -SURE, SURE), dtype=np.float32)
