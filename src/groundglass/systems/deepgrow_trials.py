"""DeepGrow's training in small, on simulated abdominal CT: structures held out whole, a control without the simulated
user, classical rivals with the same clicks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from groundglass.core import ModelCitation
from groundglass.learn import Plan, train
from groundglass.nets.build import build_network
from groundglass.segmentation.interactive import Session
from groundglass.segmentation.interactive.deepgrow import DeepGrowEngine
from groundglass.segmentation.interactive.evaluation import RIVALS, Run, Task, next_click, played, rival_dice
from groundglass.segmentation.interactive.planes import Planes
from groundglass.segmentation.interactive.training.deepgrow import CLICKS, TargetBatches, deepgrow_objective
from groundglass.segmentation.interactive.training.windowed import LabelledSlice, WindowSampler
from groundglass.synthesis import make_phantom
from groundglass.systems.proof import Claim

Masks = dict[str, NDArray[np.bool_]]
SEED = 94
SEEN = ("liver", "right kidney", "left kidney", "stomach", "gallbladder", "pancreas", "abdominal aorta", "vertebra")
UNSEEN = ("spleen", "left iliopsoas", "right iliopsoas")
PATIENTS, TESTED = 24, 6
# Clicks of a short and of a long session; pixels about a stray click that may change.
FEW, LONG, FAR = 5, 50, 30
FIRST, SECOND, RATE = 800, 2800, 3e-3
SHAPE = (256, 256, 32)
WINDOW = (-160, 240)
LEAST_PIXELS = 60
NETWORK = {"in_channels": 3, "out_channels": 4, "filters": (24, 48, 96, 128, 128)}


def slices_of(patient: int, *, seed: int, wanted: tuple[str, ...]) -> Iterator[tuple[NDArray[np.float32], Masks]]:
    """Axial slices (256, 256) of a simulated patient in the window of soft tissue, with the wanted structures in each;
    vertebrae of all levels go by one name."""
    case = make_phantom("abdomen-ct", seed=seed, index=patient, shape=SHAPE)
    planes = Planes(case.image.with_pixels(np.clip(case.image.array, *WINDOW)), 2)
    held: Masks = {}
    for name, mask in case.structures.items():
        known = next((w for w in wanted if name == w or name.split(" ")[-1] == w), None)
        if known is not None and not mask.is_empty:
            held[known] = held.get(known, np.zeros(SHAPE, dtype=bool)) | mask.array
    for index in range(SHAPE[2]):
        there = {name: mask[..., index] for name, mask in held.items() if mask[..., index].sum() >= LEAST_PIXELS}
        if there:
            yield planes.plane(index), there


def training_slices() -> list[LabelledSlice]:
    """Slices (256, 256) with the structures that may be seen."""
    return [
        LabelledSlice.of(picture, masks)
        for patient in range(PATIENTS)
        for picture, masks in slices_of(patient, seed=SEED, wanted=SEEN)
    ]


def tasks(wanted: tuple[str, ...]) -> list[Task]:
    """Each structure of each tested patient, in the slice where it is largest."""
    found = []
    for patient in range(TESTED):
        best: dict[str, Task] = {}
        for picture, masks in slices_of(patient, seed=SEED + 1, wanted=wanted):
            for name, mask in masks.items():
                if name not in best or mask.sum() > best[name].truth.sum():
                    best[name] = Task(name, picture, mask)
        found += list(best.values())
    return found


def networks(folder: Path, slices: list[LabelledSlice]) -> tuple[DeepGrowEngine, DeepGrowEngine, float]:
    """With and without the simulated user: the same first steps with first clicks alone, then as many more of each;
    and how many seconds that took."""
    torch.manual_seed(SEED)
    common = build_network("PlanarUNet", **NETWORK)
    common.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    seconds = _learn(common, slices, folder / "first clicks", clicks=1, steps=FIRST, seed=SEED, horizon=2 * FIRST)
    engines = []
    for name, clicks in (("simulated user", CLICKS), ("control", 1)):
        network = deepcopy(common)
        seconds += _learn(network, slices, folder / name, clicks=clicks, steps=SECOND, seed=SEED + 1)
        engines.append(DeepGrowEngine(network, ModelCitation(f"DeepGrow in small, {name}", "1")))
    return engines[0], engines[1], seconds


def _learn(
    network: torch.nn.Module,
    slices: list[LabelledSlice],
    folder: Path,
    *,
    clicks: int,
    steps: int,
    seed: int,
    horizon: int | None = None,
) -> float:
    plan = Plan(steps=steps, learning_rate=RATE, weight_decay=1e-4, warmup=20, average=0.98, horizon=horizon,
                precision="bf16", checkpoint_every=100, seed=seed)  # fmt: skip
    batches = TargetBatches(WindowSampler(slices), plan.seed)
    objective = partial(deepgrow_objective, clicks=clicks)
    return train(network, batches, objective, plan, folder=folder, log_every=25).last("seconds")


def trials(workdir: Path) -> list[Claim]:
    """Card 94's checks 2 to 4 in small."""
    looped, control, seconds = networks(workdir, training_slices())
    groups = {name: tasks(wanted) for name, wanted in (("seen", SEEN), ("unseen", UNSEEN))}
    runs = {name: [played(task, next_click, FEW, engine=looped) for task in held] for name, held in groups.items()}
    alone = [played(task, next_click, FEW, engine=control) for held in groups.values() for task in held]
    every = [*runs["seen"], *runs["unseen"]]
    return [
        *_learnt(runs, groups),
        *_rivals([task for held in groups.values() for task in held], every),
        _loop_matters(every, alone, seconds),
        *_steady([task for held in groups.values() for task in held[::2]], looped),
    ]


