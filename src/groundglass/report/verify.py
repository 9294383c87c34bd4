"""The report read back: every sentence must be borne out by the findings that it names. Hallucination rate 0."""

from __future__ import annotations

from groundglass.core import Finding, Report, ontology
from groundglass.report.binding import polarity_of, speaks_for, value_of
from groundglass.report.composer import abnormal
from groundglass.report.numbers import read_quantity
from groundglass.report.templates import Statement, Template, parse, shipped_templates

SECTIONS = ("comparison", "findings", "impression")


def unsupported(report: Report) -> list[str]:
    """The sentences of comparison, findings and impression that do not parse or that their findings do not bear out."""
    problems = []
    for section in report.sections:
        for sentence in section.sentences if section.name in SECTIONS else ():
            statement = parse(sentence.text, language=report.language)
            if statement is None:
                problems.append(f"{sentence.text!r} is not of a template")
            elif not is_borne_out(statement, sentence.findings, report):
                problems.append(
                    f"{sentence.text!r} is not borne out by {', '.join(sentence.findings) or 'any finding'}"
                )
    return problems


def unstated(report: Report) -> tuple[str, ...]:
    """Ids of the findings that no sentence names."""
    named = {i for section in report.sections for sentence in section.sentences for i in sentence.findings}
    return tuple(f.id for f in report.findings if f.id not in named)


def is_borne_out(statement: Statement, ids: tuple[str, ...], report: Report) -> bool:
    """True when the statement holds for every finding that it names (or, naming none, for the report as a whole)."""
    template = shipped_templates()[statement.key]
    findings = [report.finding(i) for i in ids]
    if any(f is None for f in findings):
        return False
    named = [f for f in findings if f is not None]
    if statement.key in _WHOLE:
        return _WHOLE[statement.key](statement, report)
    if statement.key in ("measurement on both sides", "structure on both sides"):
        return _pair_holds(statement, named)
    if template.section == "comparison":
        return bool(named) and all(_change_holds(statement, f) for f in named)
    return bool(named) and all(_holds(statement, template, f) for f in named)


def _holds(statement: Statement, template: Template, finding: Finding) -> bool:
    if not speaks_for(template, finding):
        return False
    if not template.per:
        return statement.polarity == polarity_of(finding) and _values_hold(statement, template, finding, None)
    return any(_values_hold(statement, template, finding, m) for m in finding.measurements)


def _values_hold(statement: Statement, template: Template, finding: Finding, measurement: object) -> bool:
    for name, stated in statement.slots:
        bound = template.slots[name]
        value = value_of(bound.source, bound, finding, measurement)  # type: ignore[arg-type]
        if value is None or bound.slot.normal(value) != stated:
            return False
    return True


def _pair_holds(statement: Statement, named: list[Finding]) -> bool:
    """A sentence of both sides holds when the sentence of each side alone would."""
    sides = {f.where.side: f for f in named}
    if set(sides) != {"left", "right"} or len(named) != 2:
        return False
    key = "measurement" if statement.get("measurement") else "structure"
    for side, finding in sides.items():
        slots = {"structure": (side, statement["structure"])}
        if key == "measurement":
            slots |= {"measurement": statement["measurement"], "value": statement[str(side)]}
        if not _holds(Statement(key, "present", tuple(sorted(slots.items()))), shipped_templates()[key], finding):
            return False
    return True


def _change_holds(statement: Statement, finding: Finding) -> bool:
    if statement["structure"] != (finding.where.side, finding.what.name):
        return False
    if statement.key != "measurement changed":
        return finding.attribute("change") == {"newly present": "new"}.get(statement.key, "resolved")
    kind = statement["measurement"]
    now, before = finding.measurement(kind), finding.attribute(f"prior {kind}")
    if now is None or before is None:
        return False
    quantity = shipped_templates()[statement.key].slots["value"].slot
    return (
        statement["value"] == quantity.normal((now.value, now.unit))
        and statement["before"] == read_quantity(before)
        and statement["change"] == finding.attribute(f"change in {kind}")
        and f"{statement['percent']:.1f}" == finding.attribute(f"percent change in {kind}")
    )


def _is_normal(_statement: Statement, report: Report) -> bool:
    asked = [f for f in report.findings if ontology().entry(f.what.name).kind == "finding"]
    return bool(asked) and all(f.status == "absent" and polarity_of(f) == "absent" for f in asked)


def _has_no_conclusion(statement: Statement, report: Report) -> bool:
    return not any(abnormal(f) for f in report.findings)


_WHOLE = {
    "normal": _is_normal,
    "no conclusion": _has_no_conclusion,
    "nothing read": lambda _statement, report: not report.findings,
    "prior": lambda _statement, _report: True,
}
