"""The JSON Schema of report.json, made from the dataclasses that it holds, and the check of a file's version."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields
from importlib import resources
from typing import Any

from groundglass.core.codec import SCHEMA_VERSION, WRITTEN_TYPES
from groundglass.core.errors import InputError, UnsupportedError
from groundglass.core.mask import Mask

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# JSON has no non-finite numbers: these strings stand for them.
_FLOAT = {"anyOf": [{"type": "number"}, {"enum": ["nan", "inf", "-inf"]}]}
_COUNTS = {"type": "array", "items": {"type": "integer", "minimum": 0}}
_AFFINE = {
    "type": "array",
    "items": {"type": "array", "items": _FLOAT, "minItems": 4, "maxItems": 4},
    "minItems": 4,
    "maxItems": 4,
}


def report_schema() -> dict[str, Any]:
    """The schema of report.json, from the type hints of the core dataclasses.

    `core/data/report.schema.json` holds what this gives; a test compares them.
    """
    return {
        "$schema": DIALECT,
        "title": f"groundglass report.json, schema version {SCHEMA_VERSION}",
        "type": "object",
        "required": ["schema_version", "report"],
        "properties": {
            "schema_version": {"type": "string", "pattern": rf"^{SCHEMA_VERSION.split('.')[0]}\.\d+$"},
            "study": {
                "type": "object",
                "properties": {
                    "uid": {"type": "string"},
                    "patient_id": {"type": "string"},
                    "date": {"type": ["string", "null"]},
                    "images": {"type": "array", "items": {"$ref": "#/$defs/ImageFacts"}},
                },
            },
            "report": {"$ref": "#/$defs/Report"},
            "written_reports": {"type": "array", "items": {"$ref": "#/$defs/WrittenReport"}},
        },
        "$defs": {
            **{name: _of_dataclass(name, cls) for name, cls in sorted(WRITTEN_TYPES.items())},
            "Mask": _MASK,
            "ImageFacts": _IMAGE_FACTS,
            "WrittenReport": _WRITTEN_REPORT,
        },
    }


def shipped_schema() -> dict[str, Any]:
    """The schema file that comes with the package."""
    text = (resources.files("groundglass.core") / "data" / "report.schema.json").read_text(encoding="utf-8")
    return typing.cast("dict[str, Any]", json.loads(text))


def require_version(document: Mapping[str, Any], name: str = "report.json") -> None:
    """Raises UnsupportedError when `document` was written by a newer major version, InputError without a version."""
    version = document.get("schema_version")
    try:
        major = int(str(version).split(".")[0])
    except ValueError as error:
        raise InputError(name, f"has no schema version ({version!r})", "Write it again with this version.") from error
    if major > int(SCHEMA_VERSION.split(".")[0]):
        raise UnsupportedError(
            name, f"has schema version {version}, newer than {SCHEMA_VERSION}", "Update groundglass."
        )


_MASK = {
    "type": "object",
    "description": "Crop of a boolean grid: np.packbits of the crop in C order, deflated (zlib), base64.",
    "required": ["type", "shape", "offset", "crop_shape", "affine", "bits"],
    "properties": {
        "type": {"const": "Mask"},
        "shape": _COUNTS,
        "offset": _COUNTS,
        "crop_shape": _COUNTS,
        "affine": _AFFINE,
        "bits": {"type": "string", "contentEncoding": "base64"},
    },
    "additionalProperties": False,
}
_WRITTEN_REPORT: dict[str, Any] = {
    "type": "object",
    "description": "A report in words that was given, and beside each of its findings what the images show.",
    "required": ["exam", "date", "report", "pairs"],
    "properties": {
        "exam": {"enum": ["this", "earlier"]},
        "date": {"type": ["string", "null"]},
        "report": {"$ref": "#/$defs/Report"},
        "pairs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["written", "seen", "verdict"],
                "properties": {
                    "written": {"type": ["string", "null"]},
                    "seen": {"type": "array", "items": {"type": "string"}},
                    "verdict": {"enum": ["agreement", "disagreement", "doubt", "not looked for", "not in the report"]},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
_IMAGE_FACTS = {
    "type": "object",
    "required": ["name", "modality", "shape"],
    "properties": {
        "name": {"type": "string"},
        "modality": {"type": "string"},
        "shape": _COUNTS,
        "channels": {"type": "integer", "minimum": 1},
        "spacing_mm": {"anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "null"}]},
        "affine": _AFFINE,
        "warnings": {"type": "array", "items": {"type": "string"}},
    },
}


def _of_dataclass(name: str, cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    body = {field.name: _of_hint(hints[field.name]) for field in fields(cls)}
    required = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
    summary = (cls.__doc__ or "").strip().splitlines()[0]
    return {
        "type": "object",
        "description": summary,
        "required": ["type", *required],
        "properties": {"type": {"const": name}, **body},
        "additionalProperties": False,
    }


def _of_hint(hint: Any) -> dict[str, Any]:
    """The schema of one type hint. Raises TypeError on a hint that JSON cannot hold."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, types.UnionType) or origin is typing.Union:
        # None is never written: the field is left out.
        kinds = [_of_hint(kind) for kind in inner if kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin is tuple:
        if len(inner) == 2 and inner[1] is Ellipsis:
            return {"type": "array", "items": _of_hint(inner[0])}
        return {
            "type": "array",
            "prefixItems": [_of_hint(kind) for kind in inner],
            "minItems": len(inner),
            "maxItems": len(inner),
        }
    if hint is Mask or hint in WRITTEN_TYPES.values():
        return {"$ref": f"#/$defs/{hint.__name__}"}
    plain: dict[Any, dict[str, Any]] = {
        str: {"type": "string"},
        int: {"type": "integer"},
        bool: {"type": "boolean"},
        float: _FLOAT,
    }
    if hint not in plain:
        raise TypeError(f"no JSON form for {hint!r}")
    return plain[hint]
