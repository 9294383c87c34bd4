"""Dice after each prompt of a test user, for a session and, with the same strokes, for its rivals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.segmentation.interactive.engine import Engine
from groundglass.segmentation.interactive.evaluation.tasks import Task
from groundglass.segmentation.interactive.session import Session

Bool = NDArray[np.bool_]
User = Callable[[Bool, Bool], "tuple[Bool, bool] | None"]
Rival = Callable[[NDArray[np.float32], Bool, Bool], Bool]


@dataclass(frozen=True, eq=False)
class Run:
    """`dice` after 1, 2, ... prompts, and all strokes (inside, outside) up to each."""

    dice: tuple[float, ...]
    strokes: tuple[tuple[Bool, Bool], ...]


def played(task: Task, user: User, steps: int, *, engine: Engine | None = None) -> Run:
    """A session with `steps` prompts of a user who looks at each answer; nothing is drawn once nothing is wrong."""
    session = Session(task.picture, engine=engine)
    positive, negative = np.zeros_like(task.truth), np.zeros_like(task.truth)
    mask, dice, strokes = positive.copy(), [], []
    for _ in range(steps):
        drawn = user(task.truth, mask)
        if drawn is not None:
            marks, inside = drawn
            session.scribble(marks, inside)
            (positive if inside else negative)[marks] = True
            mask = session.mask
        dice.append(agreement(mask, task.truth))
        strokes.append((positive.copy(), negative.copy()))
    return Run(tuple(dice), tuple(strokes))


def rival_dice(task: Task, run: Run, rival: Rival, after: tuple[int, ...]) -> tuple[float, ...]:
    """Dice of a classical method with the strokes of a run after so many of its prompts."""
    return tuple(agreement(rival(task.picture, *run.strokes[step - 1]), task.truth) for step in after)


def dice_of_set(task: Task, strokes: tuple[Bool, Bool], *, engine: Engine | None = None) -> float:
    """Dice from one set of strokes (inside, outside), given at once."""
    session = Session(task.picture, engine=engine)
    for marks, inside in zip(strokes, (True, False), strict=True):
        if marks.any():
            session.scribble(marks, inside)
    return agreement(session.mask, task.truth)


def agreement(mask: Bool, truth: Bool) -> float:
    """Dice of a mask with a truth that is not empty."""
    return 2 * float((mask & truth).sum()) / float(mask.sum() + truth.sum())
