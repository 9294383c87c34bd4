"""Training batches with the first prompts drawn, a function of seed and number."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from groundglass.learn import NumberedBatches
from groundglass.segmentation.interactive.training.samples import Sampler
from groundglass.synthesis import first_prompt, generous_strokes, with_brush

# Every fourth batch has fewer, larger pictures: the session works at 256 pixels.
SIZES = ((128, 12), (128, 12), (128, 12), (256, 3))
Tensors = dict[str, torch.Tensor]


@dataclass
class InteractiveBatches(NumberedBatches[Tensors]):
    """Endless batches {"image", "target", "positive", "negative", "box" (B, H, W), "brush" (B,), "number"}."""

    sampler: Sampler
    seed: int = 0

    def batch(self, number: int) -> Tensors:
        size, count = SIZES[number % len(SIZES)]
        rows = [self._sample(self.generator(number, k), size) for k in range(count)]
        stacked = {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]}
        return {**stacked, "number": torch.tensor([self.seed, number])}

    def _sample(self, rng: np.random.Generator, size: int) -> dict[str, np.ndarray]:
        picture, target = self.sampler.draw(rng, size)
        diet = self.sampler.diet
        careful = rng.random() < diet.generous
        drawn = generous_strokes(target, rng, around=diet.around) if careful else first_prompt(target, rng)
        widest = diet.brush
        brush = int(rng.integers(1, widest + 1)) if widest and rng.random() < 0.5 else 0
        drawn = with_brush(drawn, target, brush, rng)
        box = np.zeros(target.shape, dtype=np.float32)
        if drawn.box is not None:
            top, left, bottom, right = drawn.box
            box[top:bottom, left:right] = 1
        return {
            "image": picture,
            "target": target,
            "positive": drawn.positive,
            "negative": drawn.negative & ~drawn.positive,
            "box": box,
            "brush": np.array(brush),
        }


@dataclass
class Ahead:
    """The same batches, made by a process of its own while the last one is learnt from."""

    batches: InteractiveBatches
    steps: int

    def starting_at(self, steps: int) -> Self:
        later = copy(self)
        later.batches, later.steps = self.batches.starting_at(steps), self.steps - steps
        return later

    def __iter__(self) -> Iterator[Tensors]:
        numbers = range(self.batches.start, self.batches.start + self.steps)
        loader = torch.utils.data.DataLoader(
            _Numbered(self.batches), batch_size=None, sampler=numbers, num_workers=1, prefetch_factor=6
        )
        return iter(loader)


@dataclass
class _Numbered(torch.utils.data.Dataset[Tensors]):
    batches: InteractiveBatches

    def __getitem__(self, number: int) -> Tensors:
        return self.batches.batch(number)
