"""Views of one anatomy, each cut at an offset of its own, and the places that two of them share.

For features that are the same in every contrast and yet differ from place to place (the contrastive term of Brain-ID's
released code is a relative). Views that share a frame would let a network count pixels from the border instead of
looking at the anatomy; so each view is moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from groundglass.core.errors import InputError


@dataclass(frozen=True)
class Views:
    """`images` and `targets` (V, 1, *S); `places` (2, P): the same P places in two of the views, as indices into the
    V x S values of a map of the views, of which `targets` is above 0."""

    images: torch.Tensor
    targets: torch.Tensor
    places: torch.Tensor


def moved_views(
    rng: np.random.Generator,
    images: torch.Tensor,
    targets: torch.Tensor,
    *,
    margin: int,
    points: int = 256,
    pair: tuple[int, int] | None = None,
) -> Views:
    """Cut each of `images` and `targets` (V, *S), V >= 2, to sides S - `margin`, at an offset of its own per axis.

    `pair` names the two views whose places are given: by default any two. At most `points` places are drawn, none where
    the two show nothing in common. Raises InputError for shapes that differ, a single view or a margin of a whole side.
    """
    if images.shape != targets.shape or len(images) < 2:
        raise InputError("views", f"are {tuple(images.shape)} and {tuple(targets.shape)}", "Give two or more of each.")
    frame = np.asarray(images.shape[1:])
    if margin < 0 or (frame <= margin).any():
        raise InputError(f"margin {margin}", f"does not fit sides of {tuple(frame)}", "Give less than the side.")
    size = frame - margin
    corners = rng.integers(0, margin + 1, (len(images), len(frame)))
    cuts = [tuple(slice(c, c + n) for c, n in zip(corner, size, strict=True)) for corner in corners]
    first, second = pair if pair is not None else rng.choice(len(images), 2, replace=False)
    low, high = np.maximum(corners[first], corners[second]), np.minimum(corners[first], corners[second]) + size
    common = targets[first][tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    found = (common > 0).nonzero().numpy() + low
    chosen = found[rng.permutation(len(found))[:points]]
    flat = [
        np.ravel_multi_index(((chosen - corners[view]).T), tuple(size)) + view * int(size.prod())
        for view in (first, second)
    ]
    return Views(
        torch.stack([image[cut] for image, cut in zip(images, cuts, strict=True)])[:, None],
        torch.stack([target[cut] for target, cut in zip(targets, cuts, strict=True)])[:, None],
        torch.from_numpy(np.stack(flat)),
    )
