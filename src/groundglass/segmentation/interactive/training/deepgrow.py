"""DeepGrow's training: the network itself is in the loop of a simulated user, who clicks where it is wrong.

Sakinis et al. (arXiv 1903.08205). The loss counts only the answer after the last click; since every click is less
likely than the one before, all numbers of clicks come up. What that counts down from is drawn for each batch: from ten
alone, a single click would be all in one case of three thousand.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.learn import NumberedBatches
from groundglass.segmentation.interactive.deepgrow import guided, unfolded
from groundglass.segmentation.interactive.training.objective import answer_loss
from groundglass.segmentation.interactive.training.windowed import WindowSampler
from groundglass.synthesis import correcting_click, deep_click, first_deep_clicks, uniform_clicks

# The most clicks, the first ones as one; how often there is nothing to find and the only click is outside; how often
# the first click is a single one though the structure has several parts.
CLICKS, EMPTY, ALONE = 10, 0.05, 0.5
_NONE = np.empty((0, 2), dtype=np.intp)


@dataclass
class TargetBatches(NumberedBatches[dict[str, torch.Tensor]]):
    """Endless batches {"image", "target" (B, side, side), "number"}: what to click at, without the clicks."""

    sampler: WindowSampler
    seed: int = 0
    side: int = 128
    count: int = 8

    def batch(self, number: int) -> dict[str, torch.Tensor]:
        drawn = []
        for k in range(self.count):
            rng = self.generator(number, k)
            image, target = self.sampler.draw(rng, self.side)
            drawn.append((image, target & (rng.random() >= EMPTY)))
        images, targets = (torch.from_numpy(np.stack(parts)) for parts in zip(*drawn, strict=True))
        return {"image": images, "target": targets, "number": torch.tensor([self.seed, number])}


@dataclass
class _Clicked:
    """A picture, what is to be found in it, and the clicks so far."""

    image: NDArray[np.float32]
    truth: NDArray[np.bool_]
    inside: NDArray[np.intp] = field(default_factory=lambda: _NONE)
    outside: NDArray[np.intp] = field(default_factory=lambda: _NONE)

    def start(self, rng: np.random.Generator) -> None:
        alone = rng.random() < ALONE
        self.inside = deep_click(self.truth, rng) if alone else first_deep_clicks(self.truth, rng)
        if not len(self.inside):
            self.outside = uniform_clicks(~self.truth, rng)

    def correct(self, prediction: NDArray[np.bool_], rng: np.random.Generator, probability: float) -> bool:
        """Whether a click was set where the prediction is wrong."""
        points, positive = correcting_click(self.truth, prediction, rng, probability=probability)
        if positive:
            self.inside = np.concatenate([self.inside, points])
        else:
            self.outside = np.concatenate([self.outside, points])
        return len(points) > 0

    @property
    def channels(self) -> NDArray[np.float32]:
        return guided(self.image, self.inside, self.outside)


def deepgrow_objective(model: torch.nn.Module, batch: dict[str, torch.Tensor], *, clicks: int = CLICKS) -> torch.Tensor:
    """Dice and cross-entropy of the answer after the first clicks and fewer than `clicks` corrections; with 1 the
    simulated user is left out. Dropout sleeps while the user looks."""
    rng = np.random.default_rng([*batch["number"].tolist(), 1])
    pictures = [_Clicked(i, t) for i, t in zip(batch["image"].numpy(), batch["target"].numpy(), strict=True)]
    for picture in pictures:
        picture.start(rng)
    predictions = np.zeros(batch["target"].shape, dtype=bool)
    changed = list(range(len(pictures)))
    patience = int(rng.integers(1, clicks + 1))
    for step in range(1, patience):
        if changed:
            predictions[changed] = _predicted(model, [pictures[k] for k in changed])
        changed = [k for k, p in enumerate(pictures) if p.correct(predictions[k], rng, 1 - step / patience)]
    return answer_loss(_answered(model, pictures), batch["target"].float())


def _predicted(model: torch.nn.Module, pictures: list[_Clicked]) -> NDArray[np.bool_]:
    was_training = model.training
    model.eval()
    with torch.no_grad():
        logits = _answered(model, pictures)
    model.train(was_training)
    return np.asarray((logits > 0).numpy())


def _answered(model: torch.nn.Module, pictures: list[_Clicked]) -> torch.Tensor:
    """Logits (B, side, side)."""
    shown = torch.from_numpy(np.stack([picture.channels for picture in pictures]))
    logits = model(shown.contiguous(memory_format=torch.channels_last)).float()
    return unfolded(logits, pictures[0].truth.shape[0])
