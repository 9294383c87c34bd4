"""A simulated user: first prompts from a mask, corrections from where an answer is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.clicks import border_clicks, centre_clicks, discrepancy, uniform_clicks
from groundglass.synthesis.scribbles import centreline, draw_scribbles, smooth_noise

Bool = NDArray[np.bool_]
CLICKS = (uniform_clicks, centre_clicks, border_clicks)
# Every non-empty set of these is as likely as a first prompt.
TOOLS = tuple(c for n in (1, 2, 3) for c in combinations(("box", "clicks", "scribbles"), n))


@dataclass(frozen=True, eq=False)
class Drawn:
    """Pixels (H, W) drawn as inside and as outside, and the half-open box (top, left, bottom, right) if any."""

    positive: Bool
    negative: Bool
    box: tuple[int, int, int, int] | None = field(default=None)


def jittered_box(mask: Bool, rng: np.random.Generator, *, most: int = 20) -> tuple[int, int, int, int]:
    """The tight box (top, left, bottom, right; half-open) with each side pushed out by 0 to `most` - 1 pixels, cut to
    the image. The mask must not be empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    out = rng.integers(0, most, 4)
    top, left = max(0, int(rows[0]) - int(out[0])), max(0, int(columns[0]) - int(out[1]))
    bottom = min(mask.shape[0], int(rows[-1]) + 1 + int(out[2]))
    right = min(mask.shape[1], int(columns[-1]) + 1 + int(out[3]))
    return top, left, bottom, right


def first_prompt(
    mask: Bool, rng: np.random.Generator, *, positives: tuple[int, int] = (1, 3), negatives: tuple[int, int] = (0, 3)
) -> Drawn:
    """ScribblePrompt's first step: a random set of tools, so many positive and negative clicks or strokes of each.

    Without a box there is at least one positive mark. The mask must not be empty.
    """
    tools = TOOLS[int(rng.integers(len(TOOLS)))]
    inside, outside = np.zeros_like(mask), np.zeros_like(mask)
    for tool in tools:
        if tool != "box":
            mark(inside, mask, rng, tool, int(rng.integers(positives[0], positives[1] + 1)))
            mark(outside, ~mask, rng, tool, int(rng.integers(negatives[0], negatives[1] + 1)))
    return Drawn(inside, outside, jittered_box(mask, rng) if "box" in tools else None)


def generous_strokes(mask: Bool, rng: np.random.Generator, *, slip: float = 2.0, around: float = 0.0) -> Drawn:
    """What a careful person draws at once, without looking at an answer: two to six strokes inside and around.

    Half of the outer strokes keep near the structure, within a band as wide as it is deep; in a share `around` of the
    cases one more goes round it (`surrounding`), and in half of these a single one follows its middle (`along_middle`).
    A hand slips: in half of the cases all strokes are shifted by up to `slip` pixels, over the border if need be. The
    mask must not be empty.
    """
    from scipy.ndimage import binary_dilation

    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    reach = int(np.clip(0.4 * min(np.ptp(rows), np.ptp(columns)), 4, 24))
    band = binary_dilation(mask, iterations=reach) & ~binary_dilation(mask, iterations=2)
    inside, outside = np.zeros_like(mask), np.zeros_like(mask)
    for _ in range(int(rng.integers(1, 4))):
        inside |= draw_scribbles(mask, rng, count=int(rng.integers(1, 3)))
    for _ in range(int(rng.integers(1, 4))):
        near = band if rng.random() < 0.5 and band.any() else ~mask
        outside |= draw_scribbles(near, rng, count=int(rng.integers(1, 3)))
    # Without a share nothing is drawn: the earlier stages of a training keep their strokes.
    if around and rng.random() < around:
        outside |= surrounding(mask, rng)
        inside = along_middle(mask, rng) if rng.random() < 0.5 else inside
    if rng.random() < 0.5:
        by = tuple(int(v) for v in np.rint(rng.uniform(-slip, slip, 2)))
        inside, outside = (np.roll(strokes, by, axis=(0, 1)) for strokes in (inside, outside))
    return Drawn(inside, outside & ~inside)


