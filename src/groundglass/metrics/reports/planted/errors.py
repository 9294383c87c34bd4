"""Errors of known kind and number, planted into a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from groundglass.core import InputError
from groundglass.metrics.judge.protocol import ERROR_KINDS, ErrorKind
from groundglass.metrics.reports.planted.plan import Kind, PlannedFinding, ReportPlan, random_finding

_FARTHEST = {"small": "large", "mild": "severe", "large": "small", "severe": "mild"}
_FACTOR = 3


@dataclass(frozen=True, slots=True)
class PlantedPair:
    """What the reference says, what the candidate says, and the errors between them by kind."""

    reference: ReportPlan
    candidate: ReportPlan
    counts: Mapping[ErrorKind, int]


def plant(plan: ReportPlan, counts: Mapping[ErrorKind, int], rng: np.random.Generator) -> PlantedPair:
    """Plant that many significant errors of each kind, no two of them in the same finding.

    False findings are kinds that the report denies or does not mention; omitted ones state no course; a wrong place is
    the other side or, without sides, another place; a wrong severity is the far end of the scale (moderate is left
    alone) or three times the size. Raises InputError when the plan has not enough room.
    """
    findings = list(plan.present)
    free = set(range(len(findings)))
    dropped: set[int] = set()
    for kind in _hardest_first(plan, counts):
        targets = [index for index in sorted(free) if _takes(kind, findings[index])]
        if len(targets) < counts[kind]:
            raise InputError(
                f"plan of {len(findings)} findings", f"has no room for {counts[kind]} x {kind}", "Plan more."
            )
        for index in rng.permutation(targets)[: counts[kind]]:
            free.discard(int(index))
            if kind == "omitted finding":
                dropped.add(int(index))
            else:
                findings[int(index)] = _altered(kind, findings[int(index)], rng)
    kept = tuple(finding for index, finding in enumerate(findings) if index not in dropped)
    false, absent = _false_findings(plan, counts.get("false finding", 0), rng)
    return PlantedPair(plan, ReportPlan(kept + false, absent), {kind: counts.get(kind, 0) for kind in ERROR_KINDS})


def most_errors(plan: ReportPlan, kind: ErrorKind) -> int:
    """How many errors of this kind the plan can take."""
    if kind == "false finding":
        return len(plan.absent) + len(plan.unused)
    return sum(_takes(kind, finding) for finding in plan.present)


def _hardest_first(plan: ReportPlan, counts: Mapping[ErrorKind, int]) -> list[ErrorKind]:
    asked: list[ErrorKind] = [kind for kind in ERROR_KINDS if counts.get(kind, 0) and kind != "false finding"]
    return sorted(asked, key=lambda kind: most_errors(plan, kind) - counts[kind])


def _takes(kind: ErrorKind, finding: PlannedFinding) -> bool:
    if kind == "omitted finding":
        return finding.course is None
    if kind == "wrong location":
        return finding.side is not None
    if kind == "wrong severity":
        return finding.grade in _FARTHEST or finding.size_mm is not None
    if kind == "false comparison":
        return finding.course is None
    return finding.course is not None


def _altered(kind: ErrorKind, finding: PlannedFinding, rng: np.random.Generator) -> PlannedFinding:
    if kind == "wrong location":
        return replace(finding, side="left" if finding.side == "right" else "right")
    if kind == "wrong severity":
        if finding.size_mm is not None:
            return replace(finding, size_mm=finding.size_mm * _FACTOR)
        return replace(finding, grade=_FARTHEST[finding.grade or ""])
    if kind == "false comparison":
        return replace(finding, course=random_finding(finding.kind, rng, changed=True).course)
    return replace(finding, course=None)


def _false_findings(
    plan: ReportPlan, count: int, rng: np.random.Generator
) -> tuple[tuple[PlannedFinding, ...], tuple[Kind, ...]]:
    options = [*plan.absent, *plan.unused]
    if count > len(options):
        raise InputError("plan", f"has no room for {count} x false finding", "Plan fewer findings.")
    chosen = [options[int(index)] for index in rng.permutation(len(options))[:count]]
    false = tuple(random_finding(kind, rng, changed=False) for kind in chosen)
    return false, tuple(kind for kind in plan.absent if kind not in chosen)
