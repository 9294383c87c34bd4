"""The recipe of the shipped `brain-mr` network: synthetic brains alone, no real image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundglass.nets.tissue_evidence import BETWEEN, FLUID, GREY, OUTSIDE, WHITE

if TYPE_CHECKING:
    import numpy as np

# Group of each structure for `nets.tissue_evidence`; the nuclei that are half white matter lie between.
TISSUE = {
    "background": OUTSIDE, "cerebrospinal fluid": FLUID, "lateral ventricle": FLUID, "third ventricle": FLUID,
    "fourth ventricle": FLUID, "cerebral cortex": GREY, "cerebellar cortex": GREY, "caudate nucleus": GREY,
    "putamen": GREY, "cerebral white matter": WHITE, "cerebellar white matter": WHITE, "brainstem": WHITE,
    "thalamus": BETWEEN, "globus pallidus": BETWEEN,
}  # fmt: skip
FILTERS = (16, 32, 64, 96)
PATCH = (56, 56, 56)
# Steps and rate with any contrast, with the contrasts that sequences have, and twice with these in two anatomies.
STAGES = ((2400, 2e-3), (850, 1e-3), (4500, 1.2e-3), (5000, 1.2e-3))


def train(
    folder: Path,
    *,
    data: Path | None = None,
    seed: int = 0,
    steps: int | None = None,
    draw: Callable[[np.random.Generator], Any] | None = None,
) -> dict[str, Any]:
    """Train into `folder` (weights.safetensors, config.json); the last loss comes back. `data` is not used.

    Needs nilearn (its wheel holds the tissue maps). One core of an AVX-512-BF16 machine takes about three hours.
    `steps` shortens each stage; with `draw` every image has the contrast (`synthesis.brain_contrast.Contrast`) that it
    draws.
    """
    import torch

    from groundglass.learn.loop import train as run
    from groundglass.learn.objectives.voxel_entropy import voxel_entropy
    from groundglass.learn.plan import Plan
    from groundglass.models import save_model
    from groundglass.nets.build import build_network
    from groundglass.segmentation.brain_prior import share_maps
    from groundglass.synthesis import (
        PAIRED,
        STRUCTURES,
        BrainBatches,
        brain_atlas,
        colin_atlas,
        draw_contrast,
        draw_sequence_contrast,
    )

    torch.manual_seed(seed)
    architecture = {"tissue": [TISSUE[name] for name in STRUCTURES], "filters": list(FILTERS)}
    network = build_network("PriorUNet", **architecture)
    average, both = (brain_atlas(),), (brain_atlas(), colin_atlas())
    sequences = draw_sequence_contrast
    diets = ((draw_contrast, average), (sequences, average), (sequences, both), (sequences, both))
    losses, done = [], 0
    for stage, ((planned, rate), (drawn, atlases)) in enumerate(zip(STAGES, diets, strict=True)):
        plan = Plan(
            steps=min(planned, steps or planned),
            learning_rate=rate,
            weight_decay=1e-4,
            warmup=60,
            average=0.995,
            precision="bf16",
            checkpoint_every=250,
            seed=seed + stage,
        )
        batches = BrainBatches(share_maps(), PATCH, seed=seed + stage, draw=draw or drawn, atlases=atlases)
        history = run(network, batches, voxel_entropy, plan, folder=folder / f"stage{stage + 1}", log_every=20)
        losses.append(history.loss[-1])
        done += plan.steps
    config = {
        "name": "brain-mr",
        "version": "0.4",
        "architecture": {"net": "PriorUNet", **architecture},
        "labels": list(STRUCTURES),
        "paired": [STRUCTURES[value] for value in PAIRED],
    }
    save_model(folder, network, config)
    return {"steps": done, "loss": losses[-1]}
