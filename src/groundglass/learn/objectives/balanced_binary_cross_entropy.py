"""Binary cross-entropy in which the positives and the negatives of a batch weigh the same, however few there are."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def balanced_binary_cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """W-CEL (equation 3 of arXiv 1705.02315) of logits (B, C) for truth (B, C) of 0 and 1, per answer.

    Positives weigh (|P| + |N|) / |P|, negatives (|P| + |N|) / |N|, counted over all labels of the batch together: not
    label by label, so that a rare label keeps its rarity among the positives. A batch without positives (or negatives)
    has no such weight; its count is taken as 1. The paper's sum is divided by the number of answers, so that it does
    not grow with the batch.
    """
    truth = truth.to(logits)
    answers = truth.numel()
    positives = truth.sum()
    negatives = answers - positives
    weights = truth * answers / positives.clamp(min=1) + (1 - truth) * answers / negatives.clamp(min=1)
    each = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return (weights * each).sum() / answers
