"""The table of measurements, one row each: what the text leaves out stands here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from groundglass.core import Finding, Measurement, Report
from groundglass.report.binding import range_of
from groundglass.report.numbers import write_quantity
from groundglass.report.slots import term_word
from groundglass.report.words import page_words


@dataclass(frozen=True, slots=True)
class Row:
    """Printed cells. `flag` is "below", "within", "above" or ""."""

    finding: str
    name: str
    kind: str
    value: str
    range: str
    flag: str
    source: str
    method: str


def measurement_rows(report: Report) -> tuple[Row, ...]:
    """All measurements in the report's order; one that is not a finite number is left out."""
    words = page_words(report.language)
    return tuple(
        Row(
            finding=finding.id,
            name=finding_name(finding, report.language),
            kind=term_word(measurement.kind.name, report.language),
            value=write_quantity(measurement.value, measurement.unit, report.language),
            range=_range(measurement, report.language, words),
            flag=range_of(measurement) or "",
            source=measurement.source,
            method=measurement.method,
        )
        for finding in report.findings
        for measurement in finding.measurements
        if math.isfinite(measurement.value)
    )


def finding_name(finding: Finding, language: str) -> str:
    """`pulmonary nodule, left, upper zone of lung`: what, side, and the place where it is another structure."""
    words = page_words(language)
    parts = [term_word(finding.what.name, language)]
    if finding.where.side:
        parts.append(words[finding.where.side])
    if finding.where.anatomy and finding.where.anatomy != finding.what:
        parts.append(term_word(finding.where.anatomy.name, language))
    name = ", ".join(parts)
    return name[:1].upper() + name[1:]


def _range(measurement: Measurement, language: str, words: Mapping[str, str]) -> str:
    low, high = (
        None if bound is None else write_quantity(bound, measurement.unit, language)
        for bound in (measurement.low, measurement.high)
    )
    if low is None and high is None:
        return ""
    if low is None:
        return f"{words['up to']} {high}"
    return f"{words['from']} {low}" if high is None else f"{low} {words['to']} {high}"
