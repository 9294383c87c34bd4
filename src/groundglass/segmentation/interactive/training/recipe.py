"""Trains the network of interactive segmentation from a seed, in seven stages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundglass.core import ConfigurationError

if TYPE_CHECKING:
    import torch

    from groundglass.learn.loop import Objective
    from groundglass.nets.stroke_unet import StrokeUNet
    from groundglass.segmentation.interactive.training.pool import Pool
    from groundglass.segmentation.interactive.training.samples import Sampler

ARCHITECTURE: dict[str, Any] = {"in_full": 5, "in_half": 7, "walk": 2, "filters": [32, 48, 64, 96, 128]}
# What the first six stages saw: the walk on a blank image came with the seventh.
FIRST_CUES = 6
# Steps of the first stage, the length of the schedule that it is the beginning of, and steps of the later stages.
FIRST, HORIZON, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH = (
    4500, 8500, 2500, 3500, 8000, 3000, 4000, 6000
)  # fmt: skip
VERSION = "0.5"


def train(folder: Path, *, data: Path | None = None, seed: int = 0, steps: int | None = None) -> dict[str, Any]:
    """Train into `folder` (weights.safetensors, config.json); the losses at the end come back.

    `data` holds the open sets. Pictures and labels are made once, under `folder`/pool. First anything that has an edge
    is learnt, then anatomy and careful strokes (see `samples`), the latter twice: the third stage warms up again, on
    other draws. The fourth has more careful strokes, radiographs, brains and spines, the fifth broad brushes, the sixth
    thin trees, the seventh lines around structures, with one more cue for them. `steps` shortens all stages in
    proportion. A run that was killed goes on from its last checkpoint. Raises ConfigurationError without `data`.
    """
    from groundglass.models import save_model
    from groundglass.segmentation.interactive.training.objective import objective, shorter_objective
    from groundglass.segmentation.interactive.training.pool import build_pool
    from groundglass.segmentation.interactive.training.samples import (
        ANATOMY,
        AROUND,
        BRUSHES,
        CAREFUL,
        EDGES,
        THIN,
        Sampler,
    )

    if data is None:
        raise ConfigurationError("interactive", "needs the open data sets", "Pass --data.")
    pool = build_pool(folder / "pool", data, seed=seed)
    network = new_network(seed, in_half=FIRST_CUES)
    whole = FIRST + SECOND + THIRD + FOURTH + FIFTH + SIXTH + SEVENTH
    share = 1.0 if steps is None else steps / whole
    fast: dict[str, Any] = {"learning_rate": 2e-3, "warmup": 200, "horizon": round(share * HORIZON)}
    stages = (
        ("first", EDGES, objective, FIRST, seed, fast),
        ("second", ANATOMY, shorter_objective, SECOND, seed, {"learning_rate": 1.5e-3, "warmup": 50}),
        ("third", ANATOMY, shorter_objective, THIRD, seed + 1, {"learning_rate": 1.2e-3, "warmup": 100}),
        ("fourth", CAREFUL, shorter_objective, FOURTH, seed + 2, {"learning_rate": 1.2e-3, "warmup": 100}),
        ("fifth", BRUSHES, shorter_objective, FIFTH, seed + 3, {"learning_rate": 1e-3, "warmup": 100}),
        ("sixth", THIN, shorter_objective, SIXTH, seed + 4, {"learning_rate": 1e-3, "warmup": 100}),
        ("seventh", AROUND, shorter_objective, SEVENTH, seed + 5, {"learning_rate": 1e-3, "warmup": 100}),
    )
    losses = {}
    for name, diet, loss, length, draws, rates in stages:
        sampler, length = Sampler(pool, diet), max(1, round(share * length))
        if name == "seventh":
            network = _laid_out(network.widened())
        last = learn_stage(network, sampler, loss, steps=length, seed=draws, folder=folder / name, **rates)
        losses[f"loss of the {name} stage"] = last
    config = {"name": "interactive", "version": VERSION, "architecture": {"net": "StrokeUNet", **ARCHITECTURE}}
    save_model(folder, network, config)
    return {"steps": whole if steps is None else steps, **losses}


def new_network(seed: int, *, in_half: int = ARCHITECTURE["in_half"]) -> StrokeUNet:
    """The network before training, for the first `in_half` cues."""
    import torch

    from groundglass.nets.stroke_unet import StrokeUNet

    torch.manual_seed(seed)
    return _laid_out(StrokeUNet(**{**ARCHITECTURE, "in_half": in_half}))


def _laid_out(network: StrokeUNet) -> StrokeUNet:
    """With the channels of a pixel side by side, which a processor convolves faster."""
    import torch

    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def short_training(pool: Pool, folder: Path, *, steps: int, seed: int = 0) -> torch.nn.Module:
    """A network after one short stage on anything in `pool` that has an edge: what ablations compare."""
    from groundglass.segmentation.interactive.training.objective import shorter_objective
    from groundglass.segmentation.interactive.training.samples import EDGES, Sampler

    network, sampler = new_network(seed), Sampler(pool, EDGES)
    learn_stage(
        network, sampler, shorter_objective, steps=steps, seed=seed, folder=folder, learning_rate=2e-3, warmup=50
    )
    return network


def learn_stage(
    network: torch.nn.Module,
    sampler: Sampler,
    loss: Objective,
    *,
    steps: int,
    seed: int,
    folder: Path,
    **rates: Any,
) -> float:
    """Train `network` in place for one stage, and the loss at its end; `rates` are fields of `learn.Plan`."""
    from groundglass.learn.loop import train as run
    from groundglass.learn.plan import Plan
    from groundglass.segmentation.interactive.training.batches import Ahead, InteractiveBatches

    plan = Plan(
        steps=steps, weight_decay=1e-4, average=0.998, precision="bf16", checkpoint_every=500, seed=seed, **rates
    )  # fmt: skip
    batches = Ahead(InteractiveBatches(sampler, seed), steps)
    return run(network, batches, loss, plan, folder=folder).loss[-1]
