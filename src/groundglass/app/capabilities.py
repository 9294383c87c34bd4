"""What this installation can do, as one document for scripts, agents and the server; nothing heavy is loaded."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any

import typer

from groundglass import __version__

# What to do -> what is needed for it beside the core installation; all of these must be there.
_VERBS: dict[str, tuple[str, ...]] = {
    "read": (),
    "info": (),
    "terms": (),
    "models": (),
    "label": (),
    "compare": (),
    "segment": (),
    "synthesize": (),
    "rank": (),
    "deidentify": (),
    "archive": (),
    "structure": (),
    "timeline": (),
    "graph": (),
    "serve": ("fastapi", "uvicorn", "python_multipart"),
    "node": ("pynetdicom",),
    "mcp": ("mcp",),
}
_OPTIONAL = {
    "codecs": ("imagecodecs",),
    "video": ("av",),
    "tables": ("pyarrow",),
    "mri": ("h5py",),
    "ray": ("ray",),
    "fhir": ("fhir.resources",),
    "onnx": ("onnxruntime",),
}
_READS = [
    "DICOM (files, series, multi-frame, SEG, SR)",
    "NIfTI",
    "NRRD",
    "MetaImage",
    "PNG",
    "JPEG",
    "TIFF",
    "BMP",
    "zip",
]
_WRITES = ["report.json", "text", "HTML", "NIfTI", "DICOM SEG", "DICOM SR"]


def capabilities() -> dict[str, Any]:
    """Version, verbs with what they lack, formats, languages, the models that ship with what they were measured on."""
    from groundglass.core.codec import SCHEMA_VERSION

    return {
        "name": "groundglass",
        "version": __version__,
        "schema_version": SCHEMA_VERSION,
        "notice": "Drafts for a qualified reader. Not a medical device.",
        "verbs": {
            verb: {"available": not _missing(needs), "missing": _missing(needs)} for verb, needs in _VERBS.items()
        },
        "extras": {name: not _missing(needs) for name, needs in _OPTIONAL.items()},
        "reads": _READS + (["video"] if not _missing(_OPTIONAL["video"]) else []),
        "writes": _WRITES + (["FHIR"] if not _missing(_OPTIONAL["fhir"]) else []),
        "languages": ["en", "id"],
        "models": _models(),
    }


def show_capabilities(*, as_json: bool) -> None:
    """Print the document, for people or as JSON."""
    held = capabilities()
    if as_json:
        typer.echo(json.dumps(held, ensure_ascii=False))
        return
    typer.echo(f"groundglass {held['version']}. {held['notice']}")
    typer.echo(f"reads:  {', '.join(held['reads'])}")
    typer.echo(f"writes: {', '.join(held['writes'])}")
    for verb, state in held["verbs"].items():
        lacks = "" if state["available"] else f" (needs {', '.join(state['missing'])})"
        typer.echo(f"  {verb}{lacks}")
    for model in held["models"]:
        typer.echo(f"  model {model['name']} {model['version']}: {model['measured_on']}")


def _missing(needs: tuple[str, ...]) -> list[str]:
    return [name for name in needs if not _is_there(name)]


def _is_there(name: str) -> bool:
    """True when the module is installed; nothing is imported but the packages that hold it."""
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _models() -> list[dict[str, str]]:
    from groundglass.models.registry import builtin_models, model_config

    configs = [model_config(m) for m in builtin_models()]
    return [{"name": c["name"], "version": c["version"], "measured_on": c.get("measured_on", "")} for c in configs]
