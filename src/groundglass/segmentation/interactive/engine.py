"""Who answers prompts on the working grid: the classical cues alone, or a network that starts from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ModelCitation
from groundglass.segmentation.interactive import cues

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class View:
    """One slice and its prompts on the working grid, all (H, W), sides a multiple of 32.

    `image` is in [0, 1]; `box` is 1 inside of a box, and 0 everywhere when there is none; `previous` are the logits
    of the answer before (zeros at first). `lean` is the weight of the classical odds beside a network's answer.
    """

    image: Float
    positive: Bool
    negative: Bool
    box: Float
    previous: Float
    lean: float = 0.0


class Engine(Protocol):
    """Logits (H, W) of a view: above 0 is inside."""

    citation: ModelCitation

    def logits(self, view: View) -> Float: ...


# Channels of `cue_channels`.
CUES = 7


def cue_channels(image: Float, positive: Bool, negative: Bool, box: Float) -> Float:
    """(B, 7, H / 2, W / 2) of a batch (B, H, W): contrast about the strokes, likelihood of grey values, random walk,
    nearness along the image to positive and to negative strokes, nearness in the plane to either, and a random walk on
    a blank image: where the strokes alone, as an outline drawn around, would put the border.

    The outside of a box counts as a negative stroke and, without positive strokes, its middle as a positive one.
    """
    half = cues.halved(image)
    inside, outside = (cues.halved(s.astype(np.float32)) for s in (positive, negative))
    seeds, opposite = inside > outside, (outside > 0) & (outside >= inside)
    frame = cues.halved(box)
    for k in np.flatnonzero(frame.any(axis=(1, 2))):
        opposite[k] |= (frame[k] < 0.5) & ~seeds[k]
        if not seeds[k].any():
            seeds[k] = _middle(frame[k] > 0.5) & ~opposite[k]
    contrast = cues.stroke_contrast(half, seeds, opposite)
    count = len(half)
    # Along the image and, on an even one, in the plane: one scan for all.
    apart = cues.geodesic(
        np.concatenate([contrast, contrast, np.zeros_like(contrast)]),
        np.concatenate([seeds, opposite, seeds | opposite]),
        step=np.repeat(np.array([0.02, 0.02, 1.0], dtype=np.float32), count),
    )
    near, flat = np.exp(-apart[: 2 * count] / 1.5), np.exp(-apart[2 * count :] / 12.0)
    # With and without the grey values: one solution for both.
    walks = cues.random_walk(
        np.concatenate([contrast, np.zeros_like(contrast)]), np.tile(seeds, (2, 1, 1)), np.tile(opposite, (2, 1, 1))
    )
    return np.stack(
        [
            contrast,
            cues.likelihood(contrast, seeds, opposite),
            walks[:count],
            near[:count],
            near[count:],
            flat,
            walks[count:],
        ],
        axis=1,
    ).astype(np.float32)


def _middle(inside: Bool) -> Bool:
    """The inner half, side by side, of the bounding box of a filled box."""
    middle = np.zeros_like(inside)
    if not inside.any():
        return middle
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    at = tuple(
        slice(int(v[0] + len(v) // 4), int(v[0] + max(len(v) // 4 + 1, 3 * len(v) // 4))) for v in (rows, columns)
    )
    middle[at] = True
    return middle


class ClassicalEngine:
    """Random walk, geodesic distances and likelihood put together by hand: the baseline, and what a network adds to."""

    citation = ModelCitation("groundglass classical strokes", "1")

    def logits(self, view: View) -> Float:
        """Logits (H, W) from the cues alone; `view.previous` plays no part."""
        return classical_odds(cue_channels(view.image[None], view.positive[None], view.negative[None], view.box[None]))[
            0
        ]


def classical_odds(channels: Float) -> Float:
    """Logits (B, H, W) of `cue_channels` put together by hand."""
    walk, near, far = channels[:, 2], channels[:, 3], channels[:, 4]
    share = near / (near + far + 1e-3)
    odds = 4 * (walk - 0.5) + 3 * (share - 0.5) + channels[:, 1]
    return cues.doubled(odds.astype(np.float32))
