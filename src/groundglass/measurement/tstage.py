"""T category and resectability from measured size and contact. The rules are data, each with its source.

A category is "at least what the masks show": invasion that no mask shows (renal vein, perinephric fat, vessels
inside the liver) is named in `not_assessed`, never assumed absent in silence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from groundglass.core import ConfigurationError

# NCCN Pancreatic Adenocarcinoma 2.2021, criteria as tabulated by RadGPT (arXiv 2501.04678).
RESECTABILITY_SOURCE = "NCCN Pancreatic Adenocarcinoma, as tabulated by RadGPT (arXiv 2501.04678)"
_VESSELS = (
    "superior mesenteric artery",
    "celiac trunk",
    "common hepatic artery",
    "portal vein",
    "superior mesenteric vein",
    "inferior vena cava",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """The T category, why, by which source, and which structures of the rule had no mask."""

    category: str
    reason: str
    source: str
    not_assessed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VascularResectability:
    """ "resectable", "borderline resectable" or "unresectable" with its reasons (vessel and degrees)."""

    verdict: str
    reasons: tuple[str, ...]
    source: str = RESECTABILITY_SOURCE


@cache
def tumour_types() -> dict[str, Any]:
    """The rules by tumour type (ontology names)."""
    return json.loads((resources.files("groundglass.measurement") / "data" / "tstage.json").read_text(encoding="utf-8"))


def t_stage(tumour: str, diameter_mm: float, contacts: Mapping[str, float], *, count: int = 1) -> Stage:
    """The T category of one lesion of type `tumour`.

    `diameter_mm`: longest diameter. `contacts`: degrees of contact (or > 0 for touched organs) by structure;
    structures without a mask are left out. `count`: lesions of this type in the organ (liver). Raises
    ConfigurationError for a type without a rule.
    """
    rules = tumour_types()
    if tumour not in rules:
        raise ConfigurationError(tumour, "has no T rule", f"Use one of {', '.join(rules)}.")
    rule = rules[tumour]
    missing = tuple(name for name in rule["needs"] if name not in contacts)
    for kind, limit, word in (("encased", 180.0, "encasement"), ("touched", 0.0, "contact")):
        for category in sorted(rule.get(kind, {}), reverse=True):
            for name in rule[kind][category]:
                degrees = contacts.get(name, 0.0)
                if degrees > 0 and degrees >= limit:
                    size = _by_size(rule["size"], diameter_mm)
                    if category > size:
                        return Stage(category, f"{word} of the {name}", rule["source"], missing)
    table = rule["multiple"] if count > 1 and "multiple" in rule else rule["size"]
    return Stage(_by_size(table, diameter_mm), f"longest diameter {diameter_mm / 10:.1f} cm", rule["source"], missing)


def _by_size(table: list[list[Any]], diameter_mm: float) -> str:
    for category, limit, *exclusive in table:
        if limit is None or (diameter_mm < limit if exclusive else diameter_mm <= limit):
            return str(category)
    raise AssertionError("every size table ends with an open class")


def vascular_resectability(part: str, contacts: Mapping[str, float]) -> VascularResectability | None:
    """Resectability of a pancreatic cancer in `part` ("head", "body", "tail") from degrees of vessel contact.

    None when neither the superior mesenteric artery nor the celiac trunk has a mask: nothing can be said.
    """
    if "superior mesenteric artery" not in contacts and "celiac trunk" not in contacts:
        return None
    touched = {name: contacts[name] for name in _VESSELS if contacts.get(name, 0.0) > 0}
    reasons = tuple(f"{name} {degrees:.0f} degrees" for name, degrees in touched.items())
    artery, celiac = touched.get("superior mesenteric artery", 0.0), touched.get("celiac trunk", 0.0)
    if part == "head":
        beyond = artery > 180 or celiac > 0 or touched.get("inferior vena cava", 0.0) > 0
    else:
        beyond = artery > 180 or celiac > 180
    verdict = "unresectable" if beyond else "borderline resectable" if touched else "resectable"
    return VascularResectability(verdict, reasons)
