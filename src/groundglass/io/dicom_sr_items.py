"""Parts of the DICOM SR of a reading, each beside its inverse: evaluations, geometry, values, sentences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from groundglass.core.errors import ConfigurationError
from groundglass.core.finding import Status
from groundglass.core.measurement import Line, Measurement
from groundglass.core.ontology import PRIVATE_SCHEME
from groundglass.core.term import Term
from groundglass.core.units import UNITS
from groundglass.io.dicom_codes import concept, term_of

if TYPE_CHECKING:
    from highdicom.sr import Measurement as SrMeasurement

# What has no code in DICOM is named in the private scheme; the name is the code, so that it reads back.
PRESENCE = Term("presence", PRIVATE_SCHEME, "Presence")
SCORE = Term("score", PRIVATE_SCHEME, "Score of the model")
PART_OF = Term("part of", PRIVATE_SCHEME, "Part of")
GEOMETRY = Term("geometry", PRIVATE_SCHEME, "Geometry")
# CID 240 "Present-Absent".
STATUSES: dict[Status, Term] = {
    "present": Term("52101004", "SCT", "Present"),
    "absent": Term("272519000", "SCT", "Absent"),
    "uncertain": Term("373068000", "SCT", "Undetermined"),
}
# CID 42 "Numeric Value Qualifier": a value that is no number is a qualitative evaluation of its kind, because
# highdicom does not read a NUM item without a measured value.
NOT_FINITE = {
    "nan": Term("114000", "DCM", "Not a number"),
    "-inf": Term("114001", "DCM", "Negative Infinity"),
    "inf": Term("114002", "DCM", "Positive Infinity"),
}
# CID 223 "Normal Range Value".
LOWER, UPPER = (
    Term("385524004", "SCT", "Normal Range Lower Limit"),
    Term("371933006", "SCT", "Normal Range Upper Limit"),
)
UNKNOWN_VERSION = "unknown"
METHOD = Term("370129005", "SCT", "Measurement Method")
NORMALITY_AUTHORITY = Term("121408", "DCM", "Normal Range Authority")
SECTIONS = {
    "indication": Term("121109", "DCM", "Indications for Procedure"),
    "technique": Term("121065", "DCM", "Procedure Description"),
    "comparison": Term("121068", "DCM", "Previous Findings"),
    "findings": Term("121071", "DCM", "Finding"),
    "impression": Term("121073", "DCM", "Impression"),
}


def text_term(text: str) -> Term:
    """A private code whose value is the text itself, which must read back unchanged."""
    return Term(text, PRIVATE_SCHEME, text)


def unit_term(unit: str) -> Term:
    """The UCUM code of a unit. Raises ConfigurationError on a unit that is not written here."""
    if unit not in UNITS:
        raise ConfigurationError(unit, "is not a unit that is written here", f"Use one of {', '.join(UNITS)}.")
    return Term(unit, "UCUM", UNITS[unit][2])


def measurement_item(measurement: Measurement, coordinates: Sequence[Any]) -> SrMeasurement:
    """TID 300 with value, unit, method, reference range and the lines that it was taken on."""
    from highdicom.sr import Measurement as SrMeasurement
    from highdicom.sr import MeasurementProperties, NormalRangeProperties, NumContentItem

    unit = concept(unit_term(measurement.unit))
    limits = [(LOWER, measurement.low), (UPPER, measurement.high)]
    normal_range = [
        NumContentItem(concept(name), float(value), unit, relationship_type="HAS PROPERTIES")
        for name, value in limits
        if value is not None
    ]
    properties = None
    if normal_range:
        properties = MeasurementProperties(
            normal_range_properties=NormalRangeProperties(normal_range, authority=measurement.source or None)
        )
    return SrMeasurement(
        name=concept(measurement.kind),
        value=float(measurement.value),
        unit=unit,
        method=concept(text_term(measurement.method)) if measurement.method else None,
        properties=properties,
        referenced_coordinates=list(coordinates) or None,
    )


def measurement_of(item: Dataset, lines: tuple[Line, ...]) -> Measurement:
    """The measurement of a NUM content item."""
    value, unit = number_of(item)
    facts: dict[str, Any] = {}
    for child in item.get("ContentSequence") or ():
        name = term_of(child.ConceptNameCodeSequence[0])
        if name == METHOD and child.ValueType == "CODE":
            facts["method"] = code_of(child.ConceptCodeSequence[0])
        elif name == LOWER:
            facts["low"] = number_of(child)[0]
        elif name == UPPER:
            facts["high"] = number_of(child)[0]
        elif name == NORMALITY_AUTHORITY:
            facts["source"] = str(child.TextValue)
    return Measurement(term_of(item.ConceptNameCodeSequence[0]), value, unit, geometry=lines, **facts)


def number_of(item: Dataset) -> tuple[float, str]:
    """Value and unit of a NUM item: the double where it is stored, else the decimal string (16 digits)."""
    measured = item.get("MeasuredValueSequence")
    if not measured:
        return math.nan, ""
    found = measured[0].get("FloatingPointValue")
    unit = str(measured[0].MeasurementUnitsCodeSequence[0].CodeValue)
    return float(measured[0].NumericValue if found is None else found), unit


def code_of(item: Dataset) -> str:
    """The text of `text_term`."""
    return str(item.get("CodeValue") or item.get("LongCodeValue") or item.get("URNCodeValue") or "")


def evaluations(pairs: Iterable[tuple[Term, Term]]) -> list[Any]:
    """Qualitative evaluations (coded name and coded value)."""
    from highdicom.sr import QualitativeEvaluation

    return [QualitativeEvaluation(name=concept(name), value=concept(value)) for name, value in pairs]


def flat_coordinates(line: Line, source_image: Any) -> Any:
    """SCOORD of a line in voxel coordinates (row, column) of a flat image.

    DICOM counts (column, row) from the top left corner of the first pixel, whose centre is (0.5, 0.5)
    (PS3.3 C.18.6); voxel coordinates have that centre at 0.
    """
    from highdicom.sr import CoordinatesForMeasurement

    points = np.array([point[-2:] for point in line.points], dtype=float)[:, ::-1] + 0.5
    kind = "POINT" if len(points) == 1 else "POLYLINE"
    return CoordinatesForMeasurement(kind, points, source_image, purpose=concept(_purpose(line)))


def flat_line(item: Dataset) -> Line:
    """The inverse of `flat_coordinates`."""
    points = np.array(item.GraphicData, dtype=float).reshape(-1, 2)[:, ::-1] - 0.5
    return Line(tuple(map(tuple, points.tolist())), _line_name(item))


def world_coordinates(line: Line, affine: NDArray[np.float64], frame_of_reference: str) -> Any:
    """SCOORD3D (LPS mm) of a line in voxel coordinates of a volume."""
    from highdicom.sr import CoordinatesForMeasurement3D

    points = np.array(line.points, dtype=float) @ affine[:3, :3].T + affine[:3, 3]
    kind = "POINT" if len(points) == 1 else "POLYLINE"
    return CoordinatesForMeasurement3D(kind, points * (-1, -1, 1), frame_of_reference, purpose=concept(_purpose(line)))


def world_line(item: Dataset, affine: NDArray[np.float64]) -> Line:
    """The inverse of `world_coordinates`, in the voxel coordinates of `affine` (RAS mm for the identity)."""
    points = np.array(item.GraphicData, dtype=float).reshape(-1, 3) * (-1, -1, 1)
    index = np.linalg.solve(affine[:3, :3], (points - affine[:3, 3]).T).T
    return Line(tuple(map(tuple, index.tolist())), _line_name(item))


def _purpose(line: Line) -> Term:
    return text_term(line.name) if line.name else Term("260753009", "SCT", "Source")


def _line_name(item: Dataset) -> str:
    name = item.ConceptNameCodeSequence[0]
    return code_of(name) if str(name.get("CodingSchemeDesignator")) == PRIVATE_SCHEME else ""
