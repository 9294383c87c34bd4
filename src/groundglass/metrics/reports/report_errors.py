"""Errors of a candidate report against a reference, by aligning what the two state (six kinds of CheXprompt and GREEN).

Present findings of related concepts are paired so that the pairs agree best; what is left over is a false or an omitted
finding unless the other report entails it all the same. A pair may differ in place, in severity (grade or size) and in
course: a course that only the candidate states, or states otherwise, is a false comparison, one of the reference that
the candidate lacks, or gives otherwise, an omitted one. A detail that only one report gives is no error, but a course.
What differs in the same way on both sides of the body is one error. Swapping the reports therefore exchanges false with
omitted and leaves location and severity.

Significant is an error about a finding that is not minor; not significant are grades next to each other, sizes within a
fifth or two millimetres, and "unchanged".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from groundglass.metrics.judge.protocol import ERROR_KINDS, ErrorKind, ReportError
from groundglass.metrics.reports.entailment import (
    grades_differ,
    may_be_same_place,
    sizes_differ,
    supporting,
    tips_differ,
)
from groundglass.metrics.reports.statement import GRADES, Statement, is_kind_of
from groundglass.metrics.reports.wording import worded

_SMALL_SIZE = 0.2
_SMALL_LENGTH = 2.0


@dataclass(frozen=True, slots=True)
class Alignment:
    """What two reports share and where the candidate errs, in the order of ERROR_KINDS."""

    matched: tuple[str, ...]
    errors: tuple[ReportError, ...]


@dataclass(frozen=True, slots=True)
class _Atom:
    """A statement of at most one side, and the index of the statement that it is part of."""

    source: int
    statement: Statement


def align(candidate: Sequence[Statement], reference: Sequence[Statement]) -> Alignment:
    """Pair the statements of two reports and name the candidate's errors."""
    ours, theirs = distinct(candidate), distinct(reference)
    pairs, extra, missing = _paired(_atoms(ours), _atoms(theirs))
    found: dict[tuple[str, int, int], ReportError] = {}

    def note(kind: ErrorKind, ours_at: int, theirs_at: int, significant: bool, text: str) -> None:
        key = (kind, ours_at, theirs_at)
        if key not in found or (significant and not found[key].significant):
            found[key] = ReportError(kind, significant, text)

    for atom in extra:
        if not supporting(_plain(atom.statement), theirs):
            note("false finding", atom.source, -1, not atom.statement.is_minor, worded(ours[atom.source]))
    for atom in missing:
        if not supporting(_plain(atom.statement), ours):
            note("omitted finding", -1, atom.source, not atom.statement.is_minor, worded(theirs[atom.source]))
    for mine, other in pairs:
        a, b = mine.statement, other.statement
        text = f"{worded(a)} / {worded(b)}"
        for kind, significant in _differences(a, b):
            note(kind, mine.source, other.source, significant, text)
    for kind, first, second in (("false comparison", ours, theirs), ("omitted comparison", theirs, ours)):
        for index, statement in enumerate(first):
            if statement.course == "resolved" and not _is_said_resolved(statement, second):
                at = (index, -1) if first is ours else (-1, index)
                note(kind, *at, not statement.is_minor, worded(statement))
    wrong = {(c, r) for kind, c, r in found if kind in ("wrong location", "wrong severity")}
    same = dict.fromkeys((mine.source, other.source) for mine, other in pairs)
    matched = [worded(theirs[r]) for c, r in same if (c, r) not in wrong]
    denied = [s for s in ours if not s.present and s.certain]
    matched += [worded(s) for s in theirs if not s.present and supporting(replace(s, course=None), denied)]
    errors = sorted(found.values(), key=lambda error: ERROR_KINDS.index(error.kind))
    return Alignment(tuple(matched), tuple(errors))


