"""Findings of one report as rows: entity, category, status, certainty, attributes, and links between entities.

The entity is verbatim, attributes are in the normal words of the text room ("enlarging" is "increased"). A bilateral
finding is two rows, one per side, so that each side has its own course. "Stable" and "unchanged" are both `no change`
(the release lists "stable" under improved).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from json import loads
from typing import Any, Literal

from groundglass.core import Finding, Report, ontology
from groundglass.text.lexicon import lexicon

RELATIONS = (
    "location",
    "morphology",
    "distribution",
    "measurement",
    "severity",
    "comparison",
    "onset",
    "no change",
    "improved",
    "worsened",
    "placement",
    "past hx",
    "other source",
    "assessment limitations",
)
Category = Literal["RF", "OTH", "COF", "NCD", "PATIENT INFO"]

_TRAITS = {
    "texture": "morphology",
    "margin": "morphology",
    "distribution": "distribution",
    "number": "distribution",
    "severity": "severity",
    "chronicity": "onset",
    "position": "placement",
}
_CHANGES = {
    "new": "onset",
    "unchanged": "no change",
    "increased": "worsened",
    "decreased": "improved",
    "resolved": "improved",
}
_EVIDENCE = re.compile(
    r"\b(?:consistent with|compatible with|suggest\w*|represent\w*|reflect\w*|suspicious for|concerning for"
    r"|worrisome for|due to|secondary to|from|in keeping with|indicat\w*|likely|favou?r\w*)\b",
    re.IGNORECASE,
)
_ASSOCIATE = re.compile(r"\b(?:with|associated with|accompanied by|adjacent|together with)\b", re.IGNORECASE)
_REACH = 4
"""Only that many of the next findings of a sentence are linked to one."""
_LEFT_OUT = frozenset({"hypothetical", "other person"})


@dataclass(frozen=True, slots=True)
class Study:
    """A study of the patient: id, place in time (1, 2, ...), and days since the first one."""

    id: str
    sequence: int
    day: int
    date: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One statement. `entity` is verbatim, `concept` its term's name; `links` are (ASSOCIATE or EVIDENCE, row id).

    `side` and `place` say where, as far as it is more than the concept's usual place; `attributes` maps names of
    RELATIONS to text. `group` and `episode` are set by `patient_timeline`; episode 0 holds a group's normals.
    """

    id: str
    study: Study
    section: str
    sentence: int
    entity: str
    concept: str
    category: Category
    positive: bool
    definitive: bool
    side: str | None = None
    place: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    links: tuple[tuple[str, str], ...] = ()
    size_mm: float | None = None
    group: str = ""
    episode: int = 1

    @property
    def status(self) -> str:
        """DP, DN, TP or TN."""
        return ("D" if self.definitive else "T") + ("P" if self.positive else "N")

    @property
    def change(self) -> str | None:
        """onset, no change, improved or worsened, where the row states it."""
        return next((n for n in ("no change", "improved", "worsened") if n in self.attributes), None) or (
            "onset" if "new" in self.attributes.get("onset", "").split() else None
        )


def rows_of(report: Report, text: str, study: Study) -> tuple[Row, ...]:
    """The rows of a report whose plain text is `text`; history is `past hx`.

    Left out are recommendations, and what is hypothetical or another person's.
    """
    known = {finding.id: finding for finding in report.findings}
    found: list[Row] = []
    number = 0
    for section in report.sections:
        for sentence in section.sentences:
            number += 1
            here: list[tuple[Row, Finding]] = []
            for finding_id in sentence.findings:
                finding = known.get(finding_id)
                if finding is not None and _is_row(finding):
                    for side in _sides(finding):
                        row_id = f"{study.id}:{len(found) + len(here) + 1}"
                        here.append((_row(row_id, finding, side, study, section.name, number, text), finding))
            found += _linked(here, text)
    return tuple(found)


def _is_row(finding: Finding) -> bool:
    entry = ontology().find(finding.what.name)
    is_advice = entry is not None and entry.kind == "procedure"
    return not is_advice and finding.attribute("assertion") not in _LEFT_OUT


