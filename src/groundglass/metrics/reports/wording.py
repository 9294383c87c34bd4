"""One plain English phrase per statement: for notes of judges and for phrases of a sentence that states several."""

from __future__ import annotations

from groundglass.metrics.reports.statement import BOTH_SIDES, GRADES, Statement

_UNITS = {"length": ("mm", 1.0), "volume": ("mL", 1e-3), "area": ("mm2", 1.0)}


def worded(statement: Statement) -> str:
    """ "No left pleural effusion.", "Increased moderate right pleural effusion.", "12 mm left pulmonary nodule." """
    if statement.course == "resolved":
        return _sentence(f"{_named(statement)} has resolved")
    if not statement.present:
        return _sentence(
            " ".join(word for word in ("no", statement.course, _grades(statement), _named(statement)) if word)
        )
    words = (statement.course, size_words(statement), _grades(statement), _named(statement))
    text = " ".join(word for word in words if word)
    return _sentence(text if statement.certain else f"possible {text}")


def size_words(statement: Statement) -> str:
    """ "32 x 28 mm"; empty when nothing was measured in a unit of size."""
    known = [(value, *_UNITS[dimension]) for dimension, value in statement.sizes if dimension in _UNITS]
    if not known:
        return ""
    return " x ".join(f"{value * factor:g}" for value, _, factor in known) + f" {known[0][1]}"


def _named(statement: Statement) -> str:
    side = "bilateral" if statement.sides == BOTH_SIDES else "".join(statement.sides)
    traits = " ".join(value for _, value in sorted(statement.traits))
    where = statement.place.name if statement.place else statement.tip
    return " ".join(word for word in (side, traits, statement.what.name, f"in the {where}" if where else "") if word)


def _grades(statement: Statement) -> str:
    return " to ".join(grade for grade in GRADES if grade in statement.grades)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
