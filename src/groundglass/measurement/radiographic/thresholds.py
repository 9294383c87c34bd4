"""Clinical thresholds and mask limits: one data file, a source on every line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from groundglass.core import ConfigurationError

Rule = Literal["at_least", "at_most", "below", "outside", "magnitude_above"]

# Two floats that a ratio of the same pixels can give count as equal; far below any pixel's worth.
_EQUAL = 1e-9


@dataclass(frozen=True, slots=True)
class Threshold:
    """When an index earns label 1. `value` maps a view (or "any") to a number, or to (low, high) for "outside".

    `abnormal` is the label that means "not normal" (0 for inclusion). `verified` is False where the source was not
    seen in print.
    """

    task: str
    rule: Rule
    value: dict[str, float | tuple[float, float]]
    unit: str
    abnormal: int
    source: str
    verified: bool
    note: str = ""

    def at(self, view: str | None) -> float | tuple[float, float] | None:
        """The limit for a view; None when it depends on the view and the view is unknown."""
        return self.value.get("any", self.value.get(view or ""))

    def label(self, index: float, view: str | None) -> int | None:
        """1 or 0 by the rule; None when the view decides and is unknown, and the views disagree."""
        limit = self.at(view)
        if limit is None:
            labels = {_holds(self.rule, index, each) for each in self.value.values()}
            return int(labels.pop()) if len(labels) == 1 else None
        return int(_holds(self.rule, index, limit))

    def distance(self, index: float, view: str | None) -> float:
        """How far the index is from its limit; from the nearest one where there are several."""
        limit = self.at(view)
        limits = self.value.values() if limit is None else (limit,)
        ends = [end for each in limits for end in (each if isinstance(each, tuple) else (each,))]
        value = abs(index) if self.rule == "magnitude_above" else index
        return min(abs(value - end) for end in ends)

    def wording(self, view: str | None) -> str:
        """The rule in words, as evidence: ">= 0.5 (PA)"."""
        limit = self.at(view)
        if limit is None:
            return ", ".join(f"{_words(self.rule, each)} ({name})" for name, each in self.value.items())
        return _words(self.rule, limit) + ("" if "any" in self.value else f" ({view})")


def _holds(rule: Rule, index: float, limit: float | tuple[float, float]) -> bool:
    if isinstance(limit, tuple):
        return index < limit[0] - _EQUAL or index > limit[1] + _EQUAL
    if rule == "at_least":
        return index >= limit - _EQUAL
    if rule == "at_most":
        return index <= limit + _EQUAL
    if rule == "below":
        return index < limit - _EQUAL
    return abs(index) > limit + _EQUAL


def _words(rule: Rule, limit: float | tuple[float, float]) -> str:
    if isinstance(limit, tuple):
        return f"outside {limit[0]:g} to {limit[1]:g}"
    sign = {"at_least": ">=", "at_most": "<=", "below": "<", "magnitude_above": "magnitude >"}[rule]
    return f"{sign} {limit:g}"


@dataclass(frozen=True, slots=True)
class MaskLimits:
    """What a usable mask looks like: `area` as a share of the picture, at most `parts` sizeable components."""

    area: tuple[float, float]
    parts: int


@cache
def _file() -> dict[str, Any]:
    path = resources.files("groundglass.measurement") / "data" / "radiographic_thresholds.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@cache
def threshold(task: str) -> Threshold:
    """The threshold of a task. Raises ConfigurationError when the data file has none."""
    for row in _file()["rules"]:
        if row["task"] == task:
            value = {view: tuple(v) if isinstance(v, list) else float(v) for view, v in row["value"].items()}
            source = _file()["sources"][row["source"]]
            return Threshold(
                task, row["rule"], value, row["unit"], row["abnormal"], source, row["verified"], row.get("note", "")
            )
    raise ConfigurationError(task, "has no threshold", "Add a line to radiographic_thresholds.json.")


def mask_limits(name: str) -> MaskLimits:
    """The limits for a structure; numbered ribs share one line. Raises ConfigurationError for an unknown name."""
    limits = _file()["masks"]
    key = "posterior rib" if name.endswith(" posterior") else name
    if key not in limits:
        raise ConfigurationError(name, "has no mask limits", "Add a line to radiographic_thresholds.json.")
    low, high = limits[key]["area"]
    return MaskLimits((low, high), limits[key]["parts"])


def border_margin(border: str) -> float:
    """How far from the picture's edge a lung border must stay, as a share of the picture's side."""
    return float(_file()["borders"][border]["margin"])


def gates(task: str) -> dict[str, float | None]:
    """The image-quality tasks that can bias this task's index, and how near its limit (None: wherever it lies)."""
    return dict(_file()["gates"].get(task, {}))
