"""Pooling by log-sum-exp against its definition and limits, the transition layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from groundglass.core import ConfigurationError
from groundglass.nets.log_sum_exp_pooling import LogSumExpPooling, max_pooling
from groundglass.nets.transition import TransitionClassifier

RATES = (0.1, 0.5, 1.0, 5.0, 8.0, 10.0, 12.0)


@pytest.mark.parametrize("rate", RATES)
def test_pooling_is_the_papers_formula_where_that_does_not_underflow(rate: float) -> None:
    features = np.random.default_rng(0).normal(size=(2, 3, 5, 7))
    greatest = np.abs(features).max(axis=(2, 3), keepdims=True)
    mean = np.exp(rate * (features - greatest)).mean(axis=(2, 3))
    expected = greatest[..., 0, 0] + np.log(mean) / rate
    np.testing.assert_allclose(LogSumExpPooling(rate)(torch.from_numpy(features)), expected, atol=1e-9)


def test_limits_are_mean_and_maximum() -> None:
    features = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(LogSumExpPooling(1e-3)(features), features.mean((-2, -1)), atol=1e-2, rtol=0)
    torch.testing.assert_close(LogSumExpPooling(1e3)(features), max_pooling(features), atol=1e-2, rtol=0)


@pytest.mark.parametrize("value", [-1e4, 0.0, 1e4])
@pytest.mark.parametrize("rate", [1e-3, *RATES, 1e3])
def test_constant_is_itself_and_neither_overflows_nor_vanishes(value: float, rate: float) -> None:
    features = torch.full((1, 2, 6, 6), value, requires_grad=True)
    pooled = LogSumExpPooling(rate)(features)
    assert pooled.tolist() == [[value, value]]
    pooled.sum().backward()
    assert features.grad is not None
    torch.testing.assert_close(features.grad.sum((-2, -1)), torch.ones(1, 2), atol=1e-5, rtol=0)


def test_strongly_negative_map_keeps_its_peak() -> None:
    features = torch.full((1, 1, 4, 4), -1e4)
    features[0, 0, 1, 2] = -9e3
    expected = -9e3 - np.log(16) / 10
    assert float(LogSumExpPooling(10)(features)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("inf"), float("nan")])
def test_sharpness_must_be_positive_and_finite(rate: float) -> None:
    with pytest.raises(ConfigurationError, match="mean_pooling"):
        LogSumExpPooling(rate)


def test_transition_has_its_own_width_and_finer_maps_that_start_at_nothing() -> None:
    torch.manual_seed(0)
    network = TransitionClassifier(3, pooling=LogSumExpPooling(), features=24)
    images = torch.randn(4, 1, 48, 64)
    maps = network.encoder(images)
    assert maps.shape == (4, 24, 12, 16)
    assert maps.min() == 0 < maps.max()
    assert network(images).shape == (4, 3)
    assert network.activation_maps(images).shape == (4, 3, 12, 16)
