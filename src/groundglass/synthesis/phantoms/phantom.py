"""What a generator hands over: images, exact findings, the structures around them, a report and questions about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from groundglass.core import Finding, Image, Mask, Report, Study

VERSION = "1"
"""Version of the generators; it stands in the evidence of every planted finding."""

Asked = Literal["presence", "side", "place", "size", "count", "change", "severity", "modality"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question about the images with its short answer and the ids of the findings that decide it."""

    text: str
    answer: str
    asked: Asked
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Phantom:
    """One simulated examination.

    `findings` are those that were planted and are in the images, with masks, boxes, points and the measurements of
    the continuous shapes; `report.findings` holds them and what the report denies, hedges or quotes. `structures`:
    masks of the anatomy by name. `facts`: figures of the simulation (noise, phase, "f1 contrast to noise", ...).
    `landmarks`: points by name in voxels of the first image ("T9 vertebral body", "carina").
    `visit` counts the examinations of one patient, `prior` is the one before.
    """

    kind: str
    seed: int
    index: int
    images: tuple[Image, ...]
    findings: tuple[Finding, ...]
    report: Report
    questions: tuple[Question, ...] = ()
    structures: Mapping[str, Mask] = field(default_factory=dict)
    facts: Mapping[str, float | str] = field(default_factory=dict)
    landmarks: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    visit: int = 0
    date: str = "2026-01-01"
    prior: Phantom | None = None

    @property
    def image(self) -> Image:
        """The first image."""
        return self.images[0]

    @property
    def patient(self) -> str:
        """Identifier of the simulated patient: kind, seed and number."""
        return f"{self.kind.replace('-', '')}{self.seed:04d}{self.index:05d}"

    @property
    def name(self) -> str:
        """The patient with the visit: a file stem."""
        return f"{self.patient}v{self.visit}"

    @property
    def study(self) -> Study:
        """The examination with its priors, oldest first."""
        before = () if self.prior is None else (*self.prior.study.priors, self.prior.study)
        return Study(self.images, (self.report,), before, self.patient, self.name, self.date)
