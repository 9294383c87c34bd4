"""Findings and reports to JSON and back without loss.

Every dataclass becomes an object with a `type` field; masks are stored as the packed, deflated bits of
their crop. `SCHEMA_VERSION` is written at the top of report.json; a reader refuses a newer major version.
The JSON Schema lies in `core/data/report.schema.json`.
"""

from __future__ import annotations

import base64
import math
import types
import typing
import zlib
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np

from groundglass.core.errors import InputError
from groundglass.core.finding import Attribute, Evidence, Finding, Location
from groundglass.core.mask import Box, Mask
from groundglass.core.measurement import Line, Measurement
from groundglass.core.reading import ModelCitation, Reading
from groundglass.core.report import Report, Section, Sentence
from groundglass.core.term import Term

SCHEMA_VERSION = "1.0"

_TYPES: dict[str, type] = {
    t.__name__: t
    for t in (Attribute, Box, Evidence, Finding, Line, Location, Measurement, ModelCitation, Reading, Report, Section, Sentence, Term)
}


def to_dict(value: Any) -> Any:
    """A JSON-ready copy of any core dataclass (Image and Study excepted: they refer to files)."""
    if isinstance(value, Mask):
        return _mask_to_dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        if type(value).__name__ not in _TYPES:
            raise InputError(type(value).__name__, "is not written to JSON", "Write the file that it came from.")
        body = {f.name: to_dict(getattr(value, f.name)) for f in fields(value)}
        return {"type": type(value).__name__, **{k: v for k, v in body.items() if v not in (None, [])}}
    if isinstance(value, (tuple, list)):
        return [to_dict(v) for v in value]
    if isinstance(value, (np.integer, np.bool_)):
        return value.item()
    if isinstance(value, (float, np.floating)):
        number = float(value)
        # JSON has no NaN or infinity; a string keeps the value and stays valid JSON.
        return number if math.isfinite(number) else repr(number)
    return value


def from_dict(data: Any) -> Any:
    """The core object that `to_dict` wrote. Raises InputError on an unknown type or field."""
    if isinstance(data, list):
        return tuple(from_dict(v) for v in data)
    if not isinstance(data, dict):
        return data
    kind = data.get("type")
    if kind == "Mask":
        return _mask_from_dict(data)
    if kind not in _TYPES:
        raise InputError(str(kind), "is not a type of the report schema", f"Expected one of {', '.join(_TYPES)}.")
    cls = _TYPES[kind]
    hints = _hints(cls)
    try:
        return cls(**{k: _field(hints[k], from_dict(v)) for k, v in data.items() if k != "type"})
    except (KeyError, TypeError) as error:
        raise InputError(str(kind), f"has fields that do not fit the schema ({error})", "Write it again with this version.") from error


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _field(hint: Any, value: Any) -> Any:
    """Undo the string form of non-finite floats, and JSON's int for a whole float."""
    allowed = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if float in allowed and isinstance(value, (str, int)) and not isinstance(value, bool):
        return float(value)
    return value


def _mask_to_dict(mask: Mask) -> dict[str, Any]:
    packed = zlib.compress(np.packbits(mask.crop).tobytes(), 6)
    return {
        "type": "Mask",
        "shape": list(mask.shape),
        "offset": list(mask.offset),
        "crop_shape": list(mask.crop.shape),
        "affine": mask.affine.tolist(),
        "bits": base64.b64encode(packed).decode("ascii"),
    }


def _mask_from_dict(data: dict[str, Any]) -> Mask:
    crop_shape = tuple(data["crop_shape"])
    count = math.prod(crop_shape)
    try:
        # The bound keeps a forged file from inflating past what its own shape can hold.
        raw = zlib.decompressobj().decompress(base64.b64decode(data["bits"]), count // 8 + 2)
        bits = np.unpackbits(np.frombuffer(raw, dtype=np.uint8), count=count)
        crop = bits.reshape(crop_shape).astype(bool)
    except (ValueError, zlib.error) as error:
        raise InputError("mask", f"its bits do not fit its shape ({error})", "Write the report again.") from error
    return Mask(crop, tuple(data["offset"]), tuple(data["shape"]), np.asarray(data["affine"], dtype=np.float64))
