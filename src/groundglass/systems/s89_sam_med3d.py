"""SAM-Med3D: promptable segmentation of volumes from a few points in 3D.

Wang et al. (arXiv 2310.15161). The network has the published names and shapes and takes the published weights, which
are not shipped. What differs: the dense positional grid has its axes in order (the released code swaps the first two;
the choice "released" keeps that, and published weights are loaded with it); the cube is set about the user's click,
never about a reference; a mask that reaches its border is followed by further cubes. The card's check of behaviour is
run in small, on simulated shapes (`volume_sam_trials`); that network does not ship.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np

from groundglass.nets.volume_sam import VolumeSam, published_layout
from groundglass.segmentation import VolumeCrop
from groundglass.synthesis import deepest_click, error_click
from groundglass.systems.proof import Claim, Proof
from groundglass.systems.volume_sam_trials import BATCH, FEW, FIRST, MANY, SECOND, SIDE, TARGETS, trials

ENTRY = "groundglass segment VOLUME --slice K --click X,Y --model sam_med3d_turbo.pth"

SEED = 89
PAIRS = 100
CUBES = 12


def prove(workdir: Path, data: Path | None) -> Proof:
    """Card 89's checks of positions, layout, clicks and crops, and, in small, of learned behaviour."""
    claims = [_positions("correct"), _positions("released"), _layout(), *_clicks(), _crops(), *trials(workdir)]
    notes = (
        "Published weights were not at hand: their layout alone is checked.",
        f"Reduced: cubes of {SIDE} voxels with patches of 4, three blocks of width 96, {FIRST} steps of {BATCH} scenes "
        f"and {TARGETS} targets in each, {FEW} answers to a target, and {SECOND} steps with {MANY}; three simulated "
        "shapes in a scene. Training clicks anywhere in the error, the test its deepest voxel.",
    )
    return Proof(89, tuple(claims), (SEED, SEED + 1), (), notes)


def _positions(compat: str) -> Claim:
    """Clicks at every cell's middle and off it, and the cell whose position is most alike."""
    import torch

    torch.manual_seed(SEED)
    with torch.no_grad():
        network = VolumeSam(side=64, patch=8, width=24, depth=0, heads=2, compat=compat)  # type: ignore[arg-type]
        grid = network.prompt_encoder.grid_position()[0].flatten(1).T
        voxels = torch.tensor(list(product(range(3, 64, 8), repeat=3)))
        place = network.prompt_encoder.pe_layer((voxels + 0.5) / 64)
        alike = torch.nn.functional.normalize(place, dim=1) @ torch.nn.functional.normalize(grid, dim=1).T
        cells = np.stack(np.unravel_index(alike.argmax(dim=1).numpy(), (8, 8, 8)), axis=1)
    share = float((cells == voxels.numpy() // 8).all(axis=1).mean())
    if compat == "correct":
        return Claim("clicks most alike to the cell that holds them", share, "1", share == 1.0, simulated=True)
    name = "the same with the released grid, which swaps two axes"
    return Claim(name, share, "< 1 (the mistake is kept)", share < 1.0, simulated=True)


def _layout() -> Claim:
    import torch

    with torch.device("meta"):
        state = VolumeSam().state_dict()
    listed = published_layout()
    wrong = sum(name not in state or tuple(state[name].shape) != shape for name, shape in listed.items())
    wrong += len(state.keys() - listed.keys())
    return Claim("parameters that differ from the published layout", float(wrong), "0", wrong == 0,
                 detail={"parameters": len(listed)})  # fmt: skip


def _clicks() -> list[Claim]:
    """Both policies on random pairs of blobs; depths counted voxel by voxel."""
    rng = np.random.default_rng(SEED)
    different = stray = 0
    for _ in range(PAIRS):
        truth, guess = _blob(rng), _blob(rng)
        click = deepest_click(truth, guess)
        best = max((_depth_by_hand(part) for part in (truth & ~guess, guess & ~truth)), default=0.0)
        if click is None:
            different += best > 0
        else:
            part = truth & ~guess if click[1] else guess & ~truth
            different += bool(abs(_depth_at(part, click[0]) - best) > 1e-9)
        drawn = error_click(truth, guess, rng)
        stray += drawn is not None and not (truth & ~guess if drawn[1] else guess & ~truth)[tuple(drawn[0])]
    return [
        Claim(f"deepest clicks unlike brute force, of {PAIRS}", float(different), "0", different == 0, simulated=True),
        Claim(f"drawn clicks outside of their error, of {PAIRS}", float(stray), "0", stray == 0, simulated=True),
    ]


def _blob(rng: np.random.Generator) -> np.ndarray:
    at = np.indices((8, 8, 8)) - rng.uniform(1, 7, 3)[:, None, None, None]
    return np.asarray((at**2).sum(axis=0) < rng.uniform(1.5, 4) ** 2)


def _depth_by_hand(mask: np.ndarray) -> float:
    return max((_depth_at(mask, voxel) for voxel in np.argwhere(mask)), default=0.0)


def _depth_at(mask: np.ndarray, voxel: np.ndarray) -> float:
    outside = np.argwhere(~np.pad(mask, 1)) - 1
    return float(np.sqrt(((outside - voxel) ** 2).sum(axis=1).min()))


def _crops() -> Claim:
    """A block cut from oblique volumes and pasted back: how far its middle moves, in voxels of the source."""
    rng = np.random.default_rng(SEED)
    truth = np.zeros((40, 36, 30), dtype=np.float32)
    truth[14:26, 10:24, 9:19] = 1
    worst = 0.0
    for _ in range(CUBES):
        affine = np.eye(4)
        affine[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0] * rng.uniform(0.8, 3.0, 3)
        crop = VolumeCrop.about(np.array([20.0, 17, 14]), shape=truth.shape, affine=affine, side=64, spacing=1.0)
        back = np.argwhere(crop.paste(crop.cut(truth), outside=0.0) > 0.5)
        worst = max(worst, float(np.abs(back.mean(axis=0) - np.argwhere(truth > 0.5).mean(axis=0)).max()))
    return Claim("shift of a block, cut and pasted (voxels)", worst, "< 0.5", worst < 0.5, simulated=True)
