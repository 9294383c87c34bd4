"""Check 1 of system 15: log-sum-exp pooling and the sum of a heat map against what they must be."""

from __future__ import annotations

import numpy as np
import torch

from groundglass.nets.log_sum_exp_pooling import LogSumExpPooling
from groundglass.nets.transition import TransitionClassifier
from groundglass.systems.proof import Claim


def closed_forms(seed: int) -> list[Claim]:
    """Check 1: limits, range and gradient of the pooling, and the sum of a heat map."""
    rng = torch.Generator().manual_seed(seed)
    features = torch.randn(4, 8, 12, 12, generator=rng)
    rates = (1e-3, 0.1, 0.5, 1.0, 5.0, 8.0, 10.0, 12.0, 1e3)
    errors = {
        "a constant": max(_off(LogSumExpPooling(r)(torch.full_like(features, 3.7)), 3.7) for r in rates),
        "r = 0.001 against the mean": _off(LogSumExpPooling(1e-3)(features), features.mean((-2, -1))),
        "r = 1000 against the maximum": _off(LogSumExpPooling(1e3)(features), features.amax((-2, -1))),
        "at -10000 and 10000": max(
            _off(LogSumExpPooling(r)(torch.full_like(features, x)), x) for r in rates for x in (-1e4, 1e4)
        ),
        "sum of the gradient": max(_gradient_off(features, r) for r in rates),
    }
    torch.manual_seed(seed)
    network = TransitionClassifier(8).eval()
    images = torch.randn(4, 1, 128, 128, generator=rng)
    with torch.no_grad():
        identity = _off(network.activation_maps(images).mean((-2, -1)) + network.outer.bias, network(images))
    worst = max(errors.values())
    return [
        Claim(
            "pooling: largest error of log-sum-exp against its closed forms",
            worst,
            "<= 0.01",
            worst <= 1e-2,
            detail={**errors, "values of r": len(rates)},
        ),
        Claim("heat map: its mean and the bias are the logit, error", identity, "<= 1e-5", identity <= 1e-5),
    ]


def _off(found: torch.Tensor, expected: torch.Tensor | float) -> float:
    error = float((found - expected).abs().max())
    return error if np.isfinite(error) else float("inf")


def _gradient_off(features: torch.Tensor, sharpness: float) -> float:
    held = features.clone().requires_grad_()
    LogSumExpPooling(sharpness)(held).sum().backward()
    assert held.grad is not None
    return _off(held.grad.sum((-2, -1)), 1.0)
