"""The loss of a lesion against its formula, voxel by voxel."""

from __future__ import annotations

import numpy as np
import torch

from groundglass.learn.objectives.lesion_dice_and_cross_entropy import lesion_dice_and_cross_entropy


def test_it_is_its_formula() -> None:
    rng = np.random.default_rng(0)
    logits, lesion = rng.normal(size=(3, 2, 4, 5, 6)), rng.random((3, 4, 5, 6)) < 0.1
    total = 0.0
    for one, truth in zip(logits, lesion, strict=True):
        share = np.exp(one[1]) / (np.exp(one[0]) + np.exp(one[1]))
        dice = (2 * share[truth].sum() + 1) / (share.sum() + truth.sum() + 1)
        entropy = (-20 * np.log(share[truth]).sum() - np.log(1 - share[~truth]).sum()) / truth.size
        total += (1 - dice + entropy) / 3
    found = lesion_dice_and_cross_entropy(torch.from_numpy(logits), torch.from_numpy(lesion))
    assert np.isclose(float(found), total, rtol=1e-5)


def test_a_lesion_of_another_sample_does_not_count() -> None:
    lesion = torch.zeros(2, 4, 4, dtype=torch.bool)
    lesion[0, 0, 0] = lesion[1, 3, 3] = True
    right = torch.where(lesion, 9.0, -9.0)
    logits = torch.stack([torch.zeros_like(right), right], dim=1)
    assert float(lesion_dice_and_cross_entropy(logits, lesion)) < 0.01
    assert float(lesion_dice_and_cross_entropy(logits.flip(0), lesion)) > 0.6
