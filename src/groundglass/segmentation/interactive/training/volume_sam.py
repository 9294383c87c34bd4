"""SAM-Med3D's training: clicks where the last answer was wrong, each answer made with the logits before it.

Wang et al. (arXiv 2310.15161): the loss counts every answer; one answer in the middle, and the last, get no new click
but the mask alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.nets.volume_sam import VolumeSam
from groundglass.segmentation.interactive.training.objective import answer_loss
from groundglass.synthesis import error_click

CLICKS = 11
Bool = NDArray[np.bool_]


def volume_objective(model: torch.nn.Module, batch: dict[str, torch.Tensor], *, clicks: int = CLICKS) -> torch.Tensor:
    """Mean over `clicks` answers of Dice and cross-entropy. `batch`: {"image" (B, 1, side, side, side), "target" (B n,
    side, side, side), the n of a volume after each other, "number"}. The decoder's coarse logits are enlarged; above 0
    is inside."""
    assert isinstance(model, VolumeSam)
    rng = np.random.default_rng([*batch["number"].tolist(), 1])
    truth, target = batch["target"].numpy(), batch["target"].float()
    features = model.image_encoder(batch["image"])
    features = features.repeat_interleave(len(truth) // len(features), dim=0)
    points, labels = torch.zeros(len(truth), 0, 3), torch.zeros(len(truth), 0, dtype=torch.long)
    logits = torch.zeros(len(truth), 1, *(4 * n for n in features.shape[2:]))
    found, losses = np.zeros_like(truth), []
    unclicked = {int(rng.integers(2, max(3, clicks - 2))), clicks - 1}
    for step in range(clicks):
        if step in unclicked:
            logits = model.answer(features, points[:, :0], labels[:, :0], logits.detach())
        else:
            drawn = [next_click(*pair, rng) for pair in zip(truth, found, strict=True)]
            points = torch.cat([points, torch.tensor(np.array([[at] for at, _ in drawn]), dtype=torch.float32)], dim=1)
            labels = torch.cat([labels, torch.tensor([[int(positive)] for _, positive in drawn])], dim=1)
            logits = model.answer(features, points, labels, logits.detach())
        full = enlarged(logits, model.side)
        losses.append(answer_loss(full.flatten(1, 2), target.flatten(1, 2)))
        found = (full > 0).numpy()
    return torch.stack(losses).mean()


def enlarged(logits: torch.Tensor, side: int) -> torch.Tensor:
    """(B, side, side, side) of coarse logits (B, 1, n, n, n), trilinear."""
    size: Sequence[int] = (side,) * 3
    return torch.nn.functional.interpolate(logits.float(), size, mode="trilinear", align_corners=False)[:, 0]


def next_click(truth: Bool, found: Bool, rng: np.random.Generator) -> tuple[NDArray[np.intp], bool]:
    """A click where the answer is wrong; anywhere inside when nothing is."""
    return error_click(truth, found, rng) or (rng.permutation(np.argwhere(truth))[0], True)
