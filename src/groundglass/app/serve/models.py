"""What goes over the wire under /api/v1, typed. Arrays and points are in the axes of the image's own array.

Voxel coordinates index the spatial array axes; millimetres are RAS+ of the image's affine.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{16,32}$")]
ImageId = Annotated[str, StringConstraints(pattern=r"^i[1-9][0-9]{0,5}$")]
FindingId = Annotated[str, StringConstraints(pattern=r"^[fu][1-9][0-9]{0,5}$")]
ExportKind = Literal["seg", "sr", "nifti", "json", "pdf", "html", "fhir"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
Verdict = Literal["open", "accepted", "rejected"]
# No control characters, which neither a report nor an XML-based format holds.
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")
]
Coordinate = Annotated[float, Field(ge=-1.0, le=65_536.0, allow_inf_nan=False)]


class In(BaseModel):
    """A body that clients send: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ProblemDocument(BaseModel):
    """RFC 9457. `errors` names the fields of a request that does not fit its description."""

    model_config = ConfigDict(extra="allow")
    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] | None = None


class OpenPath(In):
    """A file or folder below the server's data folder."""

    path: Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")]


class OpenDicomweb(In):
    """A study of the DICOMweb server that this server was started with."""

    dicomweb: Annotated[str, StringConstraints(pattern=r"^[0-9.]{1,64}$")]


class Study(BaseModel):
    """`origin` is upload, path or dicomweb. `job` is the newest reading of it, in whatever state."""

    id: str
    name: str
    created: str
    origin: str
    date: str | None
    patient_id: str
    uid: str
    modalities: list[str]
    images: int
    warnings: list[str]
    has_report: bool
    job: str | None


class Studies(BaseModel):
    studies: list[Study]
    total: int


class Window(BaseModel):
    center: float
    width: float


class Image(BaseModel):
    """`shape` and `spacing` (mm, null where unknown) follow the array's spatial axes. `usable` is false where the
    pixels do not decode or show nothing; such an image has no volume. `slice_axis` is the axis that slices are shown
    along, null for a flat picture."""

    id: str
    name: str
    modality: str
    body_part: str | None
    description: str | None
    shape: list[int]
    spacing: list[float] | None
    affine: list[list[float]]
    channels: int
    is_volume: bool
    is_moving: bool
    slice_axis: int | None
    orientation_known: bool
    units: str
    usable: bool
    window: Window | None
    warnings: list[str]
    url: str
    thumbnail: str
    labels: str


class Images(BaseModel):
    images: list[Image]


class ReadRequest(In):
    """`only` restricts the report to terms (`groundglass terms` lists them); `prior_study` must have been read."""

    clinical: Text = ""
    only: Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=100)]], Field(max_length=64)] = []
    prior_study: Id | None = None
    language: Literal["en", "id"] = "en"


class Job(BaseModel):
    """`message` is the present step, or why the job failed. `result` is the address of what was made."""

    id: str
    study: str
    kind: str
    state: JobState
    message: str
    steps: list[str]
    created: str
    seconds: float
    result: str | None


class Measured(BaseModel):
    kind: str
    value: float | None
    unit: str
    low: float | None
    high: float | None
    outside: bool


class Box(BaseModel):
    """Half-open voxel ranges along the array's spatial axes."""

    start: list[float]
    stop: list[float]


class Finding(BaseModel):
    """A finding for the viewer. `seed_voxel` is a point inside it (for a mask: well inside its largest slice).

    `label` and `colour` are those of `labels.nii.gz` of its image. `sentence` is the reviewer's wording where there is
    one; `sentences` is what the report says of it. `source` is model or person.
    """

    id: str
    term: str
    code: str
    scheme: str
    status: str
    side: str | None
    anatomy: str | None
    image: str | None
    seed_voxel: list[float] | None
    seed_mm: list[float] | None
    box: Box | None
    mask_url: str | None
    label: int | None
    colour: list[int] | None
    volume_ml: float | None
    score: float | None
    measurements: list[Measured]
    sentences: list[str]
    part_of: str | None
    source: Literal["model", "person"]
    verdict: Verdict
    sentence: str | None


