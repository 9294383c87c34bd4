"""Frontal chest radiographs: anatomy outlined, twelve measurements with landmarks, findings by clinical limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from groundglass.classification import RadiographView, recognise_radiograph
from groundglass.core import (
    Evidence,
    Finding,
    GroundglassError,
    Image,
    Location,
    Mask,
    ModelCitation,
    Reading,
    ontology,
)
from groundglass.core.mask_name import mask_name
from groundglass.measurement.radiographic import RadiographMasks, TaskRow, measure_radiograph, row_findings, unmeasured
from groundglass.reading.parser import Request
from groundglass.reading.upright import Upright
from groundglass.segmentation import RadiographAnatomy, segment_radiograph

_MODALITIES = ("CR", "DX", "RG")
# A picture without a header may be one, too; a volume, an ultrasound or a slide never is.
_UNDECLARED = ("OT", "SC", "XC", "")
_SURE_VIEW = 0.75
VIEW_MODEL, SIDE_MODEL = "radiograph-view", "radiograph-side"
ANATOMY_MODEL = "radiograph"
# Mean difference of the colour channels, as a share of the range, over which a picture is not a radiograph.
_COLOURED = 0.05

NOT_LOOKED_FOR = (
    "pulmonary nodules and masses",
    "consolidation and other lung opacities",
    "pleural effusion",
    "pneumothorax",
    "interstitial and vascular lung markings",
    "hila",
    "fractures and other bone lesions",
    "tubes, lines and devices",
    "soft tissues and the upper abdomen",
)


@dataclass(frozen=True)
class _Source:
    """Where a mask came from."""

    mask: Mask
    evidence: Evidence


def shipped_citation(model: str) -> ModelCitation:
    """The citation of a built-in model."""
    from groundglass.models import load_model

    return load_model(model).citation


def _shipped_segment(image: Image, view: RadiographView) -> RadiographAnatomy:
    return segment_radiograph(image, view=view)


@dataclass(frozen=True)
class RadiographParser:
    """Claims chest radiographs; a lateral is named, not measured.

    `recognise`, `segment` and `cite` are the shipped networks; another engine can stand in for them.
    """

    recognise: Callable[[Image], RadiographView] = recognise_radiograph
    segment: Callable[[Image, RadiographView], RadiographAnatomy] = _shipped_segment
    cite: Callable[[str], ModelCitation] = shipped_citation
    name: str = "chest radiograph"

    def claims(self, image: Image) -> bool:
        """By the header where it says enough, else by a look at the pixels."""
        if len(image.shape) != 2 or image.modality not in (*_MODALITIES, *_UNDECLARED):
            return False
        body = (image.acquisition.body_part or "").casefold()
        if image.modality in _MODALITIES and body:
            return any(word in body for word in ("chest", "thorax", "lung"))
        try:
            return not _is_coloured(image) and self.recognise(image).view is not None
        except GroundglassError:
            return False

    def read(self, images: Sequence[Image], request: Request) -> Reading:
        """Findings of each radiograph; masks and landmarks lie on the image as it came."""
        reading = Reading()
        for image in images:
            reading += self._read_one(image, request)
        return reading

    def _read_one(self, image: Image, request: Request) -> Reading:
        request.progress("recognising the view")
        view = self.recognise(image)
        models = (viewer, sider, outliner) = tuple(map(self.cite, (VIEW_MODEL, SIDE_MODEL, ANATOMY_MODEL)))
        kind = "lateral" if _is_lateral(image) else view.kind
        if kind != "frontal":
            how = "declared" if kind != view.kind else "recognised"
            note = f"{image.name} was {how} as {kind}: nothing was outlined or measured on it."
            return Reading((), (f"every finding in {image.name} ({kind})",), (*view.warnings(), note), (viewer,))
        request.progress("outlining the anatomy")
        anatomy = self.segment(image, view)
        sources = _sources(anatomy.masks, request.masks_on(image), outliner)
        if not sources:
            note = f"{image.name}: no anatomy was found, so nothing was measured."
            return Reading(
                (), (f"every finding in {image.name}",), (*anatomy.warnings, note), (viewer, sider, outliner)
            )
        request.progress("measuring")
        projection, remark = projection_of(image, view)
        frame = Upright(view.turn, (image.shape[0], image.shape[1]))
        rows = _rows(image, sources, frame, projection)
        doubts = _doubts(anatomy.quality.usable, view)
        made = [frame.finding(finding) for finding in row_findings(rows, image=image.name, doubts=doubts)]
        findings = (*_structures(image, sources), *made, *_lie_of_picture(image, view, sider))
        warnings = (*anatomy.warnings, *([remark] if remark else []), *_scale_remark(image))
        return Reading(findings, (*NOT_LOOKED_FOR, *unmeasured(rows)), warnings, models)


def projection_of(image: Image, view: RadiographView) -> tuple[Literal["PA", "AP"] | None, str]:
    """PA or AP by the header, else by the pixels where these are sure; None and a remark where neither tells.

    A header that the pixels contradict is believed, and the contradiction said.
    """
    stated = (image.acquisition.view or "").upper()
    declared: Literal["PA", "AP"] | None = None
    if stated.startswith("PA") or "POSTERO-ANTERIOR" in stated or "POSTEROANTERIOR" in stated:
        declared = "PA"
    elif stated.startswith("AP") or "ANTERO-POSTERIOR" in stated or "ANTEROPOSTERIOR" in stated:
        declared = "AP"
    sure = view.scores.get("view", 0.0) >= _SURE_VIEW
    seen: Literal["PA", "AP"] | None = "PA" if view.view == "PA" else "AP" if view.view == "AP" else None
    if declared:
        differs = sure and seen is not None and seen != declared
        return declared, f"The header says {declared}; the picture looks like {seen}." if differs else ""
    if sure and seen:
        return seen, f"The header does not state the projection; the picture was recognised as {seen}."
    return None, "The projection (PA or AP) is unknown: limits that depend on it were applied only where both agree."


def _is_lateral(image: Image) -> bool:
    """Whether the header declares a lateral view (DICOM ViewPosition LL, RL, or a view code in words)."""
    stated = (image.acquisition.view or "").casefold()
    return stated in ("ll", "rl", "lat") or "lateral" in stated


def _sources(found: Mapping[str, Mask], given: Mapping[str, Mask], citation: ModelCitation) -> dict[str, _Source]:
    """Every mask with its evidence; a given mask takes the place of the network's."""
    network = Evidence("model", citation.name, citation.version)
    sources = {name: _Source(mask, network) for name, mask in found.items()}
    for text, mask in given.items():
        named = mask_name(text)
        if not named.is_lesion:
            sources[_key(named.side, named.term.name)] = _Source(mask, Evidence("person", f"given mask {text}"))
    return sources


