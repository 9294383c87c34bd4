"""The hall: the one vocabulary that every room speaks. Plain frozen dataclasses; imports no torch."""

from groundglass.core.codec import SCHEMA_VERSION, from_dict, to_dict
from groundglass.core.errors import (
    ConfigurationError,
    EmptyMaskError,
    GeometryError,
    GroundglassError,
    InputError,
    NetworkError,
    TruncatedError,
    UnsafeInputError,
    UnsupportedError,
)
from groundglass.core.finding import Attribute, Evidence, Finding, Location, Side, Status
from groundglass.core.image import Acquisition, Image, Study
from groundglass.core.mask import Box, Mask
from groundglass.core.measurement import Line, Measurement
from groundglass.core.ontology import Ontology, ontology
from groundglass.core.reading import ModelCitation, Reading
from groundglass.core.report import Report, Section, Sentence
from groundglass.core.term import Term

__all__ = [
    "SCHEMA_VERSION",
    "Acquisition",
    "Attribute",
    "Box",
    "ConfigurationError",
    "EmptyMaskError",
    "Evidence",
    "Finding",
    "GeometryError",
    "GroundglassError",
    "Image",
    "InputError",
    "Line",
    "Location",
    "Mask",
    "Measurement",
    "ModelCitation",
    "NetworkError",
    "Ontology",
    "Reading",
    "Report",
    "Section",
    "Sentence",
    "Side",
    "Status",
    "Study",
    "Term",
    "TruncatedError",
    "UnsafeInputError",
    "UnsupportedError",
    "from_dict",
    "ontology",
    "to_dict",
]
