"""Published weights: where the file is, and its tensors in a network; nothing of the file is ever executed."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from groundglass.core import ConfigurationError, InputError

if TYPE_CHECKING:
    import torch

# Under these names trainers keep the parameters beside other things.
_WRAPPERS = ("model_state_dict", "state_dict", "model")


def weight_file(source: str | Path) -> Path:
    """A local file, or FILE in a Hugging Face repository written OWNER/NAME:FILE. Raises ConfigurationError."""
    path = Path(source)
    if path.is_file():
        return path
    repository, colon, name = str(source).partition(":")
    if not colon or repository.count("/") != 1 or not name:
        raise ConfigurationError(source, "is no file of weights", "Give a file, or OWNER/NAME:FILE of the hub.")
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(repository, name))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            source, f"cannot be fetched ({error})", "Download the file and give its path."
        ) from error


def read_weights(source: str | Path) -> dict[str, torch.Tensor]:
    """Parameter name -> tensor on the CPU, out of its wrapper, and without `module.` before every name.

    Raises ConfigurationError when there is no such file, InputError when it is not a table of tensors.
    """
    import torch

    path = weight_file(source)
    try:
        table = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise InputError(path, "does not load as weights alone", "Download it again from its authors.") from error
    for name in _WRAPPERS:
        if isinstance(table, Mapping) and isinstance(table.get(name), Mapping):
            table = table[name]
            break
    if not isinstance(table, Mapping) or not table or not all(isinstance(v, torch.Tensor) for v in table.values()):
        raise InputError(path, "holds no table of tensors", "Give the file that its authors published.")
    parallel = all(str(name).startswith("module.") for name in table)
    return {str(name).removeprefix("module.") if parallel else str(name): value for name, value in table.items()}


def fill(network: torch.nn.Module, weights: Mapping[str, torch.Tensor], *, source: str | Path) -> None:
    """Put weights into a network, every name and shape matching. Raises InputError with the first that does not."""
    own = network.state_dict()
    for name in sorted(own.keys() | weights.keys()):
        if name not in weights:
            raise InputError(source, f"lacks {name}", "Give the weights of this very model.")
        if name not in own:
            raise InputError(source, f"has {name}, which the model has not", "Give the weights of this very model.")
        if own[name].shape != weights[name].shape:
            shapes = f"{tuple(weights[name].shape)}, not {tuple(own[name].shape)}"
            raise InputError(source, f"has {name} of shape {shapes}", "Give the weights of this very model.")
    network.load_state_dict(dict(weights))
