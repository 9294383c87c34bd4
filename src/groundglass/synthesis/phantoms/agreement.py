"""How well a reader gives back what a simulated report states: both as sets of statements, matched one to one."""

from __future__ import annotations

from dataclasses import dataclass

from groundglass.core import Finding, Report, ontology
from groundglass.text import read_findings

TOLERANCE_MM = 0.51
"""A report says whole millimetres or tenths of a centimetre."""


@dataclass(frozen=True)
class Agreement:
    """`found` statements were read, `missed` were not, `extra` were read and not stated; `sizes_right` of `sizes`
    long axes that were said in a sentence came back within half a millimetre."""

    found: int
    missed: tuple[Finding, ...]
    extra: tuple[Finding, ...]
    sizes: int
    sizes_right: int


def agreement_of(report: Report) -> Agreement:
    """Read `report.text` and match. What is not a statement on the images (symptoms, recommendations, what is
    historical or asked for) is left out of what was read; a finding stated twice counts once."""
    stated_ids = {name for section in report.sections for sentence in section.sentences for name in sentence.findings}
    stated = [f for f in report.findings if f.id in stated_ids]
    read = [f for f in read_findings(report.text, language=report.language) if _is_statement(f)]
    free = list(read)
    missed, pairs = [], []
    for finding in stated:
        # The nearest fit first: the same term before a related one; the size tells two nodules of one lobe apart.
        fits = sorted(
            (f for f in free if _fits(finding, f)), key=lambda f: (f.what != finding.what, _size_gap(finding, f))
        )
        if fits:
            pairs.append((finding, fits[0]))
            free.remove(fits[0])
        else:
            missed.append(finding)
    # The impression says again what the findings say; a ground-glass nodule may be read as a ground-glass opacity, too.
    textures = {f"{f.attribute('texture')} opacity" for f in stated}
    extra = [f for f in free if f.what.name not in textures and not any(_fits(finding, f) for finding in stated)]
    sized = [(a, b) for a, b in pairs if a.measurement("long axis") and b.measurement("long axis")]
    right = sum(_size_gap(a, b) <= TOLERANCE_MM for a, b in sized)
    return Agreement(len(pairs), tuple(missed), tuple(extra), len(sized), right)


def _is_statement(finding: Finding) -> bool:
    entry = ontology().entry(finding.what.name)
    symptom = ontology().is_a(finding.what.name, "symptom")
    return entry.kind == "finding" and not symptom and finding.attribute("assertion") is None


def _fits(stated: Finding, read: Finding) -> bool:
    """The same statement: the concept or one above or below it, the status, and no other side or region."""
    if stated.status != read.status or not _related(stated.what.name, read.what.name):
        return False
    if stated.status == "present" and _side(stated) != _side(read):
        return False
    one, two = stated.where.anatomy, read.where.anatomy
    return one is None or two is None or _related(one.name, two.name)


def _side(finding: Finding) -> str | None:
    """Left or right, also where the region's own name says it."""
    anatomy = finding.where.anatomy.name.split() if finding.where.anatomy else []
    side = finding.where.side or next((side for side in ("left", "right") if side in anatomy), None)
    return None if side == "midline" else side


def _related(one: str, two: str) -> bool:
    tree = ontology()
    return tree.is_a(one, two) or tree.is_a(two, one)


def _size_gap(stated: Finding, read: Finding) -> float:
    one, two = stated.measurement("long axis"), read.measurement("long axis")
    return abs(one.value - two.value) if one and two else 1e3
