"""A head of one layer on frozen features of every voxel: what a representation holds, read off linearly."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import cross_entropy


def fit_pixel_probe(
    features: torch.Tensor, labels: torch.Tensor, classes: int, *, weight_decay: float = 1e-4, rounds: int = 60
) -> nn.Linear:
    """Multinomial logistic regression of `labels` (N,) on `features` (N, F), by L-BFGS from zero: no randomness.

    Features are taken as they are: give unit-norm or standardised ones. The loss is the mean cross-entropy over
    classes that occur, each class counting the same, plus `weight_decay` times the squared weights.
    """
    head = nn.Linear(features.shape[1], classes)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    count = torch.bincount(labels, minlength=classes).float()
    balance = torch.where(count > 0, 1 / count.clamp(min=1), torch.zeros_like(count))
    optimiser = torch.optim.LBFGS(head.parameters(), max_iter=rounds, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = cross_entropy(head(features), labels, weight=balance) + weight_decay * head.weight.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return head.requires_grad_(False)
