"""Recipe of the shipped weights `radiograph-side`: real frontals, moved, shaded and partly hidden; the mirrored
picture needs no example of its own, because the network is odd."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import affine_grid, grid_sample, interpolate, softplus

from groundglass.classification.radiograph_side import MODEL, mirrored_logit
from groundglass.classification.radiograph_view_data import frontal_examples
from groundglass.core import ConfigurationError
from groundglass.learn import NumberedBatches, Plan
from groundglass.learn import train as fit

SIZE, STEPS = 112, 1500
ARCHITECTURE = {"net": "OddNet", "width": 12, "members": 2, "window": 29}


def train(folder: Path, *, data: Path | None, seed: int = 0, steps: int | None = None) -> dict[str, Any]:
    """Train into `folder` and return figures on the validation split. Raises ConfigurationError without `data`."""
    from groundglass.models import save_model
    from groundglass.nets.build import build_network

    if data is None:
        raise ConfigurationError("data", "is needed for the radiographs", "Pass the folder that holds cxr-nih14.")
    torch.manual_seed(seed)
    arguments = dict(ARCHITECTURE)
    model = build_network(str(arguments.pop("net")), **arguments)
    count = steps or STEPS
    plan = Plan(
        steps=count, learning_rate=2e-3, weight_decay=0.05, warmup=min(100, count // 4), average=0.99, seed=seed
    )
    fit(model, SideBatches(_pictures(data, "train"), seed=seed), objective, plan, folder=folder / "run")
    model.eval()
    figures = agreement(model, _pictures(data, "val"))
    save_model(
        folder,
        model,
        {
            "name": MODEL,
            "version": "1",
            "architecture": ARCHITECTURE,
            "preprocessing": {"size": SIZE},
            "figures": figures,
        },
    )
    return figures


def objective(model: torch.nn.Module, batch: torch.Tensor) -> torch.Tensor:
    """Each member's logistic loss on pictures that are not mirrored; the mirrored ones follow, the network is odd."""
    return softplus(model.answers(batch)).mean()  # type: ignore[operator]


def agreement(model: torch.nn.Module, pictures: NDArray[np.float32]) -> dict[str, float]:
    """Share of the pictures (N, S, S), none mirrored, that are told from their mirror image."""
    logits = np.array([mirrored_logit(model, picture) for picture in pictures])
    return {"mirrored or not": float((logits < 0).mean()), "frontals": len(pictures)}


def _pictures(data: Path, split: str) -> NDArray[np.float32]:
    return np.stack([e.picture for e in frontal_examples(data, split, SIZE)]).astype(np.float32) / 255


@dataclass
class SideBatches(NumberedBatches[torch.Tensor]):
    """Endless batches (B, 1, S, S) of unmirrored pictures (N, S, S), each in a new state."""

    pictures: NDArray[np.float32]
    size: int = 32
    seed: int = 0

    def batch(self, number: int) -> torch.Tensor:
        rng = self.generator(number)
        chosen = self.pictures[rng.integers(len(self.pictures), size=self.size)]
        return hidden(shaded(moved(torch.from_numpy(chosen)[:, None], rng), rng), rng)


def moved(pictures: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Turned by about 3 degrees, stretched by 10 % and shifted by 6 % of the half side (standard deviations)."""
    count = len(pictures)
    angle, stretch = rng.normal(0, 0.06, count), np.exp(rng.normal(-0.05, 0.1, (count, 2)))
    matrix = np.zeros((count, 2, 3), np.float32)
    matrix[:, 0, 0], matrix[:, 0, 1] = np.cos(angle) * stretch[:, 0], -np.sin(angle)
    matrix[:, 1, 0], matrix[:, 1, 1] = np.sin(angle), np.cos(angle) * stretch[:, 1]
    matrix[:, :, 2] = rng.normal(0, 0.06, (count, 2))
    grid = affine_grid(torch.from_numpy(matrix), list(pictures.shape), align_corners=False)
    return grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


def shaded(pictures: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Another gamma and a smooth shading, as of another exposure and an uneven grid."""
    count, side = len(pictures), pictures.shape[-1]
    gamma = np.exp(rng.normal(0, 0.25, (count, 1, 1, 1))).astype(np.float32)
    shade = torch.from_numpy(rng.normal(0, 0.1, (count, 1, 3, 3)).astype(np.float32))
    smooth = interpolate(shade, size=(side, side), mode="bicubic", align_corners=True)
    return pictures.clamp(1e-3, 1) ** torch.from_numpy(gamma) + smooth


def hidden(pictures: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """One rectangle of half the pictures in their mean grey, so that no single sign (a letter, the heart) is all."""
    side = pictures.shape[-1]
    for picture in pictures:
        if rng.random() < 0.5:
            rows, columns = rng.integers(side // 9, side // 2.7, 2)
            top, left = rng.integers(0, side - rows), rng.integers(0, side - columns)
            picture[:, top : top + rows, left : left + columns] = picture.mean()
    return pictures
