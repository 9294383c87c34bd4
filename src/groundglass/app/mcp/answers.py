"""What the tools answer: the published output schemas."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from groundglass.core import Finding, Measurement


class ImageFacts(BaseModel):
    """One image of a study, by its header."""

    name: str
    modality: str
    body_part: str | None
    shape: list[int]
    channels: int
    spacing_mm: list[float] | None
    units: str
    planes: dict[str, int] = Field(description="Planes to `view` it in, with their number of slices.")
    warnings: list[str]


class StudyFacts(BaseModel):
    """What files hold."""

    images: list[ImageFacts]
    warnings: list[str]


class Legend(BaseModel):
    """What a colour on a picture means."""

    colour: str
    label: str


class View(BaseModel):
    """A slice as it is drawn. Points of `segment` are pixels of this picture: x to the right, y down."""

    image: str
    plane: str
    slice: int
    slices: int
    width: int
    height: int
    letters: list[str] = Field(description="Patient directions at the left, right, top and bottom; empty if unknown.")
    black: float
    white: float
    legend: list[Legend]


class Value(BaseModel):
    """A measured value; the unit is UCUM."""

    kind: str
    value: float | None
    unit: str
    method: str = ""
    outside_range: bool = False

    @classmethod
    def of(cls, measurement: Measurement) -> Value:
        from math import isfinite

        value = float(measurement.value)
        return cls(
            kind=measurement.kind.name,
            value=value if isfinite(value) else None,
            unit=measurement.unit,
            method=measurement.method,
            outside_range=measurement.is_outside_range,
        )


class FindingFacts(BaseModel):
    """One statement about the patient, and who says so."""

    id: str
    what: str
    status: Literal["present", "absent", "uncertain"]
    side: str | None
    anatomy: str | None
    image: str | None
    score: float | None
    attributes: dict[str, str]
    measurements: list[Value]
    said_by: list[str]
    centre: list[float] | None = Field(description="Voxel in the middle of its mask's box.")

    @classmethod
    def of(cls, finding: Finding) -> FindingFacts:
        where, mask = finding.where, finding.where.mask
        box = None if mask is None or mask.is_empty else mask.box
        return cls(
            id=finding.id,
            what=finding.what.name,
            status=finding.status,
            side=where.side,
            anatomy=where.anatomy.name if where.anatomy else None,
            image=where.image,
            score=finding.score,
            attributes={attribute.kind: attribute.value for attribute in finding.attributes},
            measurements=[Value.of(measurement) for measurement in finding.measurements],
            said_by=[f"{e.source} {e.name} {e.version}".strip() for e in finding.evidence],
            centre=None if box is None else [(a + b - 1) / 2 for a, b in zip(box.start, box.stop, strict=True)],
        )


class ReadAnswer(BaseModel):
    """A draft report and the findings that it stands on."""

    sections: dict[str, str]
    findings: list[FindingFacts]
    models: list[str]
    folder: str
    files: list[str]
    legend: list[Legend]
    warnings: list[str]
    usable: bool
    notice: str


class Stroke(BaseModel):
    """A prompt of `segment`: points are pixels of the picture that `view` gives of the same plane and slice."""

    kind: Literal["click", "scribble", "box"] = "click"
    points: list[tuple[float, float]] = Field(description="One (x, y) of a click, a line of a scribble, two of a box.")
    positive: bool = Field(default=True, description="False says: this does not belong to it.")
    plane: str | None = Field(default=None, description="axial, coronal, sagittal or picture; else the acquired plane.")
    slice: int | None = Field(default=None, description="Slice of the plane; else its middle.")


class SegmentAnswer(BaseModel):
    """A structure that was segmented by prompts."""

    term: str
    mask: str = Field(description="NIfTI file on the grid of the image.")
    voxels: int
    measurements: list[Value]
    view: View
    engine: str
    warnings: list[str]


class Evidence(BaseModel):
    """The words that gave a label."""

    label: str
    words: str
    status: str


class LabelAnswer(BaseModel):
    """Labels of a report: 1 present, 0 absent, -1 uncertain, null where nothing speaks of it."""

    set: str
    labels: dict[str, float | None]
    evidence: list[Evidence]


class Score(BaseModel):
    """A metric over cases, with the 95 % interval of its mean."""

    metric: str
    label: str
    n: int
    mean: float | None
    low: float | None
    high: float | None
    unit: str
    higher_is_better: bool


class CompareAnswer(BaseModel):
    """Predictions against the truth."""

    scores: list[Score]
    conventions: dict[str, str]
    failures: dict[str, str]
    warnings: list[str]


class MeasureAnswer(BaseModel):
    """Numbers of a mask on an image."""

    image: str
    voxels: int
    measurements: list[Value]
    warnings: list[str]


class ModelCard(BaseModel):
    """What a model can do, on what it was measured, and the terms that it speaks of."""

    name: str
    version: str
    overview: str
    measured_on: str
    terms: list[str]


class ModelCards(BaseModel):
    """The models that take part in `read`."""

    models: list[ModelCard]


class Capabilities(BaseModel):
    """What this installation can do: the document of `groundglass info --json`."""

    name: str
    version: str
    notice: str
    verbs: dict[str, dict[str, bool | list[str]]]
    reads: list[str]
    languages: list[str]
    folders: list[str] = Field(description="Folders that the tools may read.")
