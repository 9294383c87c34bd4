"""CT: compartments by classical methods, and whatever organ, vessel, segment and lesion masks were given."""

from __future__ import annotations

import re
from collections.abc import Sequence

from groundglass.core import Evidence, Finding, GeometryError, Image, Location, Mask, Measurement, Reading, ontology
from groundglass.core.mask_name import mask_name
from groundglass.measurement.lesion import attenuation_measurements
from groundglass.measurement.volume import volume_ml
from groundglass.reading.given import sorted_masks
from groundglass.reading.lesions import findings_of
from groundglass.reading.parser import Request
from groundglass.segmentation.ct_classical import ct_compartments

CLASSICAL = Evidence("rule", "classical CT compartments", "1.0", "attenuation thresholds, connectivity, morphology")
_PHASES = {
    "plain": r"\b(plain|native|nativ|unenhanced|non[- ]?contrast|without contrast|noncontrast)\b",
    "arterial": r"\barterial\b",
    "portal venous": r"\b(portal|venous|pv)\b",
    "delayed": r"\b(delayed|excretory|late)\b",
}
_ORGANS = ("liver", "spleen", "pancreas", "kidney")


class CTParser:
    """Claims CT volumes."""

    name = "CT"

    def claims(self, image: Image) -> bool:
        return image.modality == "CT" and image.is_volume

    def read(self, images: Sequence[Image], request: Request) -> Reading:
        """Findings of each CT: compartments, organs, lesions, vessel contacts."""
        reading = Reading()
        for image in images:
            reading += _read_one(image, request)
        return reading


def phase_of(image: Image) -> str | None:
    """The contrast phase that the header's words name, else None."""
    words = " ".join(str(w) for w in (image.acquisition.contrast, image.acquisition.description) if w).casefold()
    return next((phase for phase, pattern in _PHASES.items() if re.search(pattern, words)), None)


def _read_one(image: Image, request: Request) -> Reading:
    given, warnings = sorted_masks(image, request.masks_on(image), phase=phase_of(image))
    request.progress("measuring the given masks")
    findings, more = findings_of(given)
    warnings += more
    if _wants_compartments(request):
        made, doubts = _compartments(image, request, {f.what.name for f in findings})
        findings += made
        warnings += doubts
    return Reading(findings=findings, not_assessed=_not_assessed({f.what.name for f in findings}), warnings=warnings)


def _wants_compartments(request: Request) -> bool:
    tree = ontology()
    names = ("body", "lung", "airways", "bone", "subcutaneous fat", "visceral fat", "lean soft tissue")
    return not request.only or any(tree.is_a(name, wanted) for name in names for wanted in request.only)


def _compartments(image: Image, request: Request, known: set[str]) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    try:
        found = ct_compartments(image, progress=request.progress)
    except GeometryError as error:
        return (), (f"No compartments were measured: {error}",)
    findings = [
        _compartment(image, name, mask) for name, mask in found.masks.items() if mask_name(name).term.name not in known
    ]
    fat = {name: found.masks[name] for name in ("visceral fat", "subcutaneous fat") if name in found.masks}
    if len(fat) == 2:
        ratio = volume_ml(fat["visceral fat"]) / volume_ml(fat["subcutaneous fat"])
        extra = Measurement(
            ontology()["ratio of visceral to subcutaneous fat"], ratio, "1", method="ratio of volumes in the scan"
        )
        findings = [_with(f, extra) if f.what.name == "visceral fat" else f for f in findings]
    return tuple(findings), found.doubts


def _compartment(image: Image, name: str, mask: Mask) -> Finding:
    named = mask_name(name)
    measurements = [
        Measurement(ontology()["volume"], volume_ml(mask), "mL", method="sum of segmented voxels in the scan")
    ]
    if named.term.name in ("lung", "lean soft tissue"):
        measurements += attenuation_measurements(mask, image.array[0])[:2]
    return Finding(
        id=name,
        what=named.term,
        where=Location(anatomy=named.term, side=named.side, mask=mask, image=image.name),
        measurements=tuple(measurements),
        evidence=(CLASSICAL,),
    )


def _with(finding: Finding, measurement: Measurement) -> Finding:
    from dataclasses import replace

    return replace(finding, measurements=(*finding.measurements, measurement))


def _not_assessed(found: set[str]) -> tuple[str, ...]:
    missing = [name for name in _ORGANS if name not in found]
    limits = [
        "lesions outside of the given masks: nothing looks for them",
        "muscle apart from organs: both are lean soft tissue",
    ]
    if missing:
        limits.insert(0, f"{', '.join(missing)}: no mask was given and no engine ran")
    return tuple(limits)
