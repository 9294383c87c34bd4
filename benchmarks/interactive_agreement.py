"""Dice of interactive segmentation on sets that were left out of training whole, beside classical methods.

    GROUNDGLASS_DATA=DATA python benchmarks/interactive_agreement.py [--most 12] [--model NAME_OR_FOLDER] [-o FILE]

Test users that training never met: strokes along the middle of the largest wrong part, clicks at its deepest pixel, and
one careful set of strokes drawn before any answer. Rivals get the very strokes that were drawn for the network.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from pathlib import Path

import numpy as np
import torch

from groundglass.segmentation.interactive import torch_engine
from groundglass.segmentation.interactive.evaluation import (
    RIVALS,
    UNSEEN,
    Task,
    agreement,
    careful_strokes,
    dice_of_set,
    next_click,
    next_stroke,
    played,
    rival_dice,
)

STEPS = (1, 3, 5, 10)


def scores(task: Task, engine: object) -> dict[str, float]:
    """Every figure of one task."""
    strokes, clicks = (played(task, user, STEPS[-1], engine=engine) for user in (next_stroke, next_click))  # type: ignore[arg-type]
    row = {f"strokes {n}": strokes.dice[n - 1] for n in STEPS}
    row |= {f"clicks {n}": clicks.dice[n - 1] for n in STEPS}
    careful = careful_strokes(task.truth)
    row["one set"] = dice_of_set(task, careful, engine=engine)  # type: ignore[arg-type]
    for name, rival in RIVALS.items():
        row[f"{name}, strokes 5"] = rival_dice(task, strokes, rival, (5,))[0]
        row[f"{name}, one set"] = agreement(rival(task.picture, *careful), task.truth)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=12, help="tasks of each set")
    parser.add_argument("--model", default="interactive")
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    # scikit-image's solver says how far it is from the last digit.
    warnings.simplefilter("ignore", UserWarning)
    engine, data = torch_engine(options.model), Path(os.environ["GROUNDGLASS_DATA"])
    table: dict[str, dict[str, float]] = {}
    for name, tasks in UNSEEN.items():
        rows = [scores(task, engine) for task in tasks(data, options.most)]
        table[name] = {"tasks": len(rows), **{k: round(float(np.mean([r[k] for r in rows])), 4) for k in rows[0]}}
        print(name, json.dumps(table[name]), flush=True)
    figures = [key for key in next(iter(table.values())) if key != "tasks"]
    table["mean over sets"] = {k: round(float(np.mean([row[k] for row in table.values()])), 4) for k in figures}
    text = json.dumps(table, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