def distinct(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """Without those that another one of the same report says as well, in more detail or earlier."""
    kept: list[Statement] = []
    for index, statement in enumerate(statements):
        earlier = any(supporting(statement, [other]) for other in kept)
        later = any(
            supporting(statement, [other]) and not supporting(other, [statement]) for other in statements[index + 1 :]
        )
        if not earlier and not later:
            kept = [other for other in kept if not supporting(other, [statement])]
            kept.append(statement)
    return tuple(kept)


def _atoms(statements: Iterable[Statement]) -> list[_Atom]:
    atoms = []
    for index, statement in enumerate(statements):
        if statement.present:
            parts = [statement.on(side) for side in sorted(statement.sides)] or [statement]
            atoms += [_Atom(index, part) for part in parts]
    return atoms


def _paired(
    ours: Sequence[_Atom], theirs: Sequence[_Atom]
) -> tuple[list[tuple[_Atom, _Atom]], list[_Atom], list[_Atom]]:
    """Best pairs, and what is left over on either side."""
    if not ours or not theirs:
        return [], list(ours), list(theirs)
    from scipy.optimize import linear_sum_assignment

    gains = np.array([[_likeness(a.statement, b.statement) for b in theirs] for a in ours])
    chosen = [(i, j) for i, j in zip(*linear_sum_assignment(-gains), strict=True) if gains[i, j] > 0]
    used_ours, used_theirs = {i for i, _ in chosen}, {j for _, j in chosen}
    return (
        [(ours[i], theirs[j]) for i, j in chosen],
        [atom for i, atom in enumerate(ours) if i not in used_ours],
        [atom for j, atom in enumerate(theirs) if j not in used_theirs],
    )


def _likeness(a: Statement, b: Statement) -> float:
    """0 for unrelated concepts; else more for every detail in which they agree, so that the best pairs are found."""
    if not (is_kind_of(a.what, b.what) or is_kind_of(b.what, a.what)):
        return 0.0
    gain = 100.0 if a.what == b.what else 60.0
    if may_be_same_place(a, b):
        gain += 30.0 + 5.0 * (a.sides == b.sides) + 5.0 * (a.place == b.place)
    gain += 0.0 if sizes_differ(a, b) else 8.0 + 4.0 * (a.sizes == b.sizes)
    gain += 0.0 if grades_differ(a, b) else 6.0 + 2.0 * (a.grades == b.grades)
    return gain + 3.0 * (a.course == b.course) + 1.0 * (a.traits == b.traits)


def _differences(a: Statement, b: Statement) -> Iterable[tuple[ErrorKind, bool]]:
    matters = not (a.is_minor or b.is_minor)
    if not may_be_same_place(a, b) or tips_differ(a, b):
        yield "wrong location", matters
    if grades_differ(a, b) or sizes_differ(a, b):
        yield "wrong severity", matters and (_grades_far(a, b) or _sizes_far(a, b))
    if a.course != b.course:
        if a.course is not None:
            yield "false comparison", matters and a.course != "unchanged"
        if b.course is not None:
            yield "omitted comparison", matters and b.course != "unchanged"


def _grades_far(a: Statement, b: Statement) -> bool:
    return grades_differ(a, b) and min(abs(GRADES.index(x) - GRADES.index(y)) for x in a.grades for y in b.grades) > 1


def _sizes_far(a: Statement, b: Statement) -> bool:
    if not sizes_differ(a, b):
        return False
    gaps = [
        (abs(x - y), abs(x - y) / max(abs(x), abs(y)), dimension)
        for dimension, x in a.sizes
        for other, y in b.sizes
        if dimension == other
    ]
    gap, share, dimension = min(gaps)
    return share > _SMALL_SIZE and (dimension != "length" or gap > _SMALL_LENGTH)


def _plain(statement: Statement) -> Statement:
    """Only what and where: a left-over finding that the other report states elsewhere is no error of its own."""
    return replace(statement, grades=frozenset(), course=None, traits=frozenset(), tip=None)


def _is_said_resolved(statement: Statement, others: Sequence[Statement]) -> bool:
    return any(
        other.course == "resolved"
        and may_be_same_place(statement, other)
        and (is_kind_of(statement.what, other.what) or is_kind_of(other.what, statement.what))
        for other in others
    )
