"""An examinee that reads the table: it answers from rows and option texts alone, never from an item's key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from groundglass.measurement.radiographic.exam_items import criterion, region_asked
from groundglass.measurement.radiographic.row import TaskRow
from groundglass.metrics.reasoning_exam import Item, Turn, lettered

_RANGE = re.compile(r"(-?[\d.]+) to (-?[\d.]+)")
_SIDES = ("ratio_right", "ratio_left")
_COUNTS = {"Six": {6}, "Five": {5}, "Four": {4}, "Three or fewer": {0, 1, 2, 3}}
_RIBS = {"7 or higher up": set(range(1, 8)), "8": {8}, "9": {9}, "10 or lower down": {10, 11, 12}}
_DIRECTIONS = {"Displaced to the patient's left": "left", "Displaced to the patient's right": "right"}


class RowReader:
    """Answers from the rows, by (case, task)."""

    def __init__(self, rows: Mapping[tuple[str, str], TaskRow]) -> None:
        self._rows = rows

    def __call__(self, item: Item, _before: Sequence[Turn]) -> tuple[str, ...]:
        row = self._rows[item.case, item.task]
        fitting = [i for i, option in enumerate(item.options) if self._fits(item, row, i, option)]
        choice = ", ".join(lettered(item.options)[i] for i in fitting)
        value = f"VALUE: {_value_text(row)}\n" if item.reference else ""
        return (f"{value}FINAL ANSWER: {choice}",)

    def _fits(self, item: Item, row: TaskRow, number: int, option: str) -> bool:
        if item.stage in ("init", "final"):
            return option == ("Yes" if row.label == 1 else "No")
        if item.stage == "criteria":
            return option == criterion(item.task)
        if item.stage == "custom_criteria":
            return option == "Yes"
        if item.stage == "bodypart":
            shown = item.img_path[number] if number < len(item.img_path) else ""
            return Path(shown).stem.replace("-", " ") == region_asked(item.task, item.part)
        return _describes(option, row)


def _describes(option: str, row: TaskRow) -> bool:
    """Whether an option's words or range are true of the row."""
    index = row.index if row.index is not None else float("nan")
    ranges = [(float(low), float(high)) for low, high in _RANGE.findall(option)]
    if ranges:
        values = [float(row.values[side]) for side in _SIDES] if len(ranges) == 2 else [index]
        return all(low - 1e-9 <= v < high - 1e-9 for v, (low, high) in zip(values, ranges, strict=True))
    if row.task == "inclusion":
        return index in _COUNTS[option]
    if row.task == "inspiration":
        return index in _RIBS[option]
    if row.task == "trachea_deviation":
        return _DIRECTIONS.get(option, "midline") == row.values["direction"]
    return option.startswith("Yes") == (row.label == 1)


def _value_text(row: TaskRow) -> str:
    if row.task == "projection":
        return f"Right - {row.values[_SIDES[0]]:.9f}, Left - {row.values[_SIDES[1]]:.9f}"
    return f"{row.index:.9f}"
