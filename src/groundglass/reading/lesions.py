"""Masks of organs, vessels, segments and lesions to findings: measured, placed, staged (system 57's core)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from groundglass.core import Attribute, Finding, Location, Mask, Measurement, Side, Term, ontology
from groundglass.core.mask_name import MaskName
from groundglass.measurement.instances import components, survives_erosion
from groundglass.measurement.intensity import Intensity, intensity_of
from groundglass.measurement.lesion import (
    HU,
    attenuation_measurements,
    of_kind,
    shape_measurements,
    size_measurements,
    uptake_measurements,
)
from groundglass.measurement.location import (
    centroid,
    depth_below_surface,
    pole_of,
    segments_of,
    side_of,
)
from groundglass.measurement.organ import OrganMeasure, attenuation_of, is_fatty, measure_organ
from groundglass.measurement.tstage import t_stage, tumour_types, vascular_resectability
from groundglass.reading.contacts import contacts_of, sided
from groundglass.reading.given import Given, is_part, is_suv

# Fewer voxels are a slip of the pen; the report says how many were left out.
LEAST_VOXELS = 3
# The impression counts lesions above 5 cm apart (RadGPT, arXiv 2501.04678).
LARGE_MM = 50.0


def findings_of(given: Given) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """(findings, warnings): one per organ, one per lesion (largest first within its organ), one per vessel contact."""
    by_organ: dict[str, list[_Lesion]] = {}
    warnings: list[str] = []
    for name, mask in given.lesions:
        parts = components(mask)
        kept = [part for part in parts if part.voxel_count >= LEAST_VOXELS]
        if len(kept) < len(parts):
            specks = len(parts) - len(kept)
            warnings.append(f"{specks} specks under {LEAST_VOXELS} voxels in {name.term.name} were left out.")
        key = name.organ.name if name.organ else name.term.name
        by_organ.setdefault(key, []).extend(_Lesion(name, part) for part in kept)
    findings: list[Finding] = []
    for (name, side), mask in given.structures.items():
        if not is_part(name):
            own = [le.mask for le in by_organ.get(name, []) if _belongs(given, name, side, le)]
            findings.append(_organ_finding(given, name, side, mask, own))
    owners = {(f.what.name, f.where.side): f for f in findings}
    for organ, lesions in by_organ.items():
        lesions.sort(key=lambda le: (-le.mask.voxel_count, le.mask.offset))
        made: list[Finding] = []
        for number, lesion in enumerate(lesions, start=1):
            made += _lesion_findings(given, organ, number, lesion, len(lesions), owners)
        findings += [*_burdens(given, made), *made]
    return tuple(findings), tuple(warnings)


def _burdens(given: Given, made: list[Finding]) -> list[Finding]:
    """Per organ and side: how many lesions, how many above 5 cm, their volume together, the largest diameter."""
    groups: dict[tuple[Term, Side | None], list[Finding]] = {}
    for finding in made:
        if finding.what.name != "vessel contact" and finding.where.anatomy is not None:
            groups.setdefault((finding.where.anatomy, finding.where.side), []).append(finding)
    tree = ontology()
    burdens = []
    for (anatomy, side), lesions in groups.items():
        sizes = [of_kind(f.measurements, "long axis").value for f in lesions]
        rows = (
            ("lesion count", len(lesions), "{count}"),
            ("large lesion count", sum(size > LARGE_MM for size in sizes), "{count}"),
            ("total lesion volume", sum(of_kind(f.measurements, "volume").value for f in lesions), "mL"),
            ("largest lesion diameter", max(sizes), "mm"),
        )
        burdens.append(
            Finding(
                id=f"lesions of {sided(side, anatomy.name)}",
                what=tree["lesion burden"],
                where=Location(anatomy=anatomy, side=side, image=given.image.name),
                measurements=tuple(Measurement(tree[name], float(value), unit) for name, value, unit in rows),
                evidence=given.evidence,
                part_of=lesions[0].part_of,
            )
        )
    return burdens


@dataclass(frozen=True)
class _Lesion:
    name: MaskName
    mask: Mask


def _belongs(given: Given, organ: str, side: Side | None, lesion: _Lesion) -> bool:
    return side is None or _lesion_side(given, organ, lesion) == side


def _organ_finding(given: Given, name: str, side: Side | None, mask: Mask, lesions: list[Mask]) -> Finding:
    term = ontology()[name]
    hu = given.array if given.image.modality == "CT" else None
    measure = measure_organ(name, mask, hu, lesions)
    attributes = []
    if measure.volume is None:
        attributes.append(Attribute("extent", "cut by the border of the scan"))
    elif measure.size:
        attributes.append(Attribute("size", measure.size))
    if measure.parenchyma is not None and is_fatty(name, measure.parenchyma, phase=given.phase, spleen=_spleen(given)):
        attributes.append(Attribute("fatty change", "present"))
    return Finding(
        id=sided(side, name),
        what=term,
        where=Location(anatomy=term, side=side, mask=mask, image=given.image.name),
        attributes=tuple(attributes),
        measurements=tuple(_organ_measurements(measure)),
        evidence=given.evidence,
    )


def _organ_measurements(measure: OrganMeasure) -> list[Measurement]:
    tree = ontology()
    volume = Measurement(
        tree["volume"], measure.measured_volume, "mL", method="sum of segmented voxels, lesions included",
        high=measure.upper_limit if measure.volume is not None else None,
        source=measure.source if measure.volume is not None else "",
    )  # fmt: skip
    if measure.parenchyma is None:
        return [volume]
    method = "without lesions and without a 3 mm rim"
    return [
        volume,
        Measurement(tree["mean attenuation"], measure.parenchyma.mean, HU, method=method),
        Measurement(tree["standard deviation of attenuation"], measure.parenchyma.sd, HU, method=method),
    ]


def _spleen(given: Given) -> Intensity | None:
    masks = given.organ("spleen")
    if None not in masks or given.array is None:
        return None
    return measure_organ("spleen", masks[None], given.array).parenchyma


def _lesion_findings(
    given: Given,
    organ: str,
    number: int,
    lesion: _Lesion,
    count: int,
    owners: Mapping[tuple[str, Side | None], Finding],
) -> list[Finding]:
    tree = ontology()
    mask = lesion.mask
    side = _lesion_side(given, organ, lesion)
    owner = owners.get((organ, side)) or owners.get((organ, None))
    measurements = [*size_measurements(mask), *shape_measurements(mask)]
    attributes = [Attribute("number", str(number)), Attribute("slice", str(_slice_of(measurements)))]
    if given.array is not None and given.image.modality == "CT":
        measurements += attenuation_measurements(mask, given.array)
        attributes += _attenuation(given, owner, mask)
    elif given.array is not None and is_suv(given.image):
        measurements += uptake_measurements(mask, given.array)
    segments = segments_of(mask, given.segments(organ)) if given.segments(organ) else ()
    attributes += [Attribute("segment", s) for s in segments or _pole(owner, organ, mask)]
    if owner is not None and owner.where.mask is not None:
        depth = depth_below_surface(mask, owner.where.mask)
        if depth is not None:
            measurements.append(
                Measurement(tree["depth below organ surface"], depth, "mm", method="to the organ's mask")
            )
    if not survives_erosion(mask):
        attributes.append(Attribute("detection", "does not survive a 3 mm erosion"))
    key = f"{organ} lesion {number}"
    contacts, contact_findings = contacts_of(given, mask, key, organ, number)
    attributes += _stage(lesion.name.term, of_kind(measurements, "long axis").value, contacts, segments, count)
    finding = Finding(
        id=key,
        what=lesion.name.term,
        where=Location(
            anatomy=lesion.name.organ, side=side, mask=mask, image=given.image.name,
            points=of_kind(measurements, "long axis").geometry,
        ),
        attributes=tuple(attributes),
        measurements=tuple(measurements),
        evidence=given.evidence,
        part_of=owner.id if owner else None,
    )  # fmt: skip
    return [finding, *(replace(f, part_of=key) for f in contact_findings)]


def _attenuation(given: Given, owner: Finding | None, mask: Mask) -> list[Attribute]:
    if owner is None or given.array is None:
        return []
    mean, sd = owner.measurement("mean attenuation"), owner.measurement("standard deviation of attenuation")
    if mean is None or sd is None:
        return []
    own = intensity_of(mask, given.array)
    reference = replace(own, mean=mean.value, sd=sd.value)
    return [Attribute("attenuation", attenuation_of(own, reference))]


def _stage(
    tumour: Term, long_axis: float, contacts: Mapping[str, float], segments: tuple[str, ...], count: int
) -> list[Attribute]:
    if tumour.name not in tumour_types():
        return []
    stage = t_stage(tumour.name, long_axis, contacts, count=count)
    found = [Attribute("t stage", stage.category), Attribute("t stage reason", stage.reason)]
    found += [Attribute("t stage not assessed", name) for name in stage.not_assessed]
    if tumour.name == "pancreatic ductal adenocarcinoma" and segments:
        verdict = vascular_resectability(segments[0].split()[0], contacts)
        if verdict is not None:
            found.append(Attribute("resectability", verdict.verdict))
            found += [Attribute("resectability reason", reason) for reason in verdict.reasons]
    return found


def _pole(owner: Finding | None, organ: str, mask: Mask) -> tuple[str, ...]:
    if organ != "kidney" or owner is None or owner.where.side is None or owner.where.mask is None:
        return ()
    return (pole_of(mask, owner.where.mask),)


def _lesion_side(given: Given, organ: str, lesion: _Lesion) -> Side | None:
    """The side of the name, else of the nearer organ of a pair, else (paired, no mask) None."""
    if lesion.name.side is not None:
        return lesion.name.side
    sides = {side: mask for side, mask in given.organ(organ).items() if side is not None}
    if not sides:
        whole = given.organ(organ).get(None)
        entry = ontology().find(organ)
        # One mask for both of a pair: its middle is the patient's midline.
        if whole is None or entry is None or not entry.paired or len(components(whole)) < 2:
            return None
        return side_of(lesion.mask, float(np.mean([centroid(c)[0] for c in components(whole)[:2]])))
    place = centroid(lesion.mask)
    return min(sides, key=lambda s: float(np.linalg.norm(centroid(sides[s]) - place)))


def _slice_of(measurements: list[Measurement]) -> int:
    """The slice of the calipers, counted from 1 along the slice axis."""
    one, two = of_kind(measurements, "long axis").geometry[0].points
    short = of_kind(measurements, "short axis").geometry[0].points
    constant = [a for a in range(3) if one[a] == two[a] == short[0][a] == short[1][a]]
    return int(one[constant[0]]) + 1
