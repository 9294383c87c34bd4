"""Phrases against the regions of images, without boxes: the best regions of the own image beat those of all others.

Multiple-instance noise contrast (MIL-NCE, Miech et al., CVPR 2020, arXiv 1912.06430). With s the cosine of phrase p
and region r over the temperature, the loss of a phrase is

    - log [ sum over r in its image of exp s(p, r) / sum over r in all images of the batch of exp s(p, r) ]
"""

from __future__ import annotations

import torch
from torch.nn import functional

from groundglass.core.errors import ConfigurationError, InputError


def region_contrast(
    regions: torch.Tensor,
    valid: torch.Tensor,
    phrases: torch.Tensor,
    owner: torch.Tensor,
    *,
    same: torch.Tensor | None = None,
    temperature: float = 0.1,
) -> torch.Tensor:
    """Mean loss of `phrases` (P, D), phrase p of image `owner[p]`, against `regions` (B, R, D).

    `valid` (B, R) marks the regions that there are. `same` (P, B) marks other images of which the phrase is said as
    well: they are left out of its sum. Raises InputError when an image has no region, ConfigurationError for a
    temperature that is not positive.
    """
    if temperature <= 0:
        raise ConfigurationError(f"temperature {temperature}", "is not positive", "Use 0.05 to 1.")
    if not bool(valid.any(dim=1).all()):
        raise InputError("regions", "are none for an image", "Leave the image out.")
    scores = torch.einsum("pd,brd->pbr", functional.normalize(phrases, dim=-1), functional.normalize(regions, dim=-1))
    scores = (scores / temperature).masked_fill(~valid[None], -torch.inf)
    images = scores.logsumexp(dim=2)
    if same is not None:
        own = functional.one_hot(owner, len(regions)).bool()
        images = images.masked_fill(same & ~own, -torch.inf)
    return functional.cross_entropy(images, owner)
