"""Built-in models and local model folders: weights, config and card side by side.

A model is a folder with `weights.safetensors`, `config.json` and `card.md`. The built-in ones lie in the
package and need no network; a folder of one's own is loaded by its path in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundglass.core import ConfigurationError, ModelCitation

if TYPE_CHECKING:
    import torch

BUILTIN = Path(str(resources.files("groundglass.models"))) / "builtin"


@dataclass(frozen=True)
class Model:
    """A network in evaluation mode with what is needed to use it and to say where it comes from."""

    network: torch.nn.Module
    config: Mapping[str, Any]
    citation: ModelCitation


def builtin_models() -> tuple[str, ...]:
    """Names of the models that ship with the package."""
    return tuple(sorted(folder.parent.name for folder in BUILTIN.glob("*/config.json")))


def model_folder(name: str | Path) -> Path:
    """The folder of a built-in name or a path. Raises ConfigurationError when there is none."""
    for folder in (BUILTIN / str(name), Path(name)):
        if (folder / "config.json").is_file():
            return folder
    known = ", ".join(builtin_models()) or "none"
    raise ConfigurationError(name, "is neither a built-in model nor a model folder", f"Built in: {known}.")


def model_card(name: str | Path) -> str:
    """The text of the model's card."""
    return (model_folder(name) / "card.md").read_text(encoding="utf-8")


def model_config(name: str | Path) -> dict[str, Any]:
    """What the model says of itself; no weights are loaded. Raises ConfigurationError when there is no such model."""
    config: dict[str, Any] = json.loads((model_folder(name) / "config.json").read_text(encoding="utf-8"))
    return config


def load_model(name: str | Path) -> Model:
    """The model of a built-in name or a folder, on the CPU, in float32; loaded once per process."""
    return _load(model_folder(name))


@lru_cache(maxsize=8)
def _load(folder: Path) -> Model:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from groundglass.nets.build import build_network

    config = model_config(folder)
    architecture = dict(config["architecture"])
    network = build_network(architecture.pop("net"), **architecture)
    try:
        network.load_state_dict(
            {key: _single(value) for key, value in load_file(folder / "weights.safetensors").items()}
        )
    except (SafetensorError, RuntimeError, OSError) as error:
        raise ConfigurationError(
            folder, f"its weights do not load ({error})", "Install again or train it again."
        ) from error
    network.requires_grad_(False).eval()
    citation = ModelCitation(config["name"], config["version"], config.get("measured_on", ""))
    return Model(network, config, citation)


def _single(value: torch.Tensor) -> torch.Tensor:
    # Weights are stored in half precision; the network computes in single.
    return value.float() if value.is_floating_point() else value


def save_model(folder: Path, network: torch.nn.Module, config: Mapping[str, Any]) -> None:
    """Write weights (half precision) and config into `folder`; the card is written by hand.

    `config` needs `name`, `version` and `architecture` ({"net": a name of nets.build, **arguments}).
    Raises ConfigurationError when one is missing.
    """
    import torch
    from safetensors.torch import save_file

    from groundglass.io.atomic import atomic_path, write_json_atomic

    missing = [key for key in ("name", "version", "architecture") if key not in config]
    if missing:
        raise ConfigurationError(folder, f"the config lacks {', '.join(missing)}", "Add it.")
    folder.mkdir(parents=True, exist_ok=True)
    halves = {
        key: (value.to(torch.float16) if value.is_floating_point() else value).contiguous()
        for key, value in network.state_dict().items()
    }
    with atomic_path(folder / "weights.safetensors") as temporary:
        save_file(halves, temporary)
    write_json_atomic(folder / "config.json", config)