class Reviewed(BaseModel):
    """What a reviewer said of a finding."""

    verdict: Verdict
    sentence: str | None


class Review(BaseModel):
    """`revision` grows with every change."""

    revision: int
    findings: dict[str, Reviewed]


class ReportView(BaseModel):
    """`document` is report.json as the reading wrote it, without the bits of its masks; `findings` adds those that the
    reviewer drew."""

    document: dict[str, Any]
    findings: list[Finding]
    review: Review
    exports: list[ExportKind]


class ReviewFinding(In):
    """Fields that are left out stay as they are; a null sentence takes the reviewer's wording back."""

    verdict: Verdict | None = None
    sentence: Text | None = None


class NewFinding(In):
    """A finding by hand: a term and a place. Masks come from a session."""

    term: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    image: ImageId
    point: Annotated[list[Coordinate], Field(min_length=2, max_length=3)]
    sentence: Text | None = None


class Label(BaseModel):
    """An entry of the legend of a label map."""

    index: int
    name: str
    colour: list[int]
    finding: str


class Labels(BaseModel):
    labels: list[Label]


class NewSession(In):
    """`axis` is the array axis that slices are counted along, else the image's `slice_axis`. Prompts may name another
    one; boxes may not."""

    axis: Annotated[int, Field(ge=0, le=2)] | None = None


class Session(BaseModel):
    """An interactive segmentation. It ends by itself when it is not used for `expires` seconds."""

    session: str
    image: str
    shape: list[int]
    slice_axis: int | None
    expires: int


Point = Annotated[list[Coordinate], Field(min_length=2, max_length=2)]


class _Pointing(In):
    """What prompts share. Points are [x, y] = [column, row] of the shown slice in pixels; `slice` is the index along
    `axis`. Both are left out for a flat picture."""

    positive: bool = True
    axis: Annotated[int, Field(ge=0, le=2)] | None = None
    slice: Annotated[int, Field(ge=0, le=65_535)] | None = None


class Click(_Pointing):
    """One point on the structure, or on what it is not."""

    kind: Literal["click"]
    points: Annotated[list[Point], Field(min_length=1, max_length=1)]


class Scribble(_Pointing):
    """A polyline through the structure, or through what it is not."""

    kind: Literal["scribble"]
    points: Annotated[list[Point], Field(min_length=1, max_length=4096)]


class Rectangle(_Pointing):
    """Two opposite corners of a box that holds the structure, on the session's own slices."""

    kind: Literal["box"]
    points: Annotated[list[Point], Field(min_length=2, max_length=2)]


Prompt = Annotated[Click | Scribble | Rectangle, Field(discriminator="kind")]


class Stroke(BaseModel):
    """The state after a step: how many prompts stand, how long it took, the size of the mask, and what can be done.

    `slice` is that of the last prompt."""

    revision: int
    seconds: float
    voxels: int
    volume_ml: float | None
    slice: int | None
    can_undo: bool
    can_redo: bool


class Accept(In):
    """The session's mask becomes a finding of this term."""

    term: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    sentence: Text | None = None


class Change(BaseModel):
    """`percent` is null where the value before was 0."""

    kind: str
    unit: str
    before: float
    now: float
    percent: float | None
    direction: Literal["increased", "decreased", "stable"]


class Pair(BaseModel):
    """A finding now and in the prior study; one is null where only the other study has it. `matched_by` is name
    (term, place and side, where both have exactly one such finding) or null."""

    now: Finding | None
    prior: Finding | None
    matched_by: Literal["name"] | None
    status: Literal["new", "resolved", "present", "absent", "uncertain", "only now", "only prior"]
    changes: list[Change]


class Comparison(BaseModel):
    study: str
    prior: str
    pairs: list[Pair]
