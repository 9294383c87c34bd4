"""Brain MR with tumour masks in, the findings of a standardised tumour report out (card 66, Raidionics)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from groundglass.core import Attribute, Evidence, Finding, Image, Location, Mask, Measurement, Reading, Side, ontology
from groundglass.measurement import (
    Atlas,
    Registration,
    extent_of_resection,
    foci,
    in_template,
    laterality,
    mni152_regions,
    overlaps,
    region_masks,
    register_brain,
    size_measurements,
    volume_ml,
)
from groundglass.reading.parser import Request

# Masks that are the tumour itself, the most complete one first; the first that is given is the reported tumour.
TUMOURS = ("brain tumour", "enhancing tumour")
RESIDUAL = "residual brain tumour"
COMPARTMENTS = ("enhancing tumour", "necrosis", "oedema", "resection cavity")
# A structure is named when it holds this share of the tumour or loses this share of itself (per cent).
NAMED_SHARE = 1.0
RULE = Evidence("rule", "standardised brain tumour report", "1")


@dataclass(frozen=True)
class NeuroOncologyParser:
    """Claims MR volumes; speaks only where a tumour, compartment or cavity mask is given.

    `atlas` is a user's own atlas in MNI152 space (lobes, tracts), reported beside the regions that ship;
    `deformable=False` registers with an affine map alone.
    """

    atlas: Atlas | None = None
    deformable: bool = True
    name: str = "standardised brain tumour report"

    def claims(self, image: Image) -> bool:
        """True for a volume that is MR or does not say what it is; without a tumour mask nothing is read."""
        return image.modality in ("MR", "OT") and image.is_volume and min(image.shape) > 1

    def read(self, images: Sequence[Image], request: Request) -> Reading:
        """Findings of the given masks; an empty reading where no mask of a brain tumour is given."""
        placed = _placed(images, request)
        if not placed.keys() & {*TUMOURS, RESIDUAL, *COMPARTMENTS}:
            return Reading()
        tumour = next((name for name in (*TUMOURS, RESIDUAL) if name in placed and not placed[name][1].is_empty), None)
        reading = Reading(not_assessed=("midline shift",))
        total = None
        if tumour is not None:
            image, mask = placed[tumour]
            reading += self._tumour(tumour, image, mask, placed, request)
            total = volume_ml(mask)
        parent = reading.findings[0].id if reading.findings else None
        parts = [n for n in (*COMPARTMENTS, RESIDUAL) if n in placed and n != tumour]
        compartments = tuple(_compartment(name, *placed[name], total, parent) for name in parts)
        return reading + Reading(compartments + _resection(placed, request))

    def _tumour(
        self, name: str, image: Image, mask: Mask, placed: dict[str, tuple[Image, Mask]], request: Request
    ) -> Reading:
        request.progress("registering to MNI152")
        others = [m for held, m in placed.values() if held is image]
        exclude = Mask.of(np.logical_or.reduce([m.array for m in others]), image.affine)
        registration = register_brain(
            image, brain=request.masks_on(image).get("brain"), exclude=exclude, deformable=self.deformable
        )
        parts = foci(mask)
        main = parts.masks[0]
        sizes = [m for m in size_measurements(main) if m.kind != ontology()["volume"]]
        volume = _made("volume", volume_ml(mask), "mL", "sum of segmented voxels, all foci")
        measured = [volume, *sizes, *_derived(main, sizes), _made("number of foci", len(parts.masks), "{count}")]
        if parts.gaps_mm:
            widest = max(parts.gaps_mm)
            measured.append(_made("distance between foci", widest, "mm", "largest of the smallest surface distances"))
        attributes = [Attribute("focality", "multifocal" if parts.is_multifocal else "unifocal")]
        where = Location(anatomy=ontology()["brain"], mask=mask, image=image.name)
        finding = Finding("tumour", ontology()[name], where=where, evidence=(RULE,))
        if not registration.reliable:
            doubt = f"{image.name} could not be registered to MNI152: {'; '.join(registration.reasons)}"
            done = replace(finding, attributes=tuple(attributes), measurements=tuple(measured))
            return Reading((done,), ("side of the tumour", "structures that hold the tumour"), (doubt,))
        return self._in_atlas(
            replace(finding, attributes=tuple(attributes), measurements=tuple(measured)), registration
        )

    def _in_atlas(self, finding: Finding, registration: Registration) -> Reading:
        mask = finding.where.mask
        assert mask is not None, "the tumour was just given its mask"
        tumour = in_template(mask, registration.to_patient)
        if tumour.is_empty:
            return Reading((finding,), ("side of the tumour",), ("the tumour lies outside of the template",))
        sides = laterality(tumour)
        method = f"MNI152, {registration.method}"
        measured = (
            _made("volume in template space", volume_ml(tumour), "mL", method),
            _made("share on the left", sides.left, "%", method),
            _made("share on the right", sides.right, "%", method),
            _made("distance to the midline", sides.midline_mm, "mm", method),
        )
        crossed = Attribute("midline", "crossed" if sides.crosses_midline else "not crossed")
        side: Side = "left" if sides.side == "left" else "right"
        placed = replace(
            finding,
            where=replace(finding.where, side=side),
            measurements=finding.measurements + measured,
            attributes=(*finding.attributes, crossed),
        )
        found = [f for atlas in self._atlases() for f in self._involved(placed, tumour, atlas, registration)]
        missing = () if self.atlas else ("lobes and white matter tracts (no atlas was given)",)
        return Reading((placed, *found), missing)

    def _atlases(self) -> tuple[Atlas, ...]:
        return (mni152_regions(),) if self.atlas is None else (mni152_regions(), self.atlas)

    def _involved(self, finding: Finding, tumour: Mask, atlas: Atlas, registration: Registration) -> list[Finding]:
        mask = finding.where.mask
        assert mask is not None, "the tumour was given its mask"
        named = [o for o in overlaps(tumour, atlas) if max(o.share_of_tumour, o.share_of_region) >= NAMED_SHARE]
        outlines = region_masks(atlas, mask, registration.to_template, [o.region for o in named])
        return [
            Finding(
                f"in {o.region.title}",
                ontology()["tumour in structure"],
                where=Location(*_anatomy(o.region.name, o.region.side), outlines[o.region], image=finding.where.image),
                attributes=(Attribute("structure", o.region.title),),
                measurements=(
                    _made("share of tumour in structure", o.share_of_tumour, "%", atlas.name),
                    _made("share of structure in tumour", o.share_of_region, "%", atlas.name),
                ),
                evidence=(RULE,),
                part_of=finding.id,
            )
            for o in named
        ]


def _placed(images: Sequence[Image], request: Request) -> dict[str, tuple[Image, Mask]]:
    """Each given mask of the report with the first image on whose grid it lies."""
    found: dict[str, tuple[Image, Mask]] = {}
    for image in images:
        for name, mask in request.masks_on(image).items():
            if name in (*TUMOURS, RESIDUAL, *COMPARTMENTS):
                found.setdefault(name, (image, mask))
    return found


def _anatomy(name: str, side: Side | None) -> tuple:
    entry = ontology().find(name)
    return (entry.term if entry else ontology()["brain"], side)


def _derived(main: Mask, sizes: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """What follows from the largest focus: RANO's product of diameters and the diameter of a sphere as large."""
    length = {m.kind.name: m.value for m in sizes}
    product = length["long axis"] * length["short axis"]
    sphere = 2 * (3 * volume_ml(main) * 1000 / (4 * np.pi)) ** (1 / 3)
    return (
        _made("bidimensional product", product, "mm2", "RANO, longest diameter times its perpendicular"),
        _made("equivalent diameter", sphere, "mm", "sphere of the same volume, largest focus"),
    )


