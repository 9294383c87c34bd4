"""Brain MR of any contrast: structures with volumes and sides, indices, and doubts about the input."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine

from groundglass.core import (
    Evidence,
    Finding,
    GroundglassError,
    Image,
    Line,
    Location,
    Mask,
    Measurement,
    ModelCitation,
    Reading,
    ontology,
)
from groundglass.measurement import asymmetry_index, evans_index, parenchymal_fraction
from groundglass.models import load_model
from groundglass.reading.brain_quality import doubts_of, is_brain
from groundglass.reading.parser import Request
from groundglass.segmentation import BrainSegmentation, OwnVolumes, StudyBrain, on_one_grid, segment_together

MODEL = "brain-mr"
VENTRICLES = ("lateral ventricle", "third ventricle", "fourth ventricle")
FLUIDS = ("cerebrospinal fluid", *VENTRICLES)
GREY = ("cerebral cortex", "cerebellar cortex", "thalamus", "caudate nucleus", "putamen", "globus pallidus")
WHITE = ("cerebral white matter", "cerebellar white matter", "brainstem")
AGREEMENT = 0.10
_HEAD = re.compile(r"\b(brain|head|skull|neuro|cerebr\w*|encephal\w*|hirn|sch[aä]del|kopf)\b", re.IGNORECASE)
_ELSEWHERE = re.compile(
    r"\b(spine|neck|abdomen|liver|pelvis|prostate|breast|knee|shoulder|hip|heart|cardiac|wirbel\w*|hippocampus)\b",
    re.IGNORECASE,
)
_HEAD_SIDES_MM = (90.0, 330.0)


@dataclass(frozen=True)
class _Read:
    image: Image
    study: StudyBrain

    @property
    def found(self) -> BrainSegmentation:
        return self.study.found

    @property
    def ventricles_ml(self) -> float:
        return sum(self.found.volumes[name, None] for name in VENTRICLES)


class BrainMRParser:
    """Claims MR volumes of the head, by header, else by the size of what is not air."""

    name = "brain MR"

    def claims(self, image: Image) -> bool:
        if image.modality not in ("MR", "OT") or not image.is_volume or image.channels != 1:
            return False
        words = " ".join(str(w) for w in (image.acquisition.body_part, image.acquisition.description) if w)
        if _ELSEWHERE.search(words):
            return False
        sides = np.array(image.shape) * np.array(image.spacing)
        fits = bool(sides.min() >= _HEAD_SIDES_MM[0] and sides.max() <= _HEAD_SIDES_MM[1])
        if image.modality == "OT" and not _HEAD.search(words):
            return fits and _looks_like_mr(image)
        return bool(_HEAD.search(words)) or fits

    def read(self, images: Sequence[Image], request: Request) -> Reading:
        """Findings of the images on each grid together, and a warning where they would disagree on their own."""
        reading = Reading()
        model = load_model(MODEL)
        own: list[tuple[str, OwnVolumes]] = []
        waiting = on_one_grid(images)
        while waiting:
            group = waiting.pop(0)
            names = ", ".join(image.name for image in group)
            request.progress(f"segmenting the brain in {names}")
            try:
                study = segment_together(model.network, model.config, group)
            except GroundglassError as error:
                if len(group) > 1:
                    # One bad image must not take the others with it.
                    waiting = [(image,) for image in group] + waiting
                else:
                    reading += Reading(warnings=(str(error),))
                continue
            if not is_brain(study.found):
                reading += Reading(warnings=(f"{names}: no brain was recognised, so nothing was measured.",))
                continue
            own += [(image.name, alone) for image, alone in zip(group, study.alone, strict=True)]
            reading += _findings(_Read(group[0], study))
        reading += Reading(warnings=_disagreements(own))
        if own:
            reading += Reading(
                not_assessed=(
                    "focal lesions, vessels and signal abnormalities of the brain: only structures are measured",
                )
            )
        return reading


def _looks_like_mr(image: Image) -> bool:
    """Non-negative or nearly so: a volume in Hounsfield units has a large share of strongly negative values."""
    sample = np.asarray(image.array[0][::4, ::4, ::4], dtype=np.float32)
    return bool((sample < -200).mean() < 0.02)


def _findings(read: _Read) -> Reading:
    found, image = read.found, read.image
    citation = load_model(MODEL).citation
    detail = f"mean confidence {found.confidence:.2f}"
    if len(read.study.images) > 1:
        detail += "; read together: " + ", ".join(i.name for i in read.study.images)
    evidence = (Evidence("model", citation.name, citation.version, detail),)
    findings = [_brain(read, evidence)]
    for name, members in (("grey matter", GREY), ("white matter", WHITE)):
        mask = np.isin(found.labels, [found.names.index(n) for n in members])
        findings.append(_finding(image, name, None, mask, sum(found.volumes[n, None] for n in members), evidence))
    for name in found.names[1:]:
        for side in ("left", "right") if name in found.paired else (None,):
            mask = found.mask(name, side)
            if mask.any():
                findings.append(_finding(image, name, side, mask, found.volumes[name, side], evidence, found=found))
    return Reading(
        tuple(findings),
        warnings=doubts_of(found, image),
        models=(ModelCitation(citation.name, citation.version, citation.measured_on),),
    )


def _finding(
    image: Image,
    name: str,
    side: str | None,
    mask: np.ndarray,
    volume: float,
    evidence: tuple[Evidence, ...],
    *,
    found: BrainSegmentation | None = None,
    extra: tuple[Measurement, ...] = (),
) -> Finding:
    term = ontology()[name]
    measured = [Measurement(ontology()["volume"], volume, "mL", method="voxels of the mask times the volume of one")]
    if found is not None and side == "left":
        index = asymmetry_index(found.volumes[name, "left"], found.volumes[name, "right"])
        measured.append(Measurement(ontology()["asymmetry index"], index, "1", method="(left - right) / mean of both"))
    return Finding(
        id=f"{image.name} {side or ''} {name}",
        what=term,
        where=Location(anatomy=term, side=side, mask=Mask.of(mask, image.affine), image=image.name),  # type: ignore[arg-type]
        measurements=(*measured, *extra),
        evidence=evidence,
    )


def _brain(read: _Read, evidence: tuple[Evidence, ...]) -> Finding:
    found = read.found
    tissue = sum(found.volumes[n, None] for n in (*GREY, *WHITE))
    fluid = sum(found.volumes[n, None] for n in FLUIDS)
    terms = ontology()
    extra = [
        Measurement(
            terms["brain parenchymal fraction"],
            parenchymal_fraction(tissue, fluid),
            "1",
            method="tissue / (tissue + fluid inside the skull, as far as the file shows it)",
        ),
        Measurement(
            terms["ventricle to brain ratio"],
            read.ventricles_ml / read.found.brain_ml,
            "1",
            method="all ventricles / brain with ventricles and sulci",
        ),
    ]
    index = evans_index(found.grid_mask("lateral ventricle"), found.grid_mask("thalamus"), found.grid_labels > 0)
    if index is not None:
        lines = tuple(_to_file(found, line) for line in (index.horns, index.skull))
        extra += [
            Measurement(
                terms["evans index"],
                index.ratio,
                "1",
                geometry=lines,
                method="widest frontal horns / widest inside of the skull, same axial slice",
            ),
            Measurement(terms["frontal horn width"], index.horns_mm, "mm", geometry=lines[:1]),
            Measurement(terms["inner skull width"], index.skull_mm, "mm", geometry=lines[1:]),
        ]
    return _finding(
        read.image,
        "brain",
        None,
        found.brain,
        read.found.brain_ml,
        evidence,
        extra=tuple(extra),
    )


def _to_file(found: BrainSegmentation, line: Line) -> Line:
    """A line on the working grid in voxels of the file."""
    points = apply_affine(found.grid.to_source, np.asarray(line.points))
    return Line(tuple(tuple(float(v) for v in point) for point in points), line.name)


def _disagreements(own: Sequence[tuple[str, OwnVolumes]]) -> tuple[str, ...]:
    """Where images, each read on its own, give volumes more than 10 % apart."""
    warnings = []
    ventricles = [sum(alone.volumes[name, None] for name in VENTRICLES) for _, alone in own]
    for what, values in (("brain", [alone.brain_ml for _, alone in own]), ("ventricle", ventricles)):
        if len(values) > 1 and max(values) - min(values) > AGREEMENT * float(np.mean(values)):
            listed = ", ".join(f"{name} {v:.0f} mL" for (name, _), v in zip(own, values, strict=True))
            warnings.append(f"On their own the images would disagree on the {what} volume by more than 10 %: {listed}.")
    return tuple(warnings)
