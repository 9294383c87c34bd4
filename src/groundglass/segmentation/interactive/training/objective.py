"""A user in the loop: prompts, answer, corrections where the answer is wrong, and a loss at every answer."""

from __future__ import annotations

import numpy as np
import torch

from groundglass.segmentation.interactive.encoding import encode
from groundglass.synthesis import correcting_click, correction, with_brush

STEPS = 3
# DeepGrow's single clicks as often as ScribblePrompt's handfuls.
SINGLE_CLICK = 0.35


def objective(model: torch.nn.Module, batch: dict[str, torch.Tensor], *, steps: int = STEPS) -> torch.Tensor:
    """Mean over `steps` interactions of Dice and cross-entropy; answers are fed back without their gradient."""
    rng = np.random.default_rng([*batch["number"].tolist(), 1])
    image, truth = batch["image"].numpy(), batch["target"].numpy()
    positive, negative = batch["positive"].numpy().copy(), batch["negative"].numpy().copy()
    brushes = batch["brush"].tolist()
    box, previous = batch["box"].numpy(), np.zeros_like(image)
    losses = []
    for step in range(steps):
        full, half = encode(image, positive, negative, box, previous)
        layout = torch.channels_last
        logits = model(*(torch.from_numpy(part).contiguous(memory_format=layout) for part in (full, half)))[
            :, 0
        ].float()
        losses.append(answer_loss(logits, batch["target"].float()))
        if step + 1 < steps:
            previous = logits.detach().numpy()
            for k in range(len(truth)):
                _correct(truth[k], previous[k] > 0, positive[k], negative[k], rng, brush=brushes[k])
    return torch.stack(losses).mean()


def shorter_objective(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """The same over two or three interactions in turn: the first answer counts most."""
    return objective(model, batch, steps=2 + int(batch["number"][1]) % 2)


def answer_loss(logits: torch.Tensor, target: torch.Tensor, *, smooth: float = 4.0) -> torch.Tensor:
    """1 - soft Dice of each picture (B, H, W), plus cross-entropy per pixel, the mean over the batch."""
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
    share = logits.sigmoid()
    overlap, sizes = (share * target).sum((1, 2)), share.sum((1, 2)) + target.sum((1, 2))
    return (1 - (2 * overlap + smooth) / (sizes + smooth)).mean() + entropy


def _correct(
    truth: np.ndarray,
    prediction: np.ndarray,
    positive: np.ndarray,
    negative: np.ndarray,
    rng: np.random.Generator,
    *,
    brush: int,
) -> None:
    """Add one step of corrections to the strokes of a picture, in place."""
    if rng.random() < SINGLE_CLICK:
        points, inside = correcting_click(truth, prediction, rng, metric="taxicab")
        (positive if inside else negative)[points[:, 0], points[:, 1]] = True
        return
    drawn = with_brush(correction(truth, prediction, rng), truth, brush, rng)
    # Of contradictory strokes the later one holds.
    negative[:] = (negative & ~drawn.positive) | drawn.negative
    positive[:] = (positive & ~drawn.negative) | drawn.positive
