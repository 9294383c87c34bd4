"""`groundglass train-builtin`: the recipes of the shipped weights."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import typer

from groundglass.core import ConfigurationError

# A recipe is `train(folder, *, data, seed, steps) -> figures` in the room whose model it makes.
RECIPES = {
    "brain-mr": "groundglass.segmentation.brain_mr_training",
    "hippocampus": "groundglass.segmentation.hippocampus_training",
    "interactive": "groundglass.segmentation.interactive.training",
    "radiograph": "groundglass.segmentation.radiograph_training",
    "radiograph-side": "groundglass.classification.radiograph_side_training",
    "radiograph-view": "groundglass.classification.radiograph_view_training",
}


def train_builtin(name: str, folder: Path, *, data: Path | None, seed: int, steps: int | None) -> None:
    """Run one recipe into `folder` and print its figures. Raises ConfigurationError for an unknown name."""
    if name not in RECIPES:
        raise ConfigurationError(name, "has no recipe", f"There are {', '.join(RECIPES)}.")
    figures = import_module(RECIPES[name]).train(folder, data=data, seed=seed, steps=steps)
    typer.echo(json.dumps(figures, indent=1))
