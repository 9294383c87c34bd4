"""Recipe of the shipped weights `radiograph-view`: real frontals turned, mirrored and inverted at random,
simulated laterals,
and openly licensed pictures of other things."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from groundglass.classification.radiograph_view import answer_variants, decide
from groundglass.classification.radiograph_view_data import (
    Example,
    ViewBatches,
    frontal_examples,
    other_examples,
    simulated_laterals,
)
from groundglass.core import ConfigurationError
from groundglass.learn import Plan
from groundglass.learn import train as fit

SIZE = 160
# Cosine cycles (warm restart, Loshchilov and Hutter, ICLR 2017): (share of STEPS, share of turned pictures).
STEPS, CYCLES = 900, ((1.0, 0.6), (0.6, 0.85), (1.5, 0.9))
ARCHITECTURE = {
    "net": "ResNet",
    "block": "basic",
    "layers": [1, 1, 1, 1],
    "block_inplanes": [24, 48, 96, 160],
    "spatial_dims": 2,
    "n_input_channels": 1,
    "conv1_t_size": 5,
    "conv1_t_stride": 2,
    "num_classes": 10,
}


def train(folder: Path, *, data: Path | None, seed: int = 0, steps: int | None = None) -> dict[str, Any]:
    """Train into `folder` and return figures on the validation split. Raises ConfigurationError without `data`."""
    from groundglass.models import save_model
    from groundglass.nets.build import build_network

    if data is None:
        raise ConfigurationError("data", "is needed for the radiographs", "Pass the folder that holds cxr-nih14.")
    torch.manual_seed(seed)
    arguments = dict(ARCHITECTURE)
    model = build_network(str(arguments.pop("net")), **arguments).to(memory_format=torch.channels_last)
    groups = (
        frontal_examples(data, "train", SIZE),
        simulated_laterals(120, SIZE, seed),
        other_examples(data, "train", SIZE),
    )
    for number, (share, turned) in enumerate(CYCLES, start=1):
        batches = ViewBatches(groups, (0.72, 0.12, 0.16), turned=turned, seed=seed + number - 1)
        count = max(1, round((steps or STEPS) * share))
        plan = Plan(
            steps=count,
            learning_rate=2e-3,
            weight_decay=0.02,
            warmup=min(100, count // 4),
            average=0.99,
            precision="bf16",
            seed=seed,
        )
        fit(model, batches, objective, plan, folder=folder / ("run" if number == 1 else f"run-{number}"))
    model.eval()
    figures = agreement(model, frontal_examples(data, "val", SIZE), other_examples(data, "val", SIZE))
    save_model(
        folder,
        model,
        {
            "name": "radiograph-view",
            "version": "1",
            "architecture": ARCHITECTURE,
            "preprocessing": {"size": SIZE},
            "figures": figures,
        },
    )
    return figures


def objective(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Sum of the decisions' cross-entropies, each over the pictures that it applies to."""
    outputs = model(batch["image"].contiguous(memory_format=torch.channels_last)).float()
    kind = cross_entropy(outputs[:, :3], batch["kind"].long())
    quarters = _mean(cross_entropy(outputs[:, 4:8], batch["quarters"].long(), reduction="none"), batch["placed"])
    inverted = _mean(
        binary_cross_entropy_with_logits(outputs[:, 9], batch["inverted"], reduction="none"), batch["placed"]
    )
    mirrored = _mean(
        binary_cross_entropy_with_logits(outputs[:, 8], batch["mirrored"], reduction="none"), batch["sided"]
    )
    # A little label smoothing: the split's AP and PA labels come from headers and are not without error.
    view = _mean(
        binary_cross_entropy_with_logits(outputs[:, 3], 0.95 * batch["ap"] + 0.025, reduction="none"),
        batch["view_known"],
    )
    return kind + quarters + inverted + mirrored + 1.5 * view


def _mean(loss: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return (loss * weight).sum() / weight.sum().clamp(min=1)


def agreement(model: torch.nn.Module, frontals: list[Example], others: list[Example]) -> dict[str, float]:
    """Share of right answers on pictures as they come (set upright) and, per picture, in one random state.

    The side is another model's business (`radiograph-side`).
    """
    from groundglass.classification.turns import TURNS

    kinds, views, states = [], [], []
    for number, example in enumerate([*frontals, *others]):
        rng = np.random.default_rng(number)
        turn, inverted = TURNS[int(rng.integers(8))], bool(rng.integers(2))
        picture = example.picture.astype(np.float32) / 255
        found = decide(answer_variants(model, turn.apply(1 - picture if inverted else picture)), lambda *_: -1.0)
        kinds.append((found.kind == "not a chest radiograph") == (example.kind == 2))
        if example.kind == 0:
            views.append(found.view == ("AP" if example.ap else "PA"))
            states.append((found.turn.quarters, found.inverted) == (turn.quarters, inverted))
    return {
        "kind": float(np.mean(kinds)),
        "AP or PA": float(np.mean(views)),
        "turn and polarity": float(np.mean(states)),
        "frontals": len(frontals),
        "others": len(others),
    }
