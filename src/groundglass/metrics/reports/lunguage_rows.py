"""The table of LunguageScore from the statements of a report: one row per statement, in the schema's words."""

from __future__ import annotations

from collections.abc import Iterable

from groundglass.metrics.reports.lunguage import LunguageRow
from groundglass.metrics.reports.statement import BOTH_SIDES, GRADES, Statement
from groundglass.metrics.reports.wording import size_words

_COURSE_RELATIONS = {
    "new": "onset",
    "increased": "worsened",
    "decreased": "improved",
    "resolved": "improved",
    "unchanged": "no change",
}
_TRAIT_RELATIONS = {
    "texture": "morphology",
    "margin": "morphology",
    "distribution": "distribution",
    "chronicity": "onset",
}


def lunguage_rows(statements: Iterable[Statement], *, sequence: int = 1) -> tuple[LunguageRow, ...]:
    """Rows of one study; the group of a row is its entity with its place, so that names do not depend on a writer.

    "Stable" and "unchanged" are both `no change` (the release lists "stable" under improved).
    """
    return tuple(_row(statement, sequence) for statement in statements)


def _row(statement: Statement, sequence: int) -> LunguageRow:
    side = "bilateral" if statement.sides == BOTH_SIDES else "".join(statement.sides)
    location = " ".join(word for word in (side, statement.place.name if statement.place else "") if word)
    relations = {
        "dx_status": "positive" if statement.present else "negative",
        "dx_certainty": "definitive" if statement.certain else "tentative",
        "location": location,
        "severity": " to ".join(grade for grade in GRADES if grade in statement.grades),
        "measurement": size_words(statement),
        "placement": statement.tip or "",
    }
    for kind, value in sorted(statement.traits):
        name = _TRAIT_RELATIONS.get(kind, "morphology")
        relations[name] = " ".join(word for word in (relations.get(name), value) if word)
    if statement.course in _COURSE_RELATIONS:
        relations[_COURSE_RELATIONS[statement.course]] = statement.course
    given = {name: text for name, text in relations.items() if text}
    return LunguageRow(statement.what.name, given, sequence, f"{location} {statement.what.name}".strip())
