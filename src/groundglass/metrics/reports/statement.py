"""A finding as a judge compares it: concept, status, sides, place, grade, course, sizes and traits in one vocabulary.

Readers keep the words of a report ("trace", "enlarging"); judges need what those words share. The word lists, what a
concept implies, and which findings are minor are data (`data/judgement.json`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

from groundglass.core import Finding, Measurement, Term, ontology
from groundglass.core.units import UNITS

BOTH_SIDES = frozenset({"left", "right"})
GRADES = ("mild", "moderate", "severe")


@dataclass(frozen=True, slots=True)
class Statement:
    """One assertion. `sides` is a subset of left and right (none = not said), `place` None in the usual place,
    `grades` the severities that it allows, `course` the change since the prior, `sizes` pairs of dimension and value in
    that dimension's first unit, `tip` where a device ends."""

    what: Term
    present: bool
    certain: bool = True
    sides: frozenset[str] = frozenset()
    place: Term | None = None
    grades: frozenset[str] = frozenset()
    course: str | None = None
    sizes: tuple[tuple[str, float], ...] = ()
    traits: frozenset[tuple[str, str]] = frozenset()
    tip: str | None = None

    def on(self, side: str) -> Statement:
        """The same statement of one side only."""
        return replace(self, sides=frozenset({side}))

    @property
    def is_minor(self) -> bool:
        """Whether an error about it would change neither treatment, management nor outcome."""
        return self.what.name.casefold() in _judgement()["minor"]


def statements_of(
    findings: Iterable[Finding], usual_place: Callable[[Term], Term | None] = lambda what: None
) -> tuple[Statement, ...]:
    """What findings state of the patient now, in their order.

    A resolved finding is an absent one. What is historical, hypothetical or of another person states nothing.
    `usual_place` tells where a concept is understood to be when nothing is said; a place that says no more is dropped.
    Edema without a place is that of the lungs, as in reports of the chest; a normal cardiomediastinal silhouette holds
    a heart of normal size.
    """
    stated: list[Statement] = []
    for finding in findings:
        if finding.attribute("assertion") is None:
            statement = _statement(finding, usual_place(finding.what))
            stated += [statement, *_denied_with(statement)]
    return tuple(stated)


def _denied_with(statement: Statement) -> list[Statement]:
    """What a denial denies as well because of where it denies."""
    places = _judgement()["denied_with"].get(statement.what.name, {})
    name = places.get(statement.place.name) if statement.place and not statement.present else None
    return [replace(statement, what=ontology()[name], place=None)] if name else []


def _statement(finding: Finding, usual: Term | None) -> Statement:
    course = _course(finding)
    place = finding.where.anatomy
    tip = (finding.attribute("position") or "").casefold() or None
    if place is not None and usual is not None and is_within(usual, place):
        place = None
    if _is_device(finding.what):
        # A device is one thing: two places of it exclude each other, as two places of nodules do not.
        place, tip = None, tip or (place.name.casefold() if place else None)
    unplaced = _judgement()["unplaced"].get(finding.what.name) if place is None else None
    return Statement(
        what=ontology()[unplaced] if unplaced else finding.what,
        present=finding.status != "absent" and course != "resolved",
        certain=finding.status != "uncertain",
        sides=_sides(finding),
        place=place,
        grades=_grades(finding),
        course=course,
        sizes=tuple(size for size in map(_size, finding.measurements) if size is not None),
        traits=frozenset(
            (a.kind.casefold(), a.value.casefold())
            for a in finding.attributes
            if a.kind.casefold() in _judgement()["traits"]
        ),
        tip=tip,
    )


def _sides(finding: Finding) -> frozenset[str]:
    side = finding.where.side
    if side == "bilateral":
        return BOTH_SIDES
    if side in BOTH_SIDES:
        return frozenset({side})
    name = finding.where.anatomy.name if finding.where.anatomy else ""
    return BOTH_SIDES & {*name.split(), _judgement()["only_side"].get(name)}


def _grades(finding: Finding) -> frozenset[str]:
    """All grades that the severity's words name: "mild to moderate" allows two."""
    text = finding.attribute("severity")
    return frozenset(_grade_words()[word] for word in (text or "").casefold().split() if word in _grade_words())


def _course(finding: Finding) -> str | None:
    text = (finding.attribute("change") or "").casefold()
    return _course_words().get(text, text or None)


def _size(measurement: Measurement) -> tuple[str, float] | None:
    if measurement.unit not in UNITS:
        return None
    dimension, factor, _ = UNITS[measurement.unit]
    return dimension, measurement.value * factor


def _is_device(what: Term) -> bool:
    entry = ontology().find(what.name)
    return entry is not None and entry.kind == "device"


@cache
def broader(term: Term) -> frozenset[Term]:
    """The term itself, its broader terms in the ontology, and what those imply by definition."""
    terms = {term}
    if term.name in ontology():
        terms |= set(ontology().ancestors(term.name))
    for name in [each.name.casefold() for each in terms]:
        for implied in (*_judgement()["implies"].get(name, ()), *_judgement()["lies_within"].get(name, ())):
            if implied in ontology() and ontology()[implied] not in terms:
                terms |= broader(ontology()[implied])
    return frozenset(terms)


def is_kind_of(narrow: Term, wide: Term) -> bool:
    """Whether whatever is `narrow` is also `wide`."""
    return wide in broader(narrow)


def is_within(inner: Term | None, outer: Term | None) -> bool:
    """Whether a place lies in another; an unsaid outer place holds every place, an unsaid inner one lies in none."""
    if outer is None:
        return True
    return inner is not None and is_kind_of(inner, outer)


@cache
def _judgement() -> dict[str, Any]:
    file = resources.files("groundglass.metrics.reports") / "data" / "judgement.json"
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return data


@cache
def _grade_words() -> dict[str, str]:
    return {word: grade for grade, words in _judgement()["grades"].items() for word in words}


@cache
def _course_words() -> dict[str, str]:
    return {word: course for course, words in _judgement()["courses"].items() for word in (course, *words)}
