"""Videos second by second: the step (or phase) and the instruments of each, from one CSV per video."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from groundglass.app.compare.cases import FilePair, listed
from groundglass.app.compare.kind import Measure
from groundglass.app.compare.records import Record, read_table
from groundglass.app.compare.settings import MissingRule
from groundglass.core import ConfigurationError, InputError
from groundglass.metrics.tracking import instrument_f1, multitask_score, step_scores, workflow_scores

PITVIS = {
    "step_score": Measure("step score (PitVis)"),
    "step_macro_f1": Measure("step macro F1 (PitVis)"),
    "step_edit": Measure("step edit score (PitVis)"),
    "instrument_score": Measure("instrument score (PitVis)"),
    "multitask_score": Measure("multi-task score (PitVis)"),
}
PHASES = {
    "accuracy": Measure("accuracy"),
    "balanced_accuracy": Measure("balanced accuracy"),
    "macro_f1": Measure("macro F1"),
    "jaccard": Measure("Jaccard"),
    "edit": Measure("edit score"),
    "segment_f1_50": Measure("segment F1 at overlap 0.5"),
}
SECONDS = {**PITVIS, **PHASES}
_TIME = ("int_time", "time", "second", "frame")
_STEP = ("int_step", "step", "phase", "label")
_INSTRUMENTS = (("int_instrument1", "instrument1", "instrument"), ("int_instrument2", "instrument2"))
_WRONG = -9
"""A step that no truth has: what a missing second says under the rule `worst`."""


@dataclass(frozen=True, slots=True)
class SecondRules:
    """What is measured. `missing` says what becomes of seconds that the prediction lacks."""

    metrics: tuple[str, ...]
    variant: str
    missing: MissingRule


@dataclass(frozen=True, slots=True)
class Second:
    """What is said of one second; `step` None where the table has no such column."""

    step: str | None
    instruments: tuple[int, ...]


def is_seconds_file(path: Path) -> bool:
    return path.suffix.lower() in (".csv", ".tsv")


def usual_of_video(path: Path) -> tuple[str, ...]:
    """The metrics that fit a table: PitVis' where its columns are those, else those of phases."""
    seconds = read_seconds(path).values()
    has_steps = all(second.step is not None for second in seconds)
    numbered = has_steps and all(_is_whole(second.step) for second in seconds)
    has_instruments = any(second.instruments for second in seconds)
    chosen: list[str] = []
    if numbered:
        chosen += ["step_score", "step_macro_f1", "step_edit"]
    if has_instruments:
        chosen.append("instrument_score")
    if numbered and has_instruments:
        chosen.append("multitask_score")
    return (*chosen, *(PHASES if has_steps else ()))


def score_video(rules: SecondRules, pair: FilePair) -> dict[str, float]:
    """One video's figures; the seconds are those of the truth. A missing video is one in which nothing is right."""
    truth = read_seconds(pair.truth)
    said = read_seconds(pair.prediction) if pair.prediction is not None else {}
    lacking = [time for time in truth if time not in said]
    if lacking and rules.missing == "error":
        raise InputError(
            pair.prediction or pair.case,
            f"has no row for {len(lacking)} second(s) of {pair.truth}: {listed([str(time) for time in lacking])}",
            "Add them, or use --allow-missing skip or worst.",
        )
    times = [time for time in sorted(truth) if time in said or rules.missing == "worst"]
    if not times:
        raise InputError(pair.case, "has no second in common with its truth", "Check the column of the time.")
    nothing = Second(str(_WRONG), ())
    return _values(rules, [truth[time] for time in times], [said.get(time, nothing) for time in times], pair)


def read_seconds(path: Path) -> dict[int, Second]:
    """Time -> what is said of it. Raises InputError for a time that occurs twice and values that are no numbers."""
    table = read_table(path)
    time = table.column(None, _TIME, "time")
    step = table.find(None, _STEP, "step")
    instruments = [column for names in _INSTRUMENTS if (column := table.find(None, names, "instrument"))]
    if step is None and not instruments:
        table.column(None, (*_STEP, *_INSTRUMENTS[0]), "step or instrument")
    found: dict[int, Second] = {}
    for record in table.records:
        second = _whole(record, time)
        if second in found:
            raise InputError(record.place, f"gives second {second} again", "Keep one row per second.")
        ids = tuple(_whole(record, column) for column in instruments if str(record.values.get(column) or "").strip())
        found[second] = Second(_name(record.text(step)) if step else None, ids)
    return found


def _values(rules: SecondRules, truth: Sequence[Second], said: Sequence[Second], pair: FilePair) -> dict[str, float]:
    values: dict[str, float] = {}
    asked = set(rules.metrics)
    if asked & {"step_score", "step_macro_f1", "step_edit", "multitask_score"}:
        steps = step_scores(_numbers(truth, pair.truth), _numbers(said, pair.prediction))
        values |= {"step_score": steps.score, "step_macro_f1": steps.macro_f1, "step_edit": steps.edit}
    if asked & {"instrument_score", "multitask_score"}:
        variant: Literal["script", "corrected"] = "script" if rules.variant == "script" else "corrected"
        values["instrument_score"] = instrument_f1(
            [second.instruments for second in truth], [second.instruments for second in said], variant=variant
        )
    if "multitask_score" in asked:
        values["multitask_score"] = multitask_score(values["step_score"], values["instrument_score"])
    if asked & set(PHASES):
        values |= _phases(truth, said, pair)
    return {metric: values[metric] for metric in rules.metrics}


def _phases(truth: Sequence[Second], said: Sequence[Second], pair: FilePair) -> Mapping[str, float]:
    if any(second.step is None for second in (*truth, *said)):
        raise InputError(
            f"{pair.prediction} and {pair.truth}", "do not both have steps", "Name instrument metrics only."
        )
    found = workflow_scores([second.step for second in truth], [second.step for second in said])
    return {
        "accuracy": found.accuracy,
        "balanced_accuracy": found.balanced_accuracy,
        "macro_f1": found.macro_f1,
        "jaccard": found.jaccard,
        "edit": found.edit,
        "segment_f1_50": found.segment_f1[0.5],
    }


def _numbers(seconds: Sequence[Second], path: Path | None) -> list[int]:
    strange = next((second.step for second in seconds if not _is_whole(second.step)), "")
    if strange is None or strange:
        raise ConfigurationError(
            str(path), f"has the step {strange!r}, but PitVis' steps are numbers", "Ask for macro_f1, edit, jaccard."
        )
    return [int(second.step or 0) for second in seconds]


def _is_whole(text: str | None) -> bool:
    return text is not None and text.lstrip("-").isdigit()


def _name(text: str) -> str:
    """3 and 3.0 are one step."""
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if math.isfinite(number) and number == int(number) else text


def _whole(record: Record, column: str) -> int:
    number = record.number(column)
    if number != int(number):
        raise InputError(record.place, f"has {number:g} as {column}", "Seconds and ids are whole numbers.")
    return int(number)
