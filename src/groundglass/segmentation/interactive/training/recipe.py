"""Trains the network of interactive segmentation from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from groundglass.core import ConfigurationError

FILTERS = (32, 48, 64, 96, 128)
STEPS = 8000
VERSION = "0.1"


def train(folder: Path, *, data: Path | None = None, seed: int = 0, steps: int | None = None) -> dict[str, Any]:
    """Train into `folder` (weights.safetensors, config.json); the loss at the end comes back.

    `data` holds the open sets. Pictures and labels are made once, under `folder`/pool. A run that was killed goes on
    from its last checkpoint. Raises ConfigurationError without `data`.
    """
    import torch

    from groundglass.learn.loop import train as run
    from groundglass.learn.plan import Plan
    from groundglass.models import save_model
    from groundglass.nets.build import build_network
    from groundglass.segmentation.interactive.training.batches import Ahead, InteractiveBatches
    from groundglass.segmentation.interactive.training.objective import objective
    from groundglass.segmentation.interactive.training.pool import build_pool
    from groundglass.segmentation.interactive.training.samples import Sampler

    if data is None:
        raise ConfigurationError("interactive", "needs the open data sets", "Pass --data.")
    pool = build_pool(folder / "pool", data, seed=seed)
    torch.manual_seed(seed)
    architecture = {"in_full": 5, "in_half": 6, "walk": 2, "filters": list(FILTERS)}
    network = build_network("StrokeUNet", **architecture).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    plan = Plan(
        steps=steps or STEPS,
        learning_rate=2e-3,
        weight_decay=1e-4,
        warmup=200,
        average=0.998,
        precision="bf16",
        checkpoint_every=500,
        seed=seed,
    )
    batches = Ahead(InteractiveBatches(Sampler(pool), seed), plan.steps)
    history = run(network, batches, objective, plan, folder=folder / "run")
    config = {"name": "interactive", "version": VERSION, "architecture": {"net": "StrokeUNet", **architecture}}
    save_model(folder, network, config)
    return {"steps": plan.steps, "loss": history.loss[-1]}
