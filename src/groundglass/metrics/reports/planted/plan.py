"""What a made-up chest radiograph report says, before it has words."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

SIDES = ("left", "right")


@dataclass(frozen=True, slots=True)
class Kind:
    """A finding that a plan may hold, with the details that it may have."""

    name: str
    nouns: tuple[str, ...]
    sides: bool = False
    places: tuple[str, ...] = ()
    grades: tuple[str, ...] = ()
    sizes_mm: tuple[int, ...] = ()
    courses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedFinding:
    """One finding with its details; None = not said."""

    kind: Kind
    side: str | None = None
    place: str | None = None
    grade: str | None = None
    size_mm: int | None = None
    course: str | None = None


@dataclass(frozen=True, slots=True)
class ReportPlan:
    """Present findings, each of another kind, and the kinds that are denied."""

    present: tuple[PlannedFinding, ...]
    absent: tuple[Kind, ...] = field(default=())

    @property
    def unused(self) -> tuple[Kind, ...]:
        """Kinds that the report does not mention."""
        said = {f.kind.name for f in self.present} | {kind.name for kind in self.absent}
        return tuple(kind for kind in kinds() if kind.name not in said)


@cache
def vocabulary() -> dict[str, Any]:
    """Nouns, words and frames of the chest radiograph."""
    file = resources.files("groundglass.metrics.reports.planted") / "data" / "chest_radiograph.json"
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return data


@cache
def kinds() -> tuple[Kind, ...]:
    """Every finding that can be planted. None is a kind of another, so that errors stay apart."""
    return tuple(
        Kind(
            row["name"],
            tuple(row["nouns"]),
            row.get("sides", False),
            tuple(row.get("places", ())),
            tuple(row.get("grades", ())),
            tuple(row.get("sizes_mm", ())),
            tuple(row["courses"]),
        )
        for row in vocabulary()["findings"]
    )


def random_finding(kind: Kind, rng: np.random.Generator, *, changed: bool) -> PlannedFinding:
    """A finding with every detail that its kind has; with a course since the prior when `changed`.

    The course is never "unchanged": to leave that out, or to invent it, harms nobody and counts as insignificant.
    """
    courses = [course for course in kind.courses if course != "unchanged"]
    return PlannedFinding(
        kind,
        side=str(rng.choice(SIDES)) if kind.sides else None,
        place=str(rng.choice(kind.places)) if kind.places else None,
        grade=str(rng.choice(kind.grades)) if kind.grades else None,
        size_mm=int(rng.choice(kind.sizes_mm)) if kind.sizes_mm else None,
        course=str(rng.choice(courses)) if changed else None,
    )


def random_plan(rng: np.random.Generator, *, present: int = 12, absent: int = 4) -> ReportPlan:
    """A plan of `present` findings, every other one with a course, and `absent` denials, all of different kinds."""
    order = rng.permutation(len(kinds()))
    chosen = [kinds()[index] for index in order[:present]]
    findings = tuple(random_finding(kind, rng, changed=index % 2 == 0) for index, kind in enumerate(chosen))
    return ReportPlan(findings, tuple(kinds()[index] for index in order[present : present + absent]))
