"""What was seen, where, how sure, and on what evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from groundglass.core.mask import Box, Mask
from groundglass.core.measurement import Line, Measurement
from groundglass.core.term import Term

Status = Literal["present", "absent", "uncertain"]
Side = Literal["left", "right", "bilateral", "midline"]


@dataclass(frozen=True, slots=True)
class Location:
    """Where: any of a named region with its side, a mask, a box, points. `image` is the `Image.name`."""

    anatomy: Term | None = None
    side: Side | None = None
    mask: Mask | None = None
    box: Box | None = None
    points: tuple[Line, ...] = ()
    image: str | None = None


@dataclass(frozen=True, slots=True)
class Attribute:
    """A qualifier: `kind` ("severity", "attenuation", "change", "t stage", "zone", ...) and its value."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why it is said. `source` is who speaks: a model, a rule, a report sentence or a person."""

    source: Literal["model", "rule", "sentence", "person"]
    name: str
    version: str = ""
    detail: str = ""
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement about the patient. An organ that was measured and is normal is a finding, too.

    `id` is unique within a reading (`f1`, `f2`, ...); sentences refer to it. `score` is in [0, 1] when a
    model gave one. `part_of` names the finding that this one belongs to (a lesion of an organ).
    """

    id: str
    what: Term
    status: Status = "present"
    where: Location = Location()
    attributes: tuple[Attribute, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    score: float | None = None
    evidence: tuple[Evidence, ...] = ()
    part_of: str | None = None

    def attribute(self, kind: str) -> str | None:
        """The value of the first attribute of this kind, else None."""
        return next((a.value for a in self.attributes if a.kind == kind), None)

    def measurement(self, kind: str) -> Measurement | None:
        """The first measurement whose kind has this name, else None."""
        wanted = kind.casefold()
        return next((m for m in self.measurements if m.kind.name.casefold() == wanted), None)
