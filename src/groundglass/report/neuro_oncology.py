"""The standardised form of a brain tumour report: one value per line, as JSON, CSV (one row) and text, and back.

Values are rounded once, when the form is made, by the rule that the sentences use; so all three say the same.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from groundglass.core import Finding, InputError, Measurement, ontology
from groundglass.report.numbers import quantity

# What the form tells of the reported tumour and of a resection, in this order.
_TUMOUR = (
    "volume",
    "volume in template space",
    "long axis",
    "short axis",
    "bidimensional product",
    "maximum 3D diameter",
    "equivalent diameter",
    "number of foci",
    "distance between foci",
    "share on the left",
    "share on the right",
    "distance to the midline",
    "resectability index",
    "resectable volume",
    "expected residual volume",
)
_RESECTION = ("preoperative volume", "postoperative volume", "extent of resection")
_COMPARTMENTS = ("enhancing tumour", "necrosis", "oedema", "resection cavity", "residual brain tumour")
_NAME = re.compile(r"(?P<name>.*?)(?: \[(?P<unit>[^\]]*)\])?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: a number with its UCUM unit, or words (`unit` is None)."""

    name: str
    value: float | str
    unit: str | None = None

    @property
    def label(self) -> str:
        return self.name if self.unit is None else f"{self.name} [{self.unit}]"


def brain_tumour_form(findings: Iterable[Finding]) -> tuple[Entry, ...]:
    """The form of a reading's brain tumour findings; empty where there is none."""
    held = list(findings)
    tumour = next((f for f in held if _is_tumour(f) and f.measurement("number of foci")), None)
    entries: list[Entry] = []
    if tumour is not None:
        entries.append(Entry("tumour", tumour.what.name))
        entries.append(Entry("side", tumour.where.side or "not determined"))
        entries += _numbers(tumour, _TUMOUR, "tumour ")
        entries += [Entry(a.kind, a.value) for a in tumour.attributes]
    for finding in held:
        if finding is not tumour and finding.what.name in _COMPARTMENTS:
            entries += _numbers(finding, ("volume", "share of tumour volume"), f"{finding.what.name} ")
        elif finding.what == ontology()["tumour in structure"]:
            name = finding.attribute("structure") or "structure"
            kinds = ("share of tumour in structure", "share of structure in tumour")
            entries += [
                _entry(kind.replace("structure", name), m) for kind in kinds if (m := finding.measurement(kind))
            ]
        elif finding.what == ontology()["extent of tumour resection"]:
            entries += _numbers(finding, _RESECTION, "")
            entries += [Entry(f"resection {a.kind}", a.value) for a in finding.attributes]
    return tuple(entries)


def _is_tumour(finding: Finding) -> bool:
    return ontology().entry(finding.what.name).kind == "finding" and ontology().is_a(finding.what.name, "brain tumour")


def _numbers(finding: Finding, kinds: Iterable[str], before: str) -> list[Entry]:
    return [_entry(f"{before}{kind}", m) for kind in kinds if (m := finding.measurement(kind))]


def _entry(name: str, measurement: Measurement) -> Entry:
    value, unit = quantity(measurement.value, measurement.unit)
    return Entry(name, value, unit)


def to_json(form: Iterable[Entry]) -> str:
    """A JSON object from label to value."""
    return json.dumps({entry.label: entry.value for entry in form}, indent=1, ensure_ascii=False) + "\n"


def to_csv(form: Iterable[Entry]) -> str:
    """Two lines: labels, then values; one patient is one row."""
    entries = list(form)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([entry.label for entry in entries])
    writer.writerow([_written(entry) for entry in entries])
    return out.getvalue()


def to_text(form: Iterable[Entry]) -> str:
    """One line per entry: `tumour volume [mL]: 12.3`."""
    return "".join(f"{entry.label}: {_written(entry)}\n" for entry in form)


def from_json(text: str) -> tuple[Entry, ...]:
    """The form that `to_json` wrote. Raises InputError where it is none."""
    try:
        held = json.loads(text)
        return tuple(_read(label, value) for label, value in held.items())
    except (ValueError, AttributeError) as error:
        raise InputError("brain tumour form", f"is no JSON form ({error})", "Write it again.") from error


def from_csv(text: str) -> tuple[Entry, ...]:
    """The form that `to_csv` wrote. Raises InputError where it is none."""
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if not rows:
        return ()
    if len(rows) != 2 or len(rows[0]) != len(rows[1]):
        raise InputError("brain tumour form", "is not one row under its labels", "Write it again.")
    return tuple(_read(label, value) for label, value in zip(*rows, strict=True))


def from_text(text: str) -> tuple[Entry, ...]:
    """The form that `to_text` wrote. Raises InputError at a line without a value."""
    entries = []
    for line in text.splitlines():
        label, colon, value = line.partition(": ")
        if not colon:
            raise InputError("brain tumour form", f"has the line {line!r} without a value", "Write it again.")
        entries.append(_read(label, value))
    return tuple(entries)


def _written(entry: Entry) -> str:
    return entry.value if isinstance(entry.value, str) else repr(float(entry.value))


def _read(label: str, value: object) -> Entry:
    match = _NAME.fullmatch(label)
    assert match is not None, "every text fits a pattern that begins with .*"
    unit = match["unit"]
    try:
        return Entry(match["name"], str(value) if unit is None else float(str(value)), unit)
    except ValueError as error:
        raise InputError("brain tumour form", f"{label} is {value!r}, not a number", "Write it again.") from error
