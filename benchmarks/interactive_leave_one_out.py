"""Dice on each labelled training set when it is left out of training whole, beside a training with it.

    GROUNDGLASS_DATA=DATA python benchmarks/interactive_leave_one_out.py --work DIR [--steps 1500] [--most 16] [-o FILE]

Trainings are short (the shipped network had 31,500 steps) and start from one seed; their pictures are kept in DIR, and
a run that was killed goes on. Tasks come from the test splits: nuclei all together, each part of the hippocampus,
sarcomas. Prints JSON: Dice after 1, 3, 5, 10 strokes and from one careful set, with the set and without it, beside the
random walker.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from groundglass.core import ModelCitation
from groundglass.segmentation.interactive import Engine
from groundglass.segmentation.interactive.evaluation import (
    RIVALS,
    Task,
    agreement,
    careful_strokes,
    dice_of_set,
    next_stroke,
    played,
)
from groundglass.segmentation.interactive.network import network_engine
from groundglass.segmentation.interactive.training.pool import Pool, build_pool, hippocampi, nuclei, sarcomas
from groundglass.segmentation.interactive.training.recipe import short_training
from groundglass.segmentation.interactive.training.samples import EDGES

SETS = {"nuclei-dsb2018": nuclei, "hippocampus-msd": hippocampi, "sarcoma-petct": sarcomas}
STEPS = (1, 3, 5, 10)
LEAST_PIXELS = 30


def tasks(name: str, data: Path, most: int) -> list[Task]:
    """Structures of a set's test split, at most so many, evenly over it."""
    found = list(_all_tasks(name, data))
    return [found[int(k)] for k in np.linspace(0, len(found) - 1, min(most, len(found))).round()]


def _all_tasks(name: str, data: Path) -> Iterator[Task]:
    for number, item in enumerate(SETS[name](data, np.random.default_rng(0), split="test")):
        labels = item.layers[0].labels
        wanted = [labels > 0] if name == "nuclei-dsb2018" else [labels == k for k in np.unique(labels)[1:]]
        for truth in wanted:
            if truth.sum() >= LEAST_PIXELS:
                yield Task(f"{name} {number}", item.picture.astype(np.float32) / 255, truth)


def trained(pool: Pool, steps: int, folder: Path) -> Engine:
    """A network after one short stage on these sets."""
    return network_engine(short_training(pool, folder, steps=steps), ModelCitation("StrokeUNet", folder.name))


def scores(task: Task, engine: Engine) -> dict[str, float]:
    """Dice of one task after strokes and from one set."""
    run, careful = played(task, next_stroke, STEPS[-1], engine=engine), careful_strokes(task.truth)
    walker = agreement(RIVALS["random walker"](task.picture, *careful), task.truth)
    one = {"one set": dice_of_set(task, careful, engine=engine), "random walker, one set": walker}
    return {f"strokes {n}": run.dice[n - 1] for n in STEPS} | one


def means(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--most", type=int, default=16, help="tasks of each set")
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    # scikit-image's solver says how far it is from the last digit.
    warnings.simplefilter("ignore", UserWarning)
    data = Path(os.environ["GROUNDGLASS_DATA"])
    pool = build_pool(options.work / "pool", data, only=EDGES.shares.keys())
    whole = trained(pool, options.steps, options.work / "with all")
    table = {}
    for name in SETS:
        rest = {other: items for other, items in pool.items() if other != name}
        without = trained(rest, options.steps, options.work / f"without {name}")
        chosen = tasks(name, data, options.most)
        sides = {"without": without, "with": whole}
        table[name] = {k: means([scores(task, engine) for task in chosen]) for k, engine in sides.items()}
        print(name, json.dumps(table[name]), flush=True)
    text = json.dumps({"steps": options.steps, "sets": table}, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
