"""Recipe of the shipped weights `radiograph`: phantoms with any look, then self-training on unlabelled radiographs.

No real mask is used. Stages: 1. phantoms under domain randomisation with the look of unlabelled cxr-nih14 pictures;
2. rounds of pseudo-labels on cxr-nih14's training split, mixed half and half with phantoms.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from groundglass.core import ConfigurationError
from groundglass.learn import Plan
from groundglass.learn import train as fit
from groundglass.segmentation.radiograph_adaptation import main_structures_sane, probabilities, pseudo_labels
from groundglass.segmentation.radiograph_batches import RadiographBatches, objective
from groundglass.segmentation.radiograph_data import upright_pictures
from groundglass.segmentation.radiograph_labels import LABELS
from groundglass.segmentation.radiograph_phantoms import SIZE, render
from groundglass.synthesis import radiograph_appearance as looks

FILTERS = (16, 32, 64, 96, 128, 128)
# (phantoms, share of `steps`): the first stage starts on few, so that it need not wait for the rendering of all.
STAGES = ((300, 0.3), (900, 0.7))
STEPS, ROUND_STEPS, ROUNDS, BATCH = 1300, 420, 2, 8


def train(folder: Path, *, data: Path | None, seed: int = 0, steps: int | None = None) -> dict[str, Any]:
    """Train into `folder` (weights.safetensors, config.json) and return figures. `steps` sets the first stage's length.

    Every stage is kept in `folder` and resumed. Raises ConfigurationError without `data` (the shared data folder).
    """
    if data is None:
        raise ConfigurationError(
            "data", "is needed for the unlabelled radiographs", "Pass the folder that holds cxr-nih14."
        )
    first = steps or STEPS
    styles = upright_pictures(data, "train")
    torch.manual_seed(seed)
    model = network()
    for number, (count, share) in enumerate(STAGES, start=1):
        phantoms = render(folder / "phantoms", count, seed=seed)
        batches = RadiographBatches(phantoms, size=BATCH, seed=seed, styles=styles)
        stage(model, batches, folder / f"stage-{number}", steps=max(1, round(first * share)), seed=seed)
    figures: dict[str, Any] = {"plausible after phantoms": plausible(model, upright_pictures(data, "val"))}
    save(model, folder / "randomised", figures)
    for number in range(1, ROUNDS + 1):
        real = pseudo_labels(model, styles)
        figures[f"pseudo-labelled in round {number}"] = len(real.pictures)
        batches = RadiographBatches(phantoms, size=BATCH, seed=seed + number, styles=styles, real=real)
        stage(
            model,
            batches,
            folder / f"round-{number}",
            steps=max(1, first * ROUND_STEPS // STEPS),
            seed=seed + number,
            rate=1e-3,
        )
        figures[f"plausible after round {number}"] = plausible(model, upright_pictures(data, "val"))
        save(model, folder, figures)
    return figures


def train_plain(folder: Path, *, phantoms: Path, seed: int = 0, steps: int = STEPS) -> None:
    """The baseline of the benchmark: the same network on the phantoms as they were rendered, without any random
    look."""
    torch.manual_seed(seed)
    model = network()
    batches = RadiographBatches(render(phantoms, STAGES[-1][0], seed=seed), size=BATCH, seed=seed, appearance=False)
    stage(model, batches, folder / "plain", steps=steps, seed=seed)
    save(model, folder, {"steps": steps})


def network() -> torch.nn.Module:
    from groundglass.nets.build import build_network

    return build_network("PlanarUNet", out_channels=len(LABELS), filters=FILTERS).to(memory_format=torch.channels_last)


def stage(
    model: torch.nn.Module, batches: RadiographBatches, folder: Path, *, steps: int, seed: int, rate: float = 2e-3
) -> None:
    """One run of the training loop; the model ends with its averaged weights."""
    plan = Plan(
        steps=steps,
        learning_rate=rate,
        weight_decay=1e-4,
        warmup=min(50, steps // 4),
        average=0.99,
        precision="bf16",
        checkpoint_every=100,
        seed=seed,
    )
    fit(model, batches, objective, plan, folder=folder)


def plausible(model: torch.nn.Module, pictures: Any) -> float:
    """Share of unlabelled real pictures on which lungs and heart come out sane (no mask is involved)."""
    model.eval()
    sane = []
    for start in range(0, len(pictures), 8):
        block = np.stack([looks.stretch(p.astype(np.float32) / 255) for p in pictures[start : start + 8]])
        sane += [main_structures_sane(answer > 0.5) for answer in probabilities(model, block)]
    return float(np.mean(sane))


def save(model: torch.nn.Module, folder: Path, figures: dict[str, Any]) -> None:
    from groundglass.models import save_model

    save_model(
        folder,
        model,
        {
            "name": "radiograph",
            "version": "1",
            "architecture": {"net": "PlanarUNet", "out_channels": len(LABELS), "filters": list(FILTERS)},
            "labels": list(LABELS),
            "preprocessing": {"size": SIZE, "pad": "square", "percentiles": [1, 99], "mean": 0.5, "deviation": 0.25},
            "figures": figures,
        },
    )
