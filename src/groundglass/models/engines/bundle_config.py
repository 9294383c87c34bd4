"""The parts of a MONAI bundle's configuration that describe data, not code.

A bundle's inference.json may hold expressions ("$...") that Python would evaluate. Here nothing is evaluated:
network, preprocessing and inferer are built only from classes of MONAI's own networks, transforms and inferers
with plain arguments; references ("@name") are followed; anything else is refused.
"""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from groundglass.core import ConfigurationError, TruncatedError, UnsafeInputError

_PLACES = {
    "network": "monai.networks.nets",
    "transform": "monai.transforms",
    "inferer": "monai.inferers",
}
_REFERENCE = re.compile(r"@[\w#:]+")
# Expressions that only choose a device or a dtype: they are dropped with their argument.
_HARMLESS = ("device", "sw_device", "dtype")


def read_bundle(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """(inference configuration, metadata). Raises ConfigurationError, TruncatedError."""
    path = folder / "configs" / "inference.json"
    if not path.is_file():
        raise ConfigurationError(folder, "has no configs/inference.json", "Only bundles configured in JSON are run.")
    meta = folder / "configs" / "metadata.json"
    return _read(path), (_read(meta) if meta.is_file() else {})


def plain(config: dict[str, Any], value: Any, *, depth: int = 0) -> Any:
    """`value` with references followed. Raises UnsafeInputError on an expression or an endless reference."""
    if depth > 20:
        raise UnsafeInputError("bundle", "has references that do not end", "Repair its configuration.")
    if isinstance(value, str):
        if value.startswith("$"):
            raise UnsafeInputError(
                "bundle", f"would evaluate {value!r}", "Write the value itself into the configuration."
            )
        if _REFERENCE.fullmatch(value):
            return plain(config, _lookup(config, value[1:]), depth=depth + 1)
        return value
    if isinstance(value, list):
        return [plain(config, v, depth=depth + 1) for v in value]
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if not (k in _HARMLESS and isinstance(v, str) and v[:1] in "$@")}
        return {k: plain(config, v, depth=depth + 1) for k, v in kept.items()}
    return value


def build(config: dict[str, Any], entry: Any, kind: str) -> Any:
    """The object of `{"_target_": class, arguments}`, its class taken from MONAI's module of this `kind` alone.

    Raises UnsafeInputError for any other class or an expression, ConfigurationError for wrong arguments.
    """
    arguments = plain(config, entry)
    if not isinstance(arguments, dict) or "_target_" not in arguments:
        raise ConfigurationError("bundle", f"does not describe its {kind}", "Name its class under _target_.")
    target = str(arguments.pop("_target_"))
    for key in ("_disabled_", "_desc_", "_requires_", "_mode_"):
        arguments.pop(key, None)
    place, _, name = target.rpartition(".")
    module = import_module(_PLACES[kind])
    if (place and not f"{place}.".startswith(f"{_PLACES[kind]}.")) or not hasattr(module, name) or name.startswith("_"):
        raise UnsafeInputError("bundle", f"names {target} as its {kind}", f"Only classes of {_PLACES[kind]} are built.")
    made = getattr(module, name)
    if not isinstance(made, type):
        raise UnsafeInputError(
            "bundle", f"names {target}, which is no class", f"Only classes of {_PLACES[kind]} are built."
        )
    if any(isinstance(v, dict) and "_target_" in v for v in arguments.values()):
        raise UnsafeInputError("bundle", f"nests a class in the arguments of {target}", "Flatten the configuration.")
    try:
        return made(**arguments)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            "bundle", f"gives {target} arguments that do not fit ({error})", "Check its version."
        ) from error


def _lookup(config: dict[str, Any], path: str) -> Any:
    found: Any = config
    for part in re.split(r"[#:]+", path):
        if isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        elif isinstance(found, dict) and part in found:
            found = found[part]
        else:
            raise ConfigurationError(
                "bundle", f"refers to {path}, which it does not define", "Repair its configuration."
            )
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise TruncatedError(path, f"is not a JSON object ({error})", "Copy the bundle again.") from error
