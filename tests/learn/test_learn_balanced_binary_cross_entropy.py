"""The weighted cross-entropy by hand, and in batches without positives or negatives."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from groundglass.learn.objectives.balanced_binary_cross_entropy import balanced_binary_cross_entropy


def test_weights_are_counted_over_all_labels_of_the_batch() -> None:
    chances = torch.tensor([[0.5, 0.2], [0.9, 0.4]])
    truth = torch.tensor([[1, 0], [0, 0]])
    # One positive of four: it weighs 4, each negative 4/3.
    total = 4 * -math.log(0.5) + 4 / 3 * -(math.log(0.8) + math.log(0.1) + math.log(0.6))
    found = balanced_binary_cross_entropy(torch.logit(chances), truth)
    assert float(found) == pytest.approx(total / 4, rel=1e-5)


def test_it_is_the_sum_of_both_means() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(8, 5, generator=generator)
    truth = (torch.rand(8, 5, generator=generator) < 0.2).float()
    means = [binary_cross_entropy_with_logits(logits[truth == side], truth[truth == side]) for side in (0, 1)]
    torch.testing.assert_close(balanced_binary_cross_entropy(logits, truth), means[0] + means[1])


@pytest.mark.parametrize("side", [0.0, 1.0])
def test_batch_of_one_kind_is_plain_cross_entropy(side: float) -> None:
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(1), requires_grad=True)
    truth = torch.full((6, 3), side)
    loss = balanced_binary_cross_entropy(logits, truth)
    torch.testing.assert_close(loss, binary_cross_entropy_with_logits(logits, truth))
    loss.backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
