"""A study in, findings out: every image goes to the parsers that claim it, the rest to an honest fallback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module

from groundglass.core import Finding, GroundglassError, Image, Reading, ontology
from groundglass.io import check_pixels, has_picture
from groundglass.reading.parser import Parser, Request

# In the order in which they are asked. A parser that claims an image does not keep others from claiming it.
PARSERS = {
    "neuro_oncology": "NeuroOncologyParser",
    "brain_mr": "BrainMRParser",
    "radiograph": "RadiographParser",
    "ct": "CTParser",
    "pet": "PETParser",
}


def parsers() -> tuple[Parser, ...]:
    """The parsers that ship, in the order in which they are asked."""
    return tuple(getattr(import_module(f"groundglass.reading.{module}"), name)() for module, name in PARSERS.items())


def read_findings(request: Request, *, chosen: Sequence[Parser] | None = None) -> Reading:
    """The findings of a study, numbered f1, f2, ... in the order in which they were made.

    Images without a usable pixel are named in the warnings and kept from the parsers. When a parser cannot go on
    (a typed error), its error becomes a warning and the others are still asked. `request.only` keeps findings
    whose concept or anatomy is one of the terms or a narrower one. A parser that answers nothing leaves its images to
    the others. `chosen` replaces the shipped parsers.
    """
    from groundglass.reading.other import OtherParser

    known = [ontology()[name].name for name in request.only]
    reading = Reading()
    usable: list[Image] = []
    for image in request.study.images:
        request.progress(f"reading {image.name}")
        try:
            checked = check_pixels(image)
        except GroundglassError as error:
            reading += Reading(warnings=(str(error),))
            continue
        reading += Reading(warnings=tuple(f"{image.name}: {w}" for w in checked.warnings if w not in image.warnings))
        if has_picture(checked):
            usable.append(checked)
    left = list(usable)
    for parser in parsers() if chosen is None else chosen:
        claimed = [image for image in usable if parser.claims(image)]
        if not claimed:
            continue
        request.progress(parser.name)
        try:
            answer = parser.read(claimed, request)
        except GroundglassError as error:
            reading += Reading(warnings=(f"{parser.name} was not read: {error}",))
            continue
        if answer == Reading():
            # It had nothing to say (its masks were not given): the images are left to others.
            continue
        reading += _numbered(answer, first=len(reading.findings) + 1)
        left = [image for image in left if not any(image is other for other in claimed)]
    if left:
        reading += OtherParser().read(left, request)
    return _only(reading, tuple(known))


def _only(reading: Reading, names: tuple[str, ...]) -> Reading:
    if not names:
        return reading
    return replace(reading, findings=tuple(f for f in reading.findings if _is_wanted(f, names)))


def _is_wanted(finding: Finding, names: tuple[str, ...]) -> bool:
    tree = ontology()
    terms = [finding.what, *([finding.where.anatomy] if finding.where.anatomy else [])]
    return any(tree.is_a(term.name, name) for term in terms for name in names)


def _numbered(reading: Reading, *, first: int) -> Reading:
    """Ids that are unique in the study; `part_of` is led along."""
    new = {finding.id: f"f{number}" for number, finding in enumerate(reading.findings, start=first)}
    findings = tuple(
        replace(finding, id=new[finding.id], part_of=new.get(finding.part_of) if finding.part_of else None)
        for finding in reading.findings
    )
    return replace(reading, findings=findings)
