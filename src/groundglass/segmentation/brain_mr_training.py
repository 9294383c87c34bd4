"""The recipe of the shipped `brain-mr` network: synthetic brains alone, no real image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FILTERS = (24, 48, 80, 128)
PATCH = (80, 96, 80)
VOXEL_MM = 2.0
STEPS = 1350


def train(folder: Path, *, data: Path | None = None, seed: int = 0, steps: int | None = None) -> dict[str, Any]:
    """Train into `folder` (weights.safetensors, config.json); the last loss comes back. `data` is not used.

    Needs nilearn (its wheel holds the tissue maps). One core of an AVX-512-BF16 machine takes about an hour.
    """
    import torch

    from groundglass.learn.loop import train as run
    from groundglass.learn.objectives.structures_and_side import StructuresAndSide
    from groundglass.learn.plan import Plan
    from groundglass.models import save_model
    from groundglass.nets.build import build_network
    from groundglass.synthesis import PAIRED, STRUCTURES, BrainBatches

    torch.manual_seed(seed)
    architecture = {"out_channels": len(STRUCTURES) + 1, "filters": list(FILTERS), "activation": "leakyrelu"}
    network = build_network("SubpixelUNet", **architecture)
    plan = Plan(
        steps=steps or STEPS,
        learning_rate=1e-3,
        weight_decay=1e-4,
        warmup=60,
        average=0.99,
        precision="bf16",
        checkpoint_every=100,
        seed=seed,
    )
    batches = BrainBatches(PATCH, VOXEL_MM, seed)
    history = run(network, batches, StructuresAndSide(PAIRED), plan, folder=folder / "run", log_every=20)
    config = {
        "name": "brain-mr",
        "version": "0.1",
        "architecture": {"net": "SubpixelUNet", **architecture},
        "labels": list(STRUCTURES),
        "paired": [STRUCTURES[value] for value in PAIRED],
        "voxel_mm": VOXEL_MM,
    }
    save_model(folder, network, config)
    return {"steps": plan.steps, "loss": history.loss[-1]}
