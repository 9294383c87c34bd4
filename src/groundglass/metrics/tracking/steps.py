"""PitVis-2023, task 1 and 3 (arXiv 2409.01184): the step score of a video, and the multi-task score."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from groundglass.core.errors import InputError
from groundglass.metrics.tracking.segments import edit_score

# Out of the patient, and two steps that are labelled but not scored.
NOT_SCORED = (-1, 11, 13)


@dataclass(frozen=True, slots=True)
class StepScores:
    """`score` is the mean of `macro_f1` and `edit`; `f1` by step and its true `support` in seconds stand behind it.

    All are NaN for a video without a scored second: it is left out of a mean, and raises no error.
    """

    score: float
    macro_f1: float
    edit: float
    f1: dict[int, float]
    support: dict[int, int]
    seconds: int


def step_scores(
    truth: Sequence[int], prediction: Sequence[int], *, not_scored: Collection[int] = NOT_SCORED
) -> StepScores:
    """Scores of one video from the step of each second.

    Seconds whose true step is in `not_scored` are dropped from both first, which can join the runs around them; a
    prediction of such a step elsewhere stays, as a wrong label. macro-F1 is over all steps that occur in truth or
    prediction: a step that was invented counts 0. Raises InputError for different lengths or labels that are no whole
    numbers.
    """
    if len(truth) != len(prediction):
        raise InputError(
            "prediction", f"has {len(prediction)} seconds, the truth {len(truth)}", "Give one step a second."
        )
    pairs = [(_whole(real, "truth"), _whole(said, "prediction")) for real, said in zip(truth, prediction, strict=True)]
    kept = [(real, said) for real, said in pairs if real not in not_scored]
    if not kept:
        return StepScores(math.nan, math.nan, math.nan, {}, {}, 0)
    real, said = [pair[0] for pair in kept], [pair[1] for pair in kept]
    labels = sorted({*real, *said})
    f1 = {
        label: 2 * sum(a == b == label for a, b in kept) / (real.count(label) + said.count(label)) for label in labels
    }
    macro, edit = sum(f1.values()) / len(f1), edit_score(real, said)
    return StepScores((macro + edit) / 2, macro, edit, f1, {label: real.count(label) for label in labels}, len(kept))


def multitask_score(step_score: float, instrument_score: float) -> float:
    """Task 3: the mean of a video's step and instrument score."""
    return (step_score + instrument_score) / 2


def _whole(value: int, name: str) -> int:
    if value != value or int(value) != value:
        raise InputError(name, f"holds {value!r}", "Steps are whole numbers.")
    return int(value)
