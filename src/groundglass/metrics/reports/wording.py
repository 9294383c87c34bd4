"""One plain English phrase per statement: for notes of judges and for phrases of a sentence that states several."""

from __future__ import annotations

from groundglass.metrics.reports.statement import BOTH_SIDES, GRADES, Statement

_GRADE_WORDS = {"mild": "mild", "moderate": "moderate", "severe": "severe"}
_COURSE_WORDS = {"new": "new", "increased": "increased", "decreased": "decreased", "unchanged": "unchanged"}
_UNIT_WORDS = {"length": ("mm", 1.0), "volume": ("mL", 1e-3), "area": ("mm2", 1.0)}


def worded(statement: Statement) -> str:
    """ "No left pleural effusion.", "Increased moderate right pleural effusion.", "12 mm nodule in the lung, left."."""
    if statement.course == "resolved":
        return _sentence(f"{_named(statement)} has resolved")
    if not statement.present:
        return _sentence(f"no {_named(statement)}")
    words = [_COURSE_WORDS.get(statement.course or "", ""), _sizes(statement), _grades(statement), _named(statement)]
    text = " ".join(word for word in words if word)
    return _sentence(text if statement.certain else f"possible {text}")


def _named(statement: Statement) -> str:
    side = "bilateral" if statement.sides == BOTH_SIDES else "".join(statement.sides)
    traits = " ".join(value for _, value in sorted(statement.traits))
    place = f"in the {statement.place.name}" if statement.place else ""
    return " ".join(word for word in (side, traits, statement.what.name, place) if word)


def _grades(statement: Statement) -> str:
    return " to ".join(_GRADE_WORDS[grade] for grade in GRADES if grade in statement.grades)


def _sizes(statement: Statement) -> str:
    known = [(value, *_UNIT_WORDS[dimension]) for dimension, value in statement.sizes if dimension in _UNIT_WORDS]
    if not known:
        return ""
    return " x ".join(f"{value * factor:g}" for value, _, factor in known) + f" {known[0][1]}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
