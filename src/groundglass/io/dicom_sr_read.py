"""A TID 1500 SR as a report with its findings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from groundglass.core.errors import InputError, UnsupportedError
from groundglass.core.finding import Attribute, Evidence, Finding, Location
from groundglass.core.image import Image
from groundglass.core.measurement import Line, Measurement
from groundglass.core.ontology import PRIVATE_SCHEME, ontology
from groundglass.core.report import DRAFT_NOTICE, Report, Section, Sentence
from groundglass.core.term import Term
from groundglass.io import dicom_sr_items as items
from groundglass.io.dicom_codes import side_of, term_of
from groundglass.io.dicom_header import quiet
from groundglass.io.dicom_sr import COMMENT, QUALITATIVE_EVALUATIONS

MEASUREMENT_GROUP = Term("125007", "DCM", "Measurement Group")
TRACKING_IDENTIFIER = Term("112039", "DCM", "Tracking Identifier")
TRACKING_UID = Term("112040", "DCM", "Tracking Unique Identifier")
FINDING = Term("121071", "DCM", "Finding")
FINDING_SITE = Term("363698007", "SCT", "Finding Site")
FINDING_CATEGORY = Term("276214006", "SCT", "Finding category")
ALGORITHM_NAME = Term("111001", "DCM", "Algorithm Name")
ALGORITHM_VERSION = Term("111003", "DCM", "Algorithm Version")
ALGORITHM_PARAMETERS = Term("111002", "DCM", "Algorithm Parameters")
ALGORITHM = (ALGORITHM_NAME, ALGORITHM_VERSION, ALGORITHM_PARAMETERS)
LANGUAGE = Term("121049", "DCM", "Language of Content Item and Descendants")
SOURCES = ("model", "rule", "sentence", "person")


def read_sr(path: str | os.PathLike[str], like: Image | None = None) -> Report:
    """The report that an SR states: findings with codes, values, lines, and the sentences.

    Measurement groups of one tracking UID become one finding. Lines of a volume come back in the voxel
    coordinates of `like`, or in RAS mm without it; lines on a flat image in its (row, column). An SR holds no mask:
    read those with `read_seg`. SRs of other makers are read as far as they follow TID 1500.

    Raises InputError when the file is missing, UnsupportedError when it is not a TID 1500 SR.
    """
    document = _open(path)
    affine = np.eye(4) if like is None else like.affine
    merged: dict[str, Finding] = {}
    for group in _containers(document, MEASUREMENT_GROUP):
        finding = _finding(group, len(merged) + 1, affine, None if like is None else like.name)
        if finding is None:
            continue
        uid = next((str(c.UID) for c in _children(group, TRACKING_UID)), finding.id)
        merged[uid] = _joined(merged[uid], finding) if uid in merged else finding
    sections, notice = _narrative(document)
    language = next((items.code_of(c.ConceptCodeSequence[0]) for c in _children(document, LANGUAGE)), "en")
    return Report(
        sections=sections,
        findings=tuple(merged.values()),
        language=language,
        title=str(document.get("SeriesDescription") or ""),
        notice=notice,
    )


def _open(path: str | os.PathLike[str]) -> Dataset:
    try:
        with quiet():
            document = pydicom.dcmread(path)
    except FileNotFoundError as error:
        raise InputError(path, "does not exist", "Check the path.") from error
    except (OSError, InvalidDicomError, EOFError) as error:
        raise UnsupportedError(path, f"is not a DICOM file ({error})", "Pass a DICOM SR.") from error
    template = (document.get("ContentTemplateSequence") or [Dataset()])[0].get("TemplateIdentifier")
    if template != "1500":
        raise UnsupportedError(path, "is not an SR of template TID 1500", "Pass a Measurement Report.")
    return document


def _name(item: Dataset) -> Term | None:
    names = item.get("ConceptNameCodeSequence")
    return term_of(names[0]) if names else None


def _children(item: Dataset, name: Term) -> Iterator[Dataset]:
    return (child for child in item.get("ContentSequence") or () if _name(child) == name)


def _containers(item: Dataset, name: Term) -> Iterator[Dataset]:
    """All containers of this name below `item`, in document order."""
    for child in item.get("ContentSequence") or ():
        if child.ValueType == "CONTAINER":
            if _name(child) == name:
                yield child
            else:
                yield from _containers(child, name)


def _finding(group: Dataset, number: int, affine: Any, image: str | None) -> Finding | None:
    facts: dict[str, Any] = {"status": "present", "part_of": None, "score": None}
    site: dict[str, Any] = {}
    attributes: list[Attribute] = []
    measurements: list[Measurement] = []
    algorithm: dict[str, str] = {}
    for child in group.get("ContentSequence") or ():
        name, kind = _name(child), child.ValueType
        if name == TRACKING_IDENTIFIER:
            facts["id"] = str(child.TextValue)
        elif name == FINDING and kind == "CODE":
            facts["what"] = term_of(child.ConceptCodeSequence[0])
        elif name == FINDING_SITE and kind == "CODE":
            site["anatomy"] = term_of(child.ConceptCodeSequence[0])
            modifiers = [c.ConceptCodeSequence[0] for c in child.get("ContentSequence") or () if c.ValueType == "CODE"]
            site["side"] = next((side for side in map(side_of, modifiers) if side), None)
        elif name in ALGORITHM:
            _note_algorithm(algorithm, name, str(child.TextValue))
        elif kind == "NUM":
            measured = items.measurement_of(child, _lines(child, affine))
            if measured.kind == items.SCORE:
                facts["score"] = measured.value
            else:
                measurements.append(measured)
        elif kind == "CODE" and name is not None and name not in (FINDING_CATEGORY, items.METHOD):
            _note_evaluation(facts, attributes, measurements, name, child.ConceptCodeSequence[0])
    if "what" not in facts and not measurements:
        return None
    evidence: tuple[Evidence, ...] = ()
    if algorithm.get("name"):
        source = algorithm.get("source", "model")
        known: Any = source if source in SOURCES else "model"
        evidence = (Evidence(known, algorithm["name"], algorithm.get("version", ""), algorithm.get("detail", "")),)
    return Finding(
        **{"id": f"f{number}", "what": ontology()["finding"], **facts},
        where=Location(**site, image=image),
        attributes=tuple(attributes),
        measurements=tuple(measurements),
        evidence=evidence,
    )


def _note_algorithm(algorithm: dict[str, str], name: Term, text: str) -> None:
    if name == ALGORITHM_NAME:
        algorithm["name"] = text
    elif name == ALGORITHM_VERSION:
        algorithm["version"] = "" if text == items.UNKNOWN_VERSION else text
    else:
        key, _, value = text.partition("=")
        algorithm[key] = value


def _note_evaluation(
    facts: dict[str, Any], attributes: list[Attribute], measurements: list[Measurement], name: Term, value: Dataset
) -> None:
    """Presence, membership, a value that is no number, or else an attribute."""
    stated = term_of(value)
    if name == items.PRESENCE:
        facts["status"] = next((s for s, t in items.STATUSES.items() if t == stated), "uncertain")
    elif name == items.PART_OF:
        facts["part_of"] = items.code_of(value)
    elif stated in items.NOT_FINITE.values():
        text = next(text for text, term in items.NOT_FINITE.items() if term == stated)
        measurements.append(Measurement(name, float(text), ""))
    elif name.scheme == PRIVATE_SCHEME:
        attributes.append(Attribute(name.code, items.code_of(value)))
    else:
        attributes.append(Attribute(name.name, stated.name))


def _lines(item: Dataset, affine: Any) -> tuple[Line, ...]:
    lines = []
    for child in item.get("ContentSequence") or ():
        if child.ValueType == "SCOORD":
            lines.append(items.flat_line(child))
        elif child.ValueType == "SCOORD3D":
            lines.append(items.world_line(child, affine))
    return tuple(lines)


def _joined(first: Finding, second: Finding) -> Finding:
    return replace(first, measurements=first.measurements + second.measurements)


def _narrative(document: Dataset) -> tuple[tuple[Section, ...], str]:
    sections: list[Section] = []
    notice = ""
    names = {term: name for name, term in items.SECTIONS.items()}
    for container in _containers(document, QUALITATIVE_EVALUATIONS):
        for child in container.get("ContentSequence") or ():
            if child.ValueType != "TEXT":
                continue
            term = _name(child)
            if term == COMMENT and not notice:
                notice = str(child.TextValue)
                continue
            ids = tuple(str(c.TextValue) for c in _children(child, TRACKING_IDENTIFIER))
            sentence = Sentence(str(child.TextValue), ids)
            name = names.get(term, term.code) if term is not None else "findings"
            if sections and sections[-1].name == name:
                sections[-1] = Section(name, (*sections[-1].sentences, sentence))
            else:
                sections.append(Section(name, (sentence,)))
    return tuple(sections), notice or DRAFT_NOTICE
