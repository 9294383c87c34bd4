"""The rule check before any text: parsers work apart from each other, so their answers may exclude each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from groundglass.core import Attribute, Finding, Location, ontology


def resolve_contradictions(findings: Sequence[Finding]) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """(findings, warnings): what is denied though the same or a narrower thing is present there becomes uncertain.

    "No opacity in the left lung" beside "consolidation in the left upper zone" is such a pair. The positive
    stands, because a draft must not hide it; the negative is withdrawn and the warning names both.
    """
    present = [f for f in findings if f.status == "present"]
    resolved: list[Finding] = []
    warnings: list[str] = []
    for finding in findings:
        against = next((p for p in present if finding.status == "absent" and contradicts(p, finding)), None)
        if against is not None:
            note = Attribute("contradiction", against.id)
            finding = replace(finding, status="uncertain", attributes=(*finding.attributes, note))
            warnings.append(
                f"{_named(against)} was found and {_named(finding)} was denied; the denial is withdrawn as uncertain"
            )
        resolved.append(finding)
    return tuple(resolved), tuple(warnings)


def contradicts(present: Finding, absent: Finding) -> bool:
    """True when `present` cannot be if `absent` is right: same or narrower term, in the same or a narrower place."""
    return ontology().is_a(present.what.name, absent.what.name) and _lies_in(present.where, absent.where)


def _lies_in(inner: Location, outer: Location) -> bool:
    if inner.image and outer.image and inner.image != outer.image and (inner.mask or inner.box):
        return False
    if outer.side not in (None, "bilateral") and inner.side not in (outer.side, "bilateral"):
        return False
    if outer.anatomy is None:
        return True
    return inner.anatomy is not None and ontology().is_a(inner.anatomy.name, outer.anatomy.name)


def _named(finding: Finding) -> str:
    side, anatomy = finding.where.side, finding.where.anatomy
    place = " ".join(w for w in (side, anatomy.name if anatomy else None) if w)
    return f"{finding.what.name} ({place})" if place else finding.what.name