def _key(side: str | None, term: str) -> str:
    """The recipes' name of a structure."""
    plain = "spine" if term == "thoracic spine" else term
    return f"{side} {plain}" if side else plain


def _rows(
    image: Image, sources: Mapping[str, _Source], frame: Upright, projection: Literal["PA", "AP"] | None
) -> dict[str, TaskRow]:
    arrays = frame.masks({name: source.mask for name, source in sources.items()})
    spacing = frame.spacing(image.spacing) if image.spacing_known else None
    return measure_radiograph(RadiographMasks(arrays, spacing, projection))


def _doubts(usable: bool, view: RadiographView) -> tuple[str, ...]:
    doubts = [] if usable else ["outlines not plausible"]
    return (*doubts, "mirrored picture or situs inversus") if view.mirrored else tuple(doubts)


def _structures(image: Image, sources: Mapping[str, _Source]) -> list[Finding]:
    """One finding per outlined structure that the ontology names; numbered ribs are one finding per side."""
    found: list[Finding] = []
    ribs: dict[str, list[_Source]] = {}
    for name, source in sources.items():
        if name.endswith(" posterior"):
            ribs.setdefault(name.split(" ", 1)[0], []).append(source)
        elif _is_structure(name):
            found.append(_structure(image, name, source.mask, source.evidence))
    for side, parts in ribs.items():
        together = np.logical_or.reduce([part.mask.array for part in parts])
        mask = Mask.of(together, image.affine)
        found.append(_structure(image, f"{side} posterior rib", mask, parts[0].evidence))
    return found


def _is_structure(name: str) -> bool:
    entry = ontology().find(name) or ontology().find(name.split(" ", 1)[-1])
    return entry is not None and entry.kind == "anatomy"


def _structure(image: Image, name: str, mask: Mask, evidence: Evidence) -> Finding:
    named = mask_name(name)
    where = Location(anatomy=named.term, side=named.side, mask=mask, image=image.name)
    return Finding(id=name, what=named.term, where=where, evidence=(evidence,))


def _lie_of_picture(image: Image, view: RadiographView, citation: ModelCitation) -> tuple[Finding, ...]:
    """A mirrored picture as a finding: it has to be settled before any side is believed."""
    if not view.mirrored:
        return ()
    evidence = Evidence("model", citation.name, citation.version, "left and right look exchanged")
    where = Location(anatomy=ontology()["chest"], image=image.name)
    what = ontology()["mirrored radiograph"]
    score = view.scores.get("side")
    return (Finding("mirrored", what, "uncertain", where, score=score, evidence=(evidence,)),)


def _scale_remark(image: Image) -> tuple[str, ...]:
    if image.spacing_known:
        return ()
    return (f"{image.name} has no pixel size: ratios and angles are given, lengths in mm are not.",)


def _is_coloured(image: Image) -> bool:
    if image.channels < 3:
        return False
    array = np.asarray(image.array[:3], dtype=np.float32)
    spread = float(np.ptp(array)) or 1.0
    return float(np.mean(array.max(axis=0) - array.min(axis=0))) / spread > _COLOURED
