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
from dataclasses import Field, fields, is_dataclass
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

WRITTEN_TYPES: dict[str, type] = {
    t.__name__: t
    for t in (
        Attribute,
        Box,
        Evidence,
        Finding,
        Line,
        Location,
        Measurement,
        ModelCitation,
        Reading,
        Report,
        Section,
        Sentence,
        Term,
    )
}


def to_dict(value: Any) -> Any:
    """A JSON-ready copy of any core dataclass (Image and Study excepted: they refer to files)."""
    if isinstance(value, Mask):
        return _mask_to_dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        if type(value).__name__ not in WRITTEN_TYPES:
            raise InputError(type(value).__name__, "is not written to JSON", "Write the file that it came from.")
        body = {f.name: to_dict(getattr(value, f.name)) for f in fields(value) if not _is_left_out(f, value)}
        return {"type": type(value).__name__, **body}
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
    if kind not in WRITTEN_TYPES:
        raise InputError(
            str(kind), "is not a type of the report schema", f"Expected one of {', '.join(WRITTEN_TYPES)}."
        )
    cls = WRITTEN_TYPES[kind]
    hints = _hints(cls)
    try:
        return cls(**{k: _field(hints[k], from_dict(v)) for k, v in data.items() if k != "type"})
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            str(kind), f"has fields that do not fit the schema ({error})", "Write it again with this version."
        ) from error


def _is_left_out(field: Field[Any], value: Any) -> bool:
    """Empty fields are left out where emptiness is what the reader puts in their place."""
    held = getattr(value, field.name)
    return (held is None or held == ()) and held == field.default


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _field(hint: Any, value: Any) -> Any:
    """Undo, at any depth, the string form of non-finite floats, and JSON's int for a whole float."""
    if isinstance(value, tuple):
        inner = [t for t in _alternatives(hint) if typing.get_origin(t) is tuple]
        if not inner:
            return value
        kinds = typing.get_args(inner[0])
        if len(kinds) == 2 and kinds[1] is Ellipsis:
            return tuple(_field(kinds[0], v) for v in value)
        return tuple(_field(kind, v) for kind, v in zip(kinds, value, strict=True))
    if float in _alternatives(hint) and isinstance(value, (str, int)) and not isinstance(value, bool):
        return float(value)
    return value


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)


def _mask_to_dict(mask: Mask) -> dict[str, Any]:
    packed = zlib.compress(np.packbits(mask.crop).tobytes(), 6)
    return {
        "type": "Mask",
        "shape": list(mask.shape),
        "offset": list(mask.offset),
        "crop_shape": list(mask.crop.shape),
        "affine": to_dict(mask.affine.tolist()),
        "bits": base64.b64encode(packed).decode("ascii"),
    }


def _mask_from_dict(data: dict[str, Any]) -> Mask:
    try:
        shape, offset, crop_shape = (tuple(map(int, data[k])) for k in ("shape", "offset", "crop_shape"))
        if not len(shape) == len(offset) == len(crop_shape):
            raise ValueError("the numbers of axes differ")
        if any(o < 0 or n < 0 or o + n > total for o, n, total in zip(offset, crop_shape, shape, strict=True)):
            raise ValueError("the crop lies outside of the grid")
        count = math.prod(crop_shape)
        size = (count + 7) // 8
        inflate = zlib.decompressobj()
        # The bound keeps a forged file from inflating past what its own shape can hold (0 would mean no bound).
        raw = inflate.decompress(base64.b64decode(data["bits"], validate=True), size + 1)
        if len(raw) != size:
            raise ValueError(f"{len(raw)} bytes instead of {size}")
        crop = np.unpackbits(np.frombuffer(raw, dtype=np.uint8), count=count).reshape(crop_shape).astype(bool)
        affine = np.array([[float(v) for v in row] for row in data["affine"]], dtype=np.float64)
        if affine.shape != (4, 4):
            raise ValueError("the affine is not 4x4")
    except (KeyError, TypeError, ValueError, OverflowError, MemoryError, zlib.error) as error:
        raise InputError("mask", f"its bits do not fit its shape ({error})", "Write the report again.") from error
    return Mask(crop, offset, shape, affine)
