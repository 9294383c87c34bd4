"""A measured value with its unit and the geometry it was taken on."""

from __future__ import annotations

from dataclasses import dataclass

from groundglass.core.term import Term


@dataclass(frozen=True, slots=True)
class Line:
    """A named polyline (or a single point) in voxel coordinates of the image; sub-voxel allowed.

    Two points make a caliper; `name` is the landmark's own name ("right cardiac border to midline").
    """

    points: tuple[tuple[float, ...], ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """`kind` says what was measured, `unit` is UCUM (`mm`, `mL`, `[hnsf'U]`, `deg`, `1`, `%`, `g/mL{SUVbw}`).

    `geometry` holds the lines it was taken on, `method` how, `low` and `high` the reference range (same
    unit) when one is stated by a source, named in `source`.
    """

    kind: Term
    value: float
    unit: str
    geometry: tuple[Line, ...] = ()
    method: str = ""
    low: float | None = None
    high: float | None = None
    source: str = ""

    @property
    def is_outside_range(self) -> bool:
        """True when a reference range is stated and the value is not in it."""
        below = self.low is not None and self.value < self.low
        above = self.high is not None and self.value > self.high
        return below or above
