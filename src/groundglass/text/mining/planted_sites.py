"""Sentences of PET/CT reports that say where one lesion lies, some of which also name another place.

What is asked of a reader of such a sentence: that "right" belongs to the node and "left" to what the node is compared
with. All of them may be mined (`mined` keeps them): one SUVmax, one slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

Organ = Literal["lung", "node", "bone", "liver"]
Side = Literal["left", "right", ""]

_ALONE = (
    "FDG-avid {what}, SUVmax {suv} (slice {slice}).",
    "There is an intensely hypermetabolic {what} with SUVmax of {suv}, image {slice}.",
    "Hypermetabolic {what} (SUV max {suv}, axial image {slice}).",
    "The {what} demonstrates a maximum SUV of {suv} on slice {slice}.",
    "A {what} on image 4/{slice} has an SUVmax of {suv}, suspicious for malignancy.",
    "Focal tracer uptake in a {what}, SUVmax: {suv}, image number {slice}.",
    "We see a {what} with marked FDG uptake, SUVmax {suv}, image {slice}.",
)
_BESIDE = (
    "Hypermetabolic {what} with SUVmax of {suv} on image {slice}, more avid than the {other}.",
    "In addition to the {other}, there is an FDG-avid {what} (SUVmax {suv}, image {slice}).",
    "Unlike the {other}, the {what} is intensely FDG-avid, SUVmax {suv} (slice {slice}).",
    "The {other} is again seen, and there is a new {what} with SUVmax {suv} on image {slice}.",
    "The {what} shows a maximum SUV of {suv} on slice {slice}, while the {other} is less intense.",
    "Separate from the {other}, FDG-avid {what}, SUV max {suv}, image {slice}.",
    "There is a {what}, larger than the known {other}, SUVmax {suv} (image {slice}).",
    "No abnormality apart from the {other} and, most avid, a {what} with an SUVmax of {suv} on image {slice}.",
)
_NAMES: dict[Organ, tuple[str, ...]] = {
    "lung": ("{side} {place} nodule", "mass in the {side} {place}", "{side} {place} pulmonary lesion",
             "nodule in the {place} of the {side} lung"),
    "node": ("{side} {adjective} lymph node", "{side} {adjective} node", "lymph node in the {side} {place}",
             "enlarged {side} {adjective} node"),
    "bone": ("osseous lesion in the {place} vertebral body", "{place} bone lesion", "lytic lesion of {place}",
             "sclerotic focus in the {place} vertebra"),
    "liver": ("hepatic lesion in segment {place}", "liver lesion (segment {place})", "segment {place} hepatic mass"),
}  # fmt: skip
_VAGUE: dict[Organ, tuple[str, ...]] = {
    "lung": ("pulmonary nodule", "lung lesion"),
    "node": ("lymph node", "nodal lesion"),
    "bone": ("osseous lesion", "bone lesion"),
    "liver": ("hepatic lesion", "liver lesion"),
}
_ADJECTIVES = {
    "neck": "cervical", "axilla": "axillary", "mediastinum": "mediastinal", "hilum": "hilar",
    "retroperitoneum": "retroperitoneal",
}  # fmt: skip
LOBES = {"left": ("upper lobe", "lower lobe"), "right": ("upper lobe", "middle lobe", "lower lobe")}
VERTEBRAE = (*(f"T{n}" for n in range(2, 13)), *(f"L{n}" for n in range(1, 6)))


class Site(NamedTuple):
    """Where a lesion lies, in the words of reports: an organ, a place in it ("upper lobe", "hilum", "T9", "6"), a side.

    Bones and liver segments have no side. Places of nodes are neck, axilla, mediastinum, hilum and retroperitoneum.
    """

    organ: Organ
    place: str
    side: Side = ""


def planted_grounding(
    rng: np.random.Generator,
    site: Site,
    *,
    suv_max: float,
    slice: int,
    others: Sequence[Site] = (),
    beside: float = 0.5,
    vague: float = 0.1,
) -> str:
    """A sentence about a lesion. A share `beside` also names another place: one of `others` (the patient's other
    lesions) two times in three, else any; a share `vague` says the organ alone, as reports do."""
    what = _named(rng, site, vague=vague)
    if rng.random() >= beside:
        text = str(rng.choice(_ALONE)).format(what=what, suv=f"{suv_max:.1f}", slice=slice)
    else:
        known = [other for other in others if other != site]
        other = known[int(rng.integers(len(known)))] if known and rng.random() < 2 / 3 else random_site(rng, but=site)
        named = _named(rng, other, vague=0.0)
        text = str(rng.choice(_BESIDE)).format(what=what, other=named, suv=f"{suv_max:.1f}", slice=slice)
    return text[:1].upper() + text[1:]


def _named(rng: np.random.Generator, site: Site, *, vague: float) -> str:
    if rng.random() < vague:
        return str(rng.choice(_VAGUE[site.organ]))
    frame = str(rng.choice(_NAMES[site.organ]))
    return frame.format(side=site.side, place=site.place, adjective=_ADJECTIVES.get(site.place, site.place)).strip()


def random_site(rng: np.random.Generator, *, but: Site | None = None) -> Site:
    """Any site, other than `but`."""
    sides: tuple[Side, Side] = ("left", "right")
    while True:
        side = sides[int(rng.integers(2))]
        found = (
            Site("lung", str(rng.choice(LOBES[side])), side),
            Site("node", str(rng.choice(list(_ADJECTIVES))), side),
            Site("bone", str(rng.choice(VERTEBRAE))),
            Site("liver", str(rng.integers(2, 9))),
        )[int(rng.integers(4))]
        if found != but:
            return found