def _dice(runs: list[Run], click: int) -> float:
    return fmean(run.dice[click - 1] for run in runs)


def _gain(runs: list[Run]) -> float:
    return _dice(runs, FEW) - _dice(runs, 1)


def _learnt(runs: dict[str, list[Run]], groups: dict[str, list[Task]]) -> list[Claim]:
    claims = []
    for name, least, rise in (("seen", 0.80, 0.05), ("unseen", 0.65, 0.12)):
        first, gain = _dice(runs[name], 1), _gain(runs[name])
        by_structure: dict[str, list[float]] = {}
        for task, run in zip(groups[name], runs[name], strict=True):
            by_structure.setdefault(task.name, []).append(run.dice[0])
        claims += [
            Claim(
                f"Dice after one click, structures {name}", first, f">= {least:.2f}", first >= least, simulated=True,
                detail={"tasks": len(runs[name]), **{k: round(fmean(v), 3) for k, v in by_structure.items()}},
            ),
            Claim(
                f"gain of Dice from clicks 2 to {FEW}, structures {name}", gain, f">= {rise:.2f}", gain >= rise,
                simulated=True, detail={f"Dice after {FEW}": round(first + gain, 4)},
            ),
        ]  # fmt: skip
    return claims


def _rivals(held: list[Task], runs: list[Run]) -> list[Claim]:
    ours, others = _dice(runs, 1), {}
    with warnings.catch_warnings():
        # scikit-image's solver says how far it is from the last digit.
        warnings.simplefilter("ignore", UserWarning)
        for name in ("random walker", "region growing"):
            pairs = zip(held, runs, strict=True)
            others[name] = fmean(rival_dice(task, run, RIVALS[name], (1,))[0] for task, run in pairs)
    return [
        Claim(
            f"Dice after one click, beside {name}",
            ours,
            ">= 0.15 above",
            ours >= dice + 0.15,
            baseline=dice,
            simulated=True,
        )
        for name, dice in others.items()
    ]


def _loop_matters(runs: list[Run], alone: list[Run], seconds: float) -> Claim:
    gain, without = _gain(runs), _gain(alone)
    return Claim(
        f"gain from clicks 2 to {FEW} of the network trained with first clicks alone", without,
        "< half of that with the simulated user", without < gain / 2, baseline=gain, simulated=True,
        detail={"Dice after one click": round(_dice(alone, 1), 4), "seconds of both trainings": round(seconds)},
    )  # fmt: skip


def _steady(held: list[Task], engine: DeepGrowEngine) -> list[Claim]:
    """Many clicks on a case, and one that contradicts the others far from the structure."""
    runs = [played(task, next_click, LONG, engine=engine) for task in held]
    # A user who sees nothing wrong does not click.
    changes = np.concatenate([np.diff(run.dice) for run in runs])
    made = changes[changes != 0]
    worse = float((made < -0.02).mean())
    reached = fmean(run.dice[-1] > 0.9 for run in runs)
    strayed = fmean(_stray_change(task, engine) for task in held)
    return [
        Claim("share of clicks that lower Dice by more than 0.02", worse, "< 0.10", worse < 0.10, simulated=True,
              detail={"clicks": len(made)}),
        Claim(f"share of cases above Dice 0.9 after {LONG} clicks", reached, ">= 0.95", reached >= 0.95, simulated=True,
              detail={"cases": len(held), "mean Dice": round(fmean(run.dice[-1] for run in runs), 4)}),
        Claim(f"pixels beyond {FAR} of a contradictory click that it changes, mean share", strayed, "< 0.05",
              strayed < 0.05, simulated=True),
    ]  # fmt: skip


def _stray_change(task: Task, engine: DeepGrowEngine) -> float:
    """A click inside where the structure is not, as far from it as the picture allows, after two good ones."""
    session = Session(task.picture, engine=engine)
    for _ in range(2):
        drawn = next_click(task.truth, session.mask)
        if drawn is not None:
            session.scribble(*drawn)
    before = session.mask
    away = distance_transform_edt(~task.truth)
    row, column = np.unravel_index(int(away.argmax()), away.shape)
    session.click((float(column), float(row)))
    rows, columns = np.indices(task.truth.shape)
    beyond = np.hypot(rows - row, columns - column) > FAR
    return float((session.mask != before)[beyond].mean())
