"""The contrastive loss over places: a place's features are those of the same place in another view, and no other's."""

from __future__ import annotations

import torch

from groundglass.learn.objectives.contrastive import contrastive


def same_places(features: torch.Tensor, places: torch.Tensor, *, temperature: float = 0.1) -> torch.Tensor:
    """InfoNCE of `places` (2, P), the same P places in two views, indices into V x S of `features` (V, C, *S).

    The negatives of a place are the other places of its pair of views. Zero where fewer than two places are given.
    """
    if places.shape[1] < 2:
        return features.sum() * 0
    rows = features.movedim(1, -1).flatten(0, -2)
    return contrastive(rows[places[0]], rows[places[1]], temperature=temperature)
