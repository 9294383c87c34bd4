"""The recipe of the shipped `brain-mr` network: synthetic brains alone, no real image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FILTERS = (24, 48, 80, 128)
PATCH = (80, 96, 80)
VOXEL_MM = 2.0
# Cosine cycles with warm restarts: steps of each. Each has its own seed, and so its own brains.
CYCLES = (1350, 3000)


def train(folder: Path, *, data: Path | None = None, seed: int = 0, steps: int | None = None) -> dict[str, Any]:
    """Train into `folder` and return the loss of each logged interval. `data` is not used: the atlas ships.

    Needs nilearn (its wheel holds the tissue maps). One core of an AVX-512-BF16 machine takes about an hour.
    """
    import torch

    from groundglass.learn.loop import train as run
    from groundglass.learn.objectives.structures_and_side import StructuresAndSide
    from groundglass.learn.plan import Plan
    from groundglass.nets.build import build_network
    from groundglass.synthesis import PAIRED, STRUCTURES, BrainBatches

    torch.manual_seed(seed)
    architecture = {"out_channels": len(STRUCTURES) + 1, "filters": list(FILTERS), "activation": "leakyrelu"}
    network = build_network("SubpixelUNet", **architecture)
    losses: list[float] = []
    for cycle, length in enumerate(CYCLES if steps is None else (steps,)):
        plan = Plan(
            steps=length,
            learning_rate=1e-3,
            weight_decay=1e-4,
            warmup=60,
            average=0.99,
            precision="bf16",
            checkpoint_every=100,
            seed=seed + cycle,
        )
        batches = BrainBatches(PATCH, VOXEL_MM, seed + cycle)
        history = run(network, batches, StructuresAndSide(PAIRED), plan, folder=folder / f"cycle{cycle}", log_every=20)
        losses += history.loss
    return {"loss": losses, "network": network, "architecture": {"net": "SubpixelUNet", **architecture}}
