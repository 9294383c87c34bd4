"""What a training run is asked to do, apart from model, data and objective."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Plan:
    """Length, optimiser and bookkeeping of one run of `train`.

    AdamW with a linear warm-up of `warmup` steps to `learning_rate`, then a cosine to zero at `steps`.
    `clip` bounds the gradient norm (None: no bound). `average` is the decay of an exponential moving average
    of the weights, which then is what is validated and returned (None: the last weights). `precision` is
    that of the forward pass; `seed` fixes initial draws of torch, numpy and random. With `horizon` the cosine is
    that of a run of so many steps, of which this one is the beginning.
    """

    steps: int
    learning_rate: float = 1e-3
    weight_decay: float = 1e-5
    warmup: int = 50
    clip: float | None = 1.0
    average: float | None = None
    precision: Literal["no", "bf16", "fp16"] = "no"
    accumulate: int = 1
    checkpoint_every: int = 500
    validate_every: int = 0
    seed: int = 0
    horizon: int | None = field(default=None, repr=False)