def _sides(finding: Finding) -> tuple[str | None, ...]:
    return ("left", "right") if finding.where.side == "bilateral" else (finding.where.side,)


def _row(row_id: str, finding: Finding, side: str | None, study: Study, section: str, sentence: int, text: str) -> Row:
    name = finding.what.name
    span = finding.evidence[1].span if len(finding.evidence) > 1 else None
    place = finding.where.anatomy.name if finding.where.anatomy else None
    if place == lexicon("en").usual_anatomy(name):
        place = None
    attributes = _attributes(finding)
    location = " ".join(word for word in (side, place) if word)
    size = finding.measurement("long axis")
    return Row(
        row_id,
        study,
        section,
        sentence,
        " ".join(text[slice(*span)].split()) if span else name,
        name,
        category_of(name),
        finding.status != "absent" and finding.attribute("change") != "resolved",
        finding.status != "uncertain",
        side,
        place,
        {**({"location": location} if location else {}), **attributes},
        size_mm=size.value if size and size.unit == "mm" else None,
    )


def _attributes(finding: Finding) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for attribute in finding.attributes:
        name = _CHANGES.get(attribute.value) if attribute.kind == "change" else _TRAITS.get(attribute.kind)
        if name:
            found.setdefault(name, []).append(attribute.value)
        elif attribute.kind == "assertion" and attribute.value == "historical":
            found.setdefault("past hx", []).append("historical")
        elif attribute.kind.startswith("prior "):
            found.setdefault("comparison", []).append(attribute.value)
    if finding.measurements:
        unit = finding.measurements[0].unit
        found["measurement"] = [" x ".join(f"{m.value:g}" for m in finding.measurements if m.unit == unit), unit]
    return {name: " ".join(found[name]) for name in RELATIONS if name in found}


@cache
def category_of(name: str) -> Category:
    """The category of a concept; what no list names is a radiological finding."""
    tree = ontology()
    if name in tree:
        for category, names in data()["categories"].items():
            if any(tree.is_a(name, other) for other in names):
                found: Category = category
                return found
    return "RF"


def _linked(here: list[tuple[Row, Finding]], text: str) -> list[Row]:
    """Links within a sentence: a diagnosis has a finding as evidence, things said together are associated."""
    links: dict[str, list[tuple[str, str]]] = {row.id: [] for row, _ in here}
    near = ((one, other) for index, one in enumerate(here) for other in here[index + 1 : index + 1 + _REACH])
    for (first, one), (second, other) in near:
        spans = one.evidence[1].span, other.evidence[1].span
        if spans[0] is None or spans[1] is None or not (first.positive and second.positive):
            continue
        between = text[spans[0][1] : spans[1][0]]
        diagnosis = next((row for row in (first, second) if is_diagnosis(row.concept)), None)
        finding = second if diagnosis is first else first
        if _EVIDENCE.search(between) and diagnosis is not None and not is_diagnosis(finding.concept):
            links[diagnosis.id].append(("EVIDENCE", finding.id))
            links[finding.id].append(("ASSOCIATE", diagnosis.id))
        elif _ASSOCIATE.search(between):
            links[first.id].append(("ASSOCIATE", second.id))
            links[second.id].append(("ASSOCIATE", first.id))
    return [replace(row, links=tuple(links[row.id])) for row, _ in here]


@cache
def is_diagnosis(name: str) -> bool:
    """Whether a concept is a conclusion rather than something seen."""
    tree = ontology()
    return name in tree and any(tree.is_a(name, other) for other in data()["diagnoses"])


@cache
def data() -> dict[str, Any]:
    """The tables of categories, diagnoses and what counts as the same."""
    file = resources.files("groundglass.text.timeline") / "data" / "sameness.json"
    tables: dict[str, Any] = loads(file.read_text(encoding="utf-8"))
    return tables


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Rows by study and sentence, in the order given where those are equal."""
    return sorted(rows, key=lambda row: (row.study.sequence, row.sentence))