def _compartment(name: str, image: Image, mask: Mask, tumour_ml: float | None, parent: str | None) -> Finding:
    volume = volume_ml(mask)
    measured = [_made("volume", volume, "mL", "sum of segmented voxels")]
    if tumour_ml and name in ("enhancing tumour", "necrosis"):
        measured.append(_made("share of tumour volume", 100 * volume / tumour_ml, "%"))
    where = Location(anatomy=ontology()["brain"], mask=None if mask.is_empty else mask, image=image.name)
    status = "absent" if mask.is_empty else "present"
    return Finding(name, ontology()[name], status, where, (), tuple(measured), evidence=(RULE,), part_of=parent)


def _resection(placed: dict[str, tuple[Image, Mask]], request: Request) -> tuple[Finding, ...]:
    """Extent of resection from a preoperative tumour (a mask here, or the newest prior report) and what is left."""
    earlier = _volume_before(request)
    given = next((volume_ml(placed[n][1]) for n in TUMOURS if n in placed), None)
    if RESIDUAL in placed:
        before, after = given if given is not None else earlier, volume_ml(placed[RESIDUAL][1])
    elif "resection cavity" in placed and earlier is not None and given is not None:
        before, after = earlier, given
    else:
        return ()
    if before is None:
        return ()
    resection = extent_of_resection(before, after)
    measured = [
        _made("preoperative volume", before, "mL"),
        _made("postoperative volume", after, "mL", "depends on the threshold of the thin rim's mask"),
    ]
    if resection.extent is not None:
        measured.append(_made("extent of resection", resection.extent, "%", "100 (before - after) / before"))
    attributes = (Attribute("category", resection.category), Attribute("rano class", resection.rano_class))
    status = "present" if resection.extent is not None else "uncertain"
    what = ontology()["extent of tumour resection"]
    where = Location(anatomy=ontology()["brain"])
    return (Finding("resection", what, status, where, attributes, tuple(measured), evidence=(RULE,)),)


def _volume_before(request: Request) -> float | None:
    """The tumour's volume in the newest prior report that measured one."""
    for prior in reversed(request.study.priors):
        for report in prior.reports:
            for name in TUMOURS:
                volume = next((f.measurement("volume") for f in report.findings if f.what == ontology()[name]), None)
                if volume is not None:
                    return volume.value
    return None


def _made(name: str, value: float, unit: str, method: str = "") -> Measurement:
    return Measurement(ontology()[name], float(value), unit, method=method)
