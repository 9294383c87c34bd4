"""The attributes of a place: "category|yes or no|label", from findings and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

from groundglass.core import Finding, Term, ontology
from groundglass.core.errors import InputError
from groundglass.core.ontology import PRIVATE_SCHEME

OTHER = "other"
"""Category of findings that the published label list does not name; their label is the term's own name."""
NORMAL = "nlp|yes|normal"

COMPARISONS = {
    "increased": "worsened",
    "new": "worsened",
    "decreased": "improved",
    "resolved": "improved",
    "unchanged": "no change",
}
_KEPT_CHANGES = ("new", "resolved")
_CUES = {"severity": "severity", "texture": "texture", "margin": "texture", "distribution": "texture"}
_CUES |= {"chronicity": "temporal", "certainty": "certainty"}


@dataclass(frozen=True, slots=True)
class _Rule:
    label: str
    category: str
    any: frozenset[str]
    exact: frozenset[str]
    never: frozenset[str]
    term: str


def attribute_of(finding: Finding) -> str:
    """The finding as an attribute; an uncertain one is "yes" (its doubt is a cue)."""
    polarity = "no" if finding.status == "absent" else "yes"
    given = finding.attribute("graph label")
    if given is not None:
        category, _, label = given.partition("|")
    else:
        category, label = _label(finding.what.name)
    if (category, label) == ("nlp", "abnormal") and polarity == "no":
        return NORMAL
    return f"{category}|{polarity}|{label}"


def parts(attribute: str) -> tuple[str, bool, str]:
    """(category, is it asserted, label) of an attribute. Raises InputError when it is none."""
    pieces = attribute.split("|")
    if len(pieces) != 3 or pieces[1] not in ("yes", "no") or not all(pieces):
        raise InputError(attribute, "is not an attribute", "Expected category|yes|label or category|no|label.")
    return pieces[0], pieces[1] == "yes", pieces[2]


def term_of(category: str, label: str) -> Term:
    """The ontology's term of a label; a label that it does not know gets a term of the private scheme."""
    for rule in _rules():
        if (rule.category, rule.label) == (category, label):
            return ontology()[rule.term]
    found = ontology().find(label)
    return found.term if found else Term(label.casefold().replace(" ", "-"), PRIVATE_SCHEME, label)


def is_known(category: str, label: str) -> bool:
    """Whether the term of this label leads back to it."""
    return _label(term_of(category, label).name) == (category, label)


def code_of(attribute: str) -> str:
    """ "scheme:code" of an attribute's term."""
    category, _, label = parts(attribute)
    term = term_of(category, "abnormal" if attribute == NORMAL else label)
    return f"{term.scheme}:{term.code}"


def cues_of(finding: Finding) -> dict[str, tuple[str, ...]]:
    """Comparison, temporal, severity, texture and certainty cues of a finding, each as "category|yes|value"."""
    found: dict[str, list[str]] = {}
    for attribute in finding.attributes:
        if attribute.kind == "change" and attribute.value in COMPARISONS:
            found.setdefault("comparison", []).append(COMPARISONS[attribute.value])
            if attribute.value in _KEPT_CHANGES:
                found.setdefault("temporal", []).append(attribute.value)
        elif attribute.kind in _CUES:
            found.setdefault(_CUES[attribute.kind], []).append(attribute.value)
    return {kind: tuple(f"{kind}|yes|{value}" for value in dict.fromkeys(values)) for kind, values in found.items()}


def _label(name: str) -> tuple[str, str]:
    return _labels_by_term().get(name, (OTHER, name))


@cache
def _labels_by_term() -> dict[str, tuple[str, str]]:
    tree = ontology()
    found: dict[str, tuple[str, str]] = {}
    for entry in tree:
        name = entry.term.name
        lineage = {name, *(term.name for term in tree.ancestors(name))}
        for rule in _rules():
            if name in rule.exact or (lineage & rule.any and not lineage & rule.never):
                found[name] = (rule.category, rule.label)
                break
    return found


@cache
def _rules() -> tuple[_Rule, ...]:
    file = resources.files("groundglass.text.graph") / "data" / "attributes.json"
    return tuple(
        _Rule(
            row["label"],
            row["category"],
            frozenset(row.get("any", ())),
            frozenset(row.get("exact", ())),
            frozenset(row.get("not", ())),
            row["term"],
        )
        for row in json.loads(file.read_text(encoding="utf-8"))["attributes"]
    )


@cache
def labels() -> tuple[tuple[str, str], ...]:
    """(category, label) of every attribute that the data file names."""
    return tuple((rule.category, rule.label) for rule in _rules())
