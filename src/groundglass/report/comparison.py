"""Now against before: what is new, what is gone, and how measured things have changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from groundglass.core import Attribute, Finding, Measurement, Reading
from groundglass.core.units import UNITS, convert
from groundglass.report import numbers

Direction = Literal["increased", "decreased", "stable"]
# RECIST 1.1 (Eisenhauer 2009) for diameters: growth by 20 % and 5 mm, shrinkage by 30 %.
_GROWTH, _GROWTH_MM, _SHRINKAGE = 20.0, 5.0, -30.0
# For all else a change below 10 % is within what repeated scans and masks differ by.
_REPEATABILITY = 10.0


@dataclass(frozen=True, slots=True)
class Change:
    """One measurement, before and now (same unit)."""

    now: Measurement
    before: float

    @property
    def percent(self) -> float:
        """Relative change in per cent of the value before; infinite when that was 0."""
        if self.before == 0:
            return 0.0 if self.now.value == 0 else float("inf")
        return 100 * (self.now.value - self.before) / abs(self.before)

    @property
    def direction(self) -> Direction:
        """RECIST 1.1 bounds for lengths, 10 % for the rest."""
        if UNITS[self.now.unit][0] == "length":
            grown_mm = convert(self.now.value - self.before, self.now.unit, "mm")
            if self.percent >= _GROWTH and grown_mm >= _GROWTH_MM:
                return "increased"
            return "decreased" if self.percent <= _SHRINKAGE else "stable"
        if abs(self.percent) < _REPEATABILITY:
            return "stable"
        return "increased" if self.percent > 0 else "decreased"


def compare_readings(now: Reading, before: Reading) -> Reading:
    """`now` with change attributes on every finding that `before` answers, too.

    A finding is matched by term, place and side, and only where both readings have exactly one such finding:
    which of three liver lesions is which cannot be told from names. Attributes: `change` ("new", "resolved") where
    the status changed, and per shared measurement `change in KIND`, `prior KIND`, `percent change in KIND`.
    """
    return replace(now, findings=tuple(_compared(f, now.findings, before.findings) for f in now.findings))


def changes(finding: Finding, prior: Finding) -> tuple[Change, ...]:
    """The measurements that both have, in units of one dimension."""
    found = []
    for measurement in finding.measurements:
        earlier = prior.measurement(measurement.kind.name)
        if earlier is not None and UNITS[earlier.unit][0] == UNITS[measurement.unit][0]:
            change = Change(measurement, convert(earlier.value, earlier.unit, measurement.unit))
            if change.percent != float("inf"):
                found.append(change)
    return tuple(found)


def _compared(finding: Finding, now: Sequence[Finding], before: Sequence[Finding]) -> Finding:
    same_now = [f for f in now if _identity(f) == _identity(finding)]
    same_before = [f for f in before if _identity(f) == _identity(finding)]
    if len(same_now) != 1 or len(same_before) != 1:
        return finding
    prior, added = same_before[0], []
    if (prior.status, finding.status) == ("absent", "present"):
        added.append(Attribute("change", "new"))
    if (prior.status, finding.status) == ("present", "absent"):
        added.append(Attribute("change", "resolved"))
    for change in changes(finding, prior) if finding.status == prior.status == "present" else ():
        kind, unit = change.now.kind.name, change.now.unit
        added += [
            Attribute(f"change in {kind}", change.direction),
            Attribute(f"prior {kind}", numbers.write_quantity(change.before, unit)),
            Attribute(f"percent change in {kind}", numbers.write_number(change.percent, 1)),
        ]
    return replace(finding, attributes=(*finding.attributes, *added))


def _identity(finding: Finding) -> tuple[object, ...]:
    return finding.what, finding.where.anatomy, finding.where.side
