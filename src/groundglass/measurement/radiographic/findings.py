"""Table rows as findings: what a label states, how sure one may be of it, and the measurement behind it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from groundglass.core import Attribute, Evidence, Finding, Line, Location, Measurement, Status, ontology
from groundglass.measurement.radiographic.recipes import biases
from groundglass.measurement.radiographic.row import TaskRow
from groundglass.measurement.radiographic.thresholds import Threshold

RULES = "CheXStruct rules"
VERSION = "1.0"


@cache
def _file() -> dict[str, Any]:
    path = resources.files("groundglass.measurement") / "data" / "radiographic_findings.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def row_findings(rows: Mapping[str, TaskRow], *, image: str, doubts: Iterable[str] = ()) -> tuple[Finding, ...]:
    """One finding per measured row, on the image of this name; landmarks stay in the rows' grid.

    A normal index that a bias may have made normal claims nothing: its finding is the structure with its measurement.
    `doubts` are reasons to trust no label at all (implausible masks, a mirrored film): every status is then
    uncertain. Rows that were dropped give nothing: see `unmeasured`.
    """
    reasons = tuple(doubts)
    return tuple(_finding(rows, row, image, reasons) for row in rows.values() if row.is_measured)


def unmeasured(rows: Mapping[str, TaskRow]) -> tuple[str, ...]:
    """What was not assessed, in words, with the reason why the case was dropped."""
    tasks = _file()["tasks"]
    return tuple(f"{tasks[task]['finding']} ({row.dropped})" for task, row in rows.items() if not row.is_measured)


def status_of(rows: Mapping[str, TaskRow], row: TaskRow, *, doubts: Iterable[str] = ()) -> Status:
    """How the label may be said.

    A normal label rules the finding out unless a bias could have hidden it. An abnormal one states it only where
    the threshold is verified, the picture's quality does not bias it, and nothing else raises a doubt.
    """
    if any(True for _ in doubts) or row.is_abnormal is None:
        return "uncertain"
    counting = _counting(rows, row)
    if not row.is_abnormal:
        harmless = _file()["tasks"][row.task].get("raised_by", ())
        return "absent" if set(counting) <= set(harmless) else "uncertain"
    return "present" if row.threshold.verified and not counting else "uncertain"


def index_measurement(row: TaskRow) -> Measurement:
    """The row's index as a measurement with its landmarks and, where the view allows, its reference range."""
    rule = row.threshold
    low, high = _reference(rule, row.view)
    return Measurement(
        ontology()[_file()["tasks"][row.task]["kind"]],
        float(row.index if row.index is not None else "nan"),
        rule.unit,
        row.landmarks,
        f"{RULES}, {row.task}",
        low,
        high,
        rule.source + ("" if rule.verified else " (limit not verified)") if (low, high) != (None, None) else "",
    )


def _finding(rows: Mapping[str, TaskRow], row: TaskRow, image: str, doubts: tuple[str, ...]) -> Finding:
    spec = _file()["tasks"][row.task]
    biased = _counting(rows, row)
    remarks = [*doubts, *(f"biased by {_file()['tasks'][gate]['finding']}" for gate in biased)]
    if not row.threshold.verified:
        remarks.append("limit not verified")
    status = status_of(rows, row, doubts=doubts)
    claims = status != "uncertain" or row.is_abnormal is not False
    detail = f"{row.index:.3g}; label 1 when {row.threshold.wording(row.view)}; {row.threshold.source}"
    return Finding(
        id=row.task,
        what=ontology()[spec["finding"] if claims else spec["anatomy"]],
        status=status if claims else "present",
        where=Location(anatomy=ontology()[spec["anatomy"]], image=image),
        attributes=tuple(Attribute("doubt", remark) for remark in remarks),
        measurements=(index_measurement(row), *_lengths(row)),
        evidence=(Evidence("rule", RULES, VERSION, detail),),
    )


def _counting(rows: Mapping[str, TaskRow], row: TaskRow) -> tuple[str, ...]:
    """The biases that its limit does not allow for: the AP limit expects what an AP projection does."""
    allowed = {"projection"} if row.view == "AP" else set()
    return tuple(gate for gate in biases(rows, row.task) if gate not in allowed)


def _reference(rule: Threshold, view: str | None) -> tuple[float | None, float | None]:
    limit = rule.at(view)
    if limit is None:
        return None, None
    if isinstance(limit, tuple):
        return limit
    if rule.rule == "magnitude_above":
        return -limit, limit
    if rule.rule == "at_most":
        return limit + 1, None
    if rule.rule == "below" or rule.abnormal == 0:
        return limit, None
    return None, limit


def _lengths(row: TaskRow) -> tuple[Measurement, ...]:
    """Lengths in mm, where the pixel size is known, each on the caliper that it was read from."""
    found = []
    for name, kind in _file()["lengths"].items():
        if name in row.values:
            lines = _calipers(row, kind)
            found.append(Measurement(ontology()[kind], float(row.values[name]), "mm", lines, f"{RULES}, {row.task}"))
    return tuple(found)


def _calipers(row: TaskRow, kind: str) -> tuple[Line, ...]:
    words = {"heart width": "heart border", "thoracic width": "inner width of the chest"}.get(kind, kind)
    return tuple(line for line in row.landmarks if words in line.name and len(line.points) > 1)
