"""Findings to statements: which template speaks for a finding, and what fills its gaps.

A slot's `from` in a table is one of
`what`, `anatomy` (names), `side`, `structure` (side and `what`), `place` (side and anatomy), `score`,
`attribute:KIND` (all values of that kind for a list slot), `measurement:KIND`, `low:KIND`, `high:KIND`,
`range:KIND` ("below", "within", "above"), `count:KIND` (a measured count as a whole number);
and with `per: "measurement"`, of each measurement in turn: `m.kind`, `m.value`, `m.low`, `m.high`, `m.range`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from groundglass.core import Finding, Measurement, ontology
from groundglass.core.units import UNITS, convert
from groundglass.report.slots import BoundSlot, Count, ListOf, Number, Quantity
from groundglass.report.templates import Polarity, Statement, Template, Templates, shipped_templates, systems


def statements_of(
    finding: Finding, *, section: str = "findings", tables: Templates | None = None
) -> tuple[Statement, ...]:
    """All that the tables say of one finding, its presence first, then measurements worth a sentence.

    Special tables win: where a template names the finding's term, the generic grammar adds only measurements
    that leave their reference range. A measurement that is not spoken stands in the table of measurements.
    """
    tables = tables or shipped_templates()
    status = polarity_of(finding)
    said: list[Statement] = []
    groups: set[str] = set()
    worded: set[str] = set()
    has_own_words = False
    for template in tables:
        if template.section != section or not speaks_for(template, finding):
            continue
        if template.per:
            for measurement in _worth_a_sentence(finding, has_own_words):
                statement = (
                    None
                    if measurement.kind.name in worded
                    else _fill(tables, template, finding, "present", measurement)
                )
                if statement:
                    said.append(statement)
                    worded.add(measurement.kind.name)
        elif template.group not in groups and not (template.kinds and has_own_words):
            statement = _fill(tables, template, finding, status, None)
            if statement:
                said.append(statement)
                groups.add(template.group)
                worded |= _worded_measurements(template, status)
                has_own_words = has_own_words or bool(template.terms)
    return tuple(_without_bare_presence(said))


def polarity_of(finding: Finding) -> Polarity:
    """The finding's status; "not assessed" where its attribute `assessment` says so."""
    return "not assessed" if finding.attribute("assessment") == "not assessed" else finding.status


def speaks_for(template: Template, finding: Finding) -> bool:
    """True when the template is meant for this finding's term."""
    name = finding.what.name
    if template.terms:
        return any(ontology().find(term) and ontology().is_a(name, term) for term in template.terms)
    return bool(template.kinds) and ontology().entry(name).kind in template.kinds


def system_of(finding: Finding) -> str:
    """The anatomical system whose place in the report's order a finding takes."""
    own = next((t.system for t in shipped_templates() if t.terms and t.system and speaks_for(t, finding)), None)
    if own:
        return own
    anatomy = finding.where.anatomy or finding.what
    lineage = {t.name for t in (finding.what, *ontology().ancestors(finding.what.name))}
    places = [anatomy.name, *(t.name for t in ontology().ancestors(anatomy.name))]
    for system in systems():
        if lineage & set(system.get("findings", ())):
            return str(system["name"])
    for place in places:
        for system in systems():
            if place in system["anatomy"]:
                return str(system["name"])
    return "body"


def value_of(source: str, bound: BoundSlot, finding: Finding, measurement: Measurement | None = None) -> Any:
    """What a finding gives for a gap, None when it has nothing there."""
    where, _, kind = source.partition(":")
    if source.startswith("m."):
        return _of_measurement(source[2:], bound, measurement) if measurement else None
    if where in ("measurement", "low", "high", "range", "count"):
        return _of_measurement(
            "value" if where in ("measurement", "count") else where, bound, finding.measurement(kind)
        )
    if where == "attribute":
        values = [a.value for a in finding.attributes if a.kind == kind]
        return (values if isinstance(bound.slot, ListOf) else values[0]) if values else None
    return _of_finding(source, finding)


def _of_finding(source: str, finding: Finding) -> Any:
    anatomy = finding.where.anatomy
    if source == "what":
        return finding.what.name
    if source == "side":
        return finding.where.side
    if source == "score":
        return finding.score
    if source == "anatomy":
        return anatomy.name if anatomy else None
    if source == "place":
        return (finding.where.side, anatomy.name) if anatomy else None
    if source == "structure":
        is_anatomy = ontology().entry(finding.what.name).kind == "anatomy"
        named = finding.what if is_anatomy else anatomy
        return (finding.where.side, named.name) if named else None
    return None


def _of_measurement(part: str, bound: BoundSlot, measurement: Measurement | None) -> Any:
    if measurement is None:
        return None
    if part == "kind":
        return measurement.kind.name
    if part == "range":
        return range_of(measurement)
    value = {"value": measurement.value, "low": measurement.low, "high": measurement.high}[part]
    if value is None or not math.isfinite(value):
        return None
    if isinstance(bound.slot, Quantity):
        return value, measurement.unit
    if isinstance(bound.slot, Number) and bound.slot.unit:
        if UNITS[measurement.unit][0] != UNITS[bound.slot.unit][0]:
            return None  # a length slot cannot word a long axis that was given in pixels
        return convert(value, measurement.unit, bound.slot.unit)
    return round(value) if isinstance(bound.slot, Count) else value


def range_of(measurement: Measurement) -> str | None:
    """ "below", "within" or "above" its reference range; None where no source states one."""
    if measurement.low is None and measurement.high is None:
        return None
    if measurement.low is not None and measurement.value < measurement.low:
        return "below"
    return "above" if measurement.is_outside_range else "within"


def _fill(
    tables: Templates, template: Template, finding: Finding, status: Polarity, measurement: Measurement | None
) -> Statement | None:
    values: dict[str, Any] = {}
    if status not in template.sentences["en"]:
        return None
    for name in template.gaps(status):
        bound = template.slots[name]
        value = value_of(bound.source, bound, finding, measurement)
        if value is None or not _is_choice(bound, value):
            return None
        values[name] = value
    return tables.statement(template.key, status, **values)


def _is_choice(bound: BoundSlot, value: Any) -> bool:
    words = getattr(getattr(bound.slot, "item", bound.slot), "words", None)
    values = value if isinstance(value, (list, tuple)) else [value]
    return words is None or all(v in words for v in values)


def _worth_a_sentence(finding: Finding, has_own_words: bool) -> Sequence[Measurement]:
    """Of a structure: its first measurement and those with a range; of a finding with own words: those out of range."""
    finite = [m for m in finding.measurements if math.isfinite(m.value)]
    kind = ontology().entry(finding.what.name).kind
    if kind in ("anatomy", "measurement"):
        return [m for i, m in enumerate(finite) if i == 0 or range_of(m)] if finding.status == "present" else []
    return [m for m in finite if m.is_outside_range or (range_of(m) and not has_own_words)]


def _worded_measurements(template: Template, status: Polarity) -> set[str]:
    """The measurement kinds that a template's gaps have put into words."""
    sources = (template.slots[name].source for name in template.gaps(status))
    return {source.partition(":")[2] for source in sources if source.startswith(("measurement:", "count:"))}


def _without_bare_presence(said: list[Statement]) -> list[Statement]:
    """Drop "the liver is outlined" where a measurement of the liver says so already."""
    if any(s.key != "structure" for s in said):
        return [s for s in said if not (s.key == "structure" and s.polarity == "present")]
    return said
