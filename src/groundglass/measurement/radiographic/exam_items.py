"""Exam items from table rows: the direct path, the guided path, and what each option says.

The questions follow CXReasonBench (arXiv 2505.18087); wording, ranges and distractors are our own
(`measurement/data/radiographic_exam.json`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from groundglass.core import InputError
from groundglass.measurement.radiographic.row import TaskRow
from groundglass.metrics.reasoning_exam import DO_NOT_KNOW, NONE_OF_THE_ABOVE, Item
from groundglass.metrics.reasoning_exam.item import Path

Range = tuple[float, float]

_PICTURES = ("1st image", "2nd image", "3rd image", "4th image")
_RANGES = 4


@cache
def _file() -> dict[str, Any]:
    path = resources.files("groundglass.measurement") / "data" / "radiographic_exam.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def regions() -> dict[str, tuple[str, ...]]:
    """The mask names behind every region that an exam may show, the region's own name where it is one mask."""
    spec = _file()
    asked = {name for task in spec["tasks"].values() for name in task["regions"]} | set(spec["distractors"])
    return {name: tuple(spec["regions"].get(name, [name])) for name in sorted(asked)}


def states_value(task: str) -> bool:
    """True for the tasks whose final answer comes with a number."""
    return "ranges" in _file()["tasks"][task]


def criterion(task: str) -> str:
    """The rule of a task in words."""
    return str(_file()["tasks"][task]["criterion"])


def region_asked(task: str, part: int) -> str:
    """The region that the `part`-th body-part question of a task asks for."""
    return str(_file()["tasks"][task]["regions"][part])


def direct_items(
    row: TaskRow, case: str, shown: Sequence[str], rng: np.random.Generator, *, path: Path = "reasoning"
) -> tuple[Item, ...]:
    """All questions of the direct path about one measured row with a label.

    `shown` names the regions whose overlays exist for this case. `path` "review" asks the same after guidance; it
    leaves the custom rule out, which the guidance has taught. Raises InputError for a row without a label.
    """
    spec = _spec(row)
    items = [
        _item(row, case, "init", spec["question"], ("Yes", "No", DO_NOT_KNOW), int(row.label != 1), path, picture=True),
        _criterion(row, case, spec, rng, path),
    ]
    if spec["custom"] and path == "reasoning":
        text = f"In this exam the rule is: {spec['criterion']} Can you use it?"
        items.append(_item(row, case, "custom_criteria", text, ("Yes", DO_NOT_KNOW), 0, path))
    items += [_body_part(row, case, region, part, shown, rng, path) for part, region in enumerate(spec["regions"])]
    return (*items, _measurement(row, case, spec, rng, path, ""), _final(row, case, spec, path, ""))


def guidance_items(row: TaskRow, case: str, shown: Sequence[str], rng: np.random.Generator) -> tuple[Item, ...]:
    """The three taught stages on one row: where the structure is, what it measures, what the rule makes of it."""
    spec = _spec(row)
    where = _body_part(row, case, spec["regions"][0], 0, shown, rng, "guidance")
    taught = f"The structure is seen in the {_PICTURES[where.answer]}. "
    measured = _measurement(row, case, spec, rng, "guidance", taught)
    rule = f"The right range is: {measured.options[measured.answer]}. The rule is: {spec['criterion']} "
    return where, measured, _final(row, case, spec, "guidance", rule)


def _spec(row: TaskRow) -> dict[str, Any]:
    if row.label is None:
        raise InputError(row.task, "has no label, so it cannot be asked about", "Build exams from measured rows.")
    spec: dict[str, Any] = _file()["tasks"][row.task]
    return spec


def _item(
    row: TaskRow,
    case: str,
    stage: Any,
    question: str,
    options: tuple[str, ...],
    answer: int,
    path: Path,
    *,
    picture: bool = False,
) -> Item:
    return Item(row.task, case, stage, question, options, answer, (f"{case}/radiograph.png",) if picture else (), path)


def _criterion(row: TaskRow, case: str, spec: dict[str, Any], rng: np.random.Generator, path: Path) -> Item:
    others = [task["criterion"] for name, task in _file()["tasks"].items() if name != row.task]
    wrong = [others[i] for i in rng.choice(len(others), 2, replace=False)]
    options, answer = _shuffled([spec["criterion"], *wrong], rng)
    text = f"Which rule decides this: {spec['question']}"
    return _item(row, case, "criteria", text, (*options, NONE_OF_THE_ABOVE), answer, path)


