"""The symmetric contrastive loss of two views (InfoNCE, arXiv 1807.03748; CLIP's form), with soft targets.

    L = 1/2 mean_i [ -sum_j T_ij log softmax_j(s_ij) ] + 1/2 mean_j [ -sum_i T'_ij log softmax_i(s_ij) ]

s = cosine of row i of the one and row j of the other, over the temperature; T has the rows, T' the columns of
`targets` scaled to sum to 1. Hard targets (the identity) are the usual loss. Radiology section matching (CXR-BERT) is
this loss on the findings and impressions of a batch.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from groundglass.core.errors import ConfigurationError, InputError


def contrastive(
    first: torch.Tensor, second: torch.Tensor, *, temperature: float = 0.5, targets: torch.Tensor | None = None
) -> torch.Tensor:
    """Loss of two sets of vectors (N, D), row i of the one with row i of the other; `targets` (N, N), not negative.

    Raises InputError when the shapes differ or a row or column of the targets is empty, ConfigurationError for a
    temperature that is not positive.
    """
    if temperature <= 0:
        raise ConfigurationError(f"temperature {temperature}", "is not positive", "Use 0.05 to 1.")
    if first.shape != second.shape or first.ndim != 2:
        raise InputError("vectors", f"are {tuple(first.shape)} and {tuple(second.shape)}", "Give (N, D) twice.")
    scores = functional.normalize(first, dim=1) @ functional.normalize(second, dim=1).T / temperature
    if targets is None:
        place = torch.arange(len(scores), device=scores.device)
        return 0.5 * (functional.cross_entropy(scores, place) + functional.cross_entropy(scores.T, place))
    rows, columns = targets.sum(dim=1, keepdim=True), targets.sum(dim=0, keepdim=True)
    if targets.shape != scores.shape or bool((targets < 0).any()) or not bool((rows > 0).all() and (columns > 0).all()):
        raise InputError("targets", "are no weights of pairs", "Give (N, N), none negative, no row or column empty.")
    along = functional.cross_entropy(scores, targets / rows)
    return 0.5 * (along + functional.cross_entropy(scores.T, (targets / columns).T))
