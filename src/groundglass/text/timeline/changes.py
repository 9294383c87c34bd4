"""The course of each group over studies: what is new, persists, resolved; where words and history disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from groundglass.text.timeline.episodes import by_group
from groundglass.text.timeline.grouping import covers, group_keys
from groundglass.text.timeline.patient import PatientTimeline
from groundglass.text.timeline.rows import Row, in_order

Change = Literal["first seen", "new", "persisting", "resolved", "absent", "recurrent"]


@dataclass(frozen=True, slots=True)
class State:
    """A group in one study. `change` is derived from the reports before, `stated` is what this one says.

    `size_mm` is the largest long axis, `growth_mm` its difference to the last one given. `doubt` names a contradiction
    between the two ("called new, seen before").
    """

    study_id: str
    date: str
    change: Change
    certain: bool
    stated: str | None = None
    severity: str = ""
    size_mm: float | None = None
    growth_mm: float | None = None
    doubt: str = ""
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CourseLine:
    """A group's states in time order; a study that does not mention it has none (unmentioned is not absent)."""

    group: str
    category: str
    states: tuple[State, ...]


def course(patient: PatientTimeline) -> tuple[CourseLine, ...]:
    """One line per group, in the order of first mention; what only history tells is left out.

    A denial that is said of more ("no effusion") also ends the groups within it that were there.
    """
    keys = dict(zip((row.id for row in patient.rows), group_keys(patient.rows), strict=True))
    denials = [row for row in patient.rows if not row.positive]
    lines = []
    for name, rows in by_group(patient.rows).items():
        now = [row for row in rows if "past hx" not in row.attributes]
        if not now:
            continue
        wider = [d for d in denials if d.group != name and covers(keys[d.id], keys[now[0].id])]
        first = min(row.study.sequence for row in now)
        line = in_order([*now, *(d for d in wider if d.study.sequence > first)])
        lines.append(CourseLine(name, now[0].category, _states(line)))
    return tuple(lines)


def _states(rows: Sequence[Row]) -> tuple[State, ...]:
    found: list[State] = []
    size: float | None = None
    was, ever = False, False
    for sequence in dict.fromkeys(row.study.sequence for row in rows):
        here = [row for row in rows if row.study.sequence == sequence]
        shown = [row for row in here if row.positive]
        largest = max((row.size_mm for row in shown if row.size_mm is not None), default=None)
        stated = next((row.change for row in here if row.change), None)
        change = _change(bool(shown), was, ever, is_first_study=sequence == 1)
        found.append(
            State(
                here[0].study.id,
                here[0].study.date,
                change,
                any(row.definitive for row in shown or here),
                stated,
                next((row.attributes["severity"] for row in shown if "severity" in row.attributes), ""),
                largest,
                round(largest - size, 3) if largest is not None and size is not None else None,
                _doubt(change, stated),
                tuple(row.id for row in here),
            )
        )
        size = largest if largest is not None else size
        was, ever = bool(shown), ever or bool(shown)
    return tuple(found)


def _change(shown: bool, was: bool, ever: bool, *, is_first_study: bool) -> Change:
    if shown:
        if was:
            return "persisting"
        return "recurrent" if ever else "first seen" if is_first_study else "new"
    return "resolved" if was else "absent"


def _doubt(change: Change, stated: str | None) -> str:
    if change == "persisting" and stated == "onset":
        return "called new, seen before"
    if change == "new" and stated in ("no change", "improved", "worsened"):
        return f"called {stated}, not reported before"
    return ""