def surrounding(mask: Bool, rng: np.random.Generator) -> Bool:
    """A line (H, W) around a mask at a distance of 2 pixels up to the mask's depth (at least 6, at most 24), as even as
    a hand draws it, closed or open in up to two places, each at most a third of the way. The mask must not be empty."""
    from scipy.ndimage import distance_transform_edt
    from skimage.morphology import skeletonize

    away = distance_transform_edt(~mask)
    most = float(np.clip(distance_transform_edt(mask).max(), 6, 24))
    apart = rng.uniform(2, most) + rng.uniform(0, 0.25 * most) * smooth_noise(mask.shape, rng, rng.uniform(12, 48))
    apart = np.maximum(apart, 1.5)
    line = np.asarray(skeletonize((away > apart) & (away <= apart + 1.5)), dtype=bool)
    rows, columns = np.indices(mask.shape)
    middle = np.argwhere(mask).mean(axis=0)
    turn = np.arctan2(rows - middle[0], columns - middle[1])
    for _ in range(int(rng.integers(3))):
        gap = rng.uniform(-np.pi, np.pi)
        line &= np.cos(turn - gap) < np.cos(rng.uniform(0, np.pi / 3))
    return line


def along_middle(mask: Bool, rng: np.random.Generator) -> Bool:
    """The part of a mask's middle line (H, W) within 0.3 to 1 of the mask's extent of one of its pixels, unbroken as
    far as the line is. The mask must not be empty."""
    line = centreline(mask)
    places = np.argwhere(line)
    start = places[int(rng.integers(len(places)))]
    reach = rng.uniform(0.3, 1) * (np.ptp(places, axis=0).max() + 1)
    drawn = np.zeros_like(mask)
    drawn[tuple(places[np.hypot(*(places - start).T) <= reach].T)] = True
    return drawn


def with_brush(drawn: Drawn, mask: Bool, radius: int, rng: np.random.Generator) -> Drawn:
    """The same strokes drawn with a round brush of `radius` pixels; 0 leaves them as they are.

    Two of three people mind the border: the brush then ends where the structure does.
    """
    if not radius:
        return drawn
    from scipy.ndimage import distance_transform_edt

    inside, outside = (
        distance_transform_edt(~strokes) <= radius if strokes.any() else strokes
        for strokes in (drawn.positive, drawn.negative)
    )
    if rng.random() < 2 / 3:
        inside, outside = inside & (mask | drawn.positive), outside & (~mask | drawn.negative)
    return Drawn(inside, outside & ~inside, drawn.box)


def correction(truth: Bool, prediction: Bool, rng: np.random.Generator, *, most: int = 3) -> Drawn:
    """ScribblePrompt's further steps: clicks or strokes, one to `most`, shared at random between what was missed
    (positive) and what was spilled (negative). Nothing where nothing is wrong."""
    missed, spilled = discrepancy(truth, prediction)
    tool = "clicks" if rng.random() < 0.5 else "scribbles"
    count = int(rng.integers(1, most + 1))
    positive = int(rng.integers(0, count + 1)) if missed.any() and spilled.any() else count * int(missed.any())
    inside, outside = np.zeros_like(truth), np.zeros_like(truth)
    mark(inside, missed, rng, tool, positive)
    mark(outside, spilled, rng, tool, count - positive)
    return Drawn(inside, outside)


def mark(onto: Bool, region: Bool, rng: np.random.Generator, tool: str, count: int) -> None:
    """Add `count` clicks or scribbles within `region` to `onto`, in place; the policy or the kind is drawn anew."""
    if not count or not region.any():
        return
    if tool == "scribbles":
        onto |= draw_scribbles(region, rng, count=count)
        return
    points = CLICKS[int(rng.integers(len(CLICKS)))](region, rng, count=count)
    onto[points[:, 0], points[:, 1]] = True