def _body_part(
    row: TaskRow, case: str, region: str, part: int, shown: Sequence[str], rng: np.random.Generator, path: Path
) -> Item:
    """Which of four overlays shows the region? Distractors are other regions of the same radiograph."""
    rest = [name for name in _file()["distractors"] if name in shown and name not in _spec(row)["regions"]]
    if len(rest) < len(_PICTURES) - 1:
        raise InputError(case, "has too few masks for distractors", "Segment more structures, or leave the case out.")
    wrong = [rest[i] for i in rng.choice(len(rest), len(_PICTURES) - 1, replace=False)]
    names, answer = _shuffled([region, *wrong], rng)
    paths = tuple(f"{case}/{name.replace(' ', '-')}.png" for name in names)
    text = f"Which image marks this structure: {region}?"
    return Item(row.task, case, "bodypart", text, (*_PICTURES, NONE_OF_THE_ABOVE), answer, paths, path, part)


def _measurement(
    row: TaskRow, case: str, spec: dict[str, Any], rng: np.random.Generator, path: Path, taught: str
) -> Item:
    if "choices" in spec:
        options = tuple(spec["choices"]["options"])
        return _item(row, case, "measurement", taught + spec["choices"]["question"], options, _choice(row, spec), path)
    groups, answer = _shuffled(_range_groups(row, spec, rng), rng)
    options = tuple(_range_text(group, spec["ranges"]["digits"]) for group in groups)
    text = f"{taught}Which range holds the {spec['ranges']['name']}?"
    return _item(row, case, "measurement", text, options, answer, path)


def _final(row: TaskRow, case: str, spec: dict[str, Any], path: Path, taught: str) -> Item:
    text = f"{taught}Apply the rule. {spec['question']}"
    reference: tuple[Range, ...] = ()
    if "ranges" in spec:
        form = "VALUE: Right - x, Left - y" if "sides" in spec["ranges"] else "VALUE: x"
        text += f" State the {spec['ranges']['name']} as {form}."
        reference = _true_ranges(row, spec)
    return Item(row.task, case, "final", text, ("Yes", "No"), int(row.label != 1), (), path, reference=reference)


def _shuffled(values: list[Any], rng: np.random.Generator) -> tuple[tuple[Any, ...], int]:
    """The values in random order, and where the first one went."""
    order = rng.permutation(len(values))
    return tuple(values[i] for i in order), int(np.flatnonzero(order == 0)[0])


def _true_ranges(row: TaskRow, spec: dict[str, Any]) -> tuple[Range, ...]:
    """The step that holds the value (right side first where there are two), counted from the threshold."""
    start, step = _grid(row, spec)
    values = [float(row.values[name]) for name in spec["ranges"].get("sides", ())] or [_index(row)]
    return tuple(_step_of(value, start, step) for value in values)


def _range_groups(row: TaskRow, spec: dict[str, Any], rng: np.random.Generator) -> list[tuple[Range, ...]]:
    """The true range (or pair) first, then three neighbours without one below zero."""
    _, step = _grid(row, spec)
    true = _true_ranges(row, spec)
    lowest = min(math.floor(each[0] / step + 1e-9) for each in true)
    first = -min(int(rng.integers(0, _RANGES)), max(lowest, 0))
    shifts = [shift for shift in range(first, first + _RANGES) if shift]
    return [true, *[tuple(_shifted(each, s * step) for each in true) for s in shifts]]


def _grid(row: TaskRow, spec: dict[str, Any]) -> tuple[float, float]:
    limit = row.threshold.at(row.view)
    start = limit[0] if isinstance(limit, tuple) else limit
    if start is None:
        raise InputError(row.task, "depends on a view that is unknown", "Build exams from rows with a view.")
    return start, float(spec["ranges"]["step"])


def _step_of(value: float, start: float, step: float) -> Range:
    count = math.floor((value - start) / step + 1e-9)
    # Rounded, as a range is read back from its text; + 0.0 turns -0.0 into 0.0.
    return round(start + count * step, 9) + 0.0, round(start + (count + 1) * step, 9) + 0.0


def _shifted(bounds: Range, by: float) -> Range:
    return round(bounds[0] + by, 9) + 0.0, round(bounds[1] + by, 9) + 0.0


def _range_text(group: tuple[Range, ...], digits: int) -> str:
    texts = [f"{low:.{digits}f} to {high:.{digits}f}" for low, high in group]
    return texts[0] if len(texts) == 1 else f"Right: {texts[0]}, Left: {texts[1]}"


def _choice(row: TaskRow, spec: dict[str, Any]) -> int:
    """Which worded option is true."""
    index, kind = _index(row), spec["choices"]["of"]
    if kind == "included":
        return min(6 - int(index), 3)
    if kind == "rib":
        return min(max(int(index), 7), 10) - 7
    if kind == "direction":
        return 2 if row.label == 0 else int(index < 0)
    return int(row.label != 1)


def _index(row: TaskRow) -> float:
    if row.index is None:
        raise InputError(row.task, f"was not measured ({row.dropped})", "Build exams from measured rows.")
    return row.index
