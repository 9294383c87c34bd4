"""A local MONAI bundle folder (configs/inference.json, models/model.pt) as an engine; nothing of it is executed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from groundglass.core import ConfigurationError, GeometryError, Image, Mask
from groundglass.models.engines.bundle_config import build, plain, read_bundle
from groundglass.models.engines.exchange import named_masks, term_name, write_volume

# Transforms that only move data to a device or give it a type.
_SKIPPED = ("ToDeviced", "CastToTyped")


def segment_with_bundle(folder: Path, image: Image, progress: Callable[[str], None]) -> dict[str, Mask]:
    """Masks of the output channels that are terms of the ontology, on the image's grid.

    The bundle's preprocessing is applied and undone (MONAI's Invertd); labels are the argmax of the channels, or
    each channel above 0.5 where its postprocessing has a sigmoid. Raises ConfigurationError, UnsafeInputError,
    TruncatedError, GeometryError.
    """
    import torch

    config, metadata = read_bundle(folder)
    names = channel_names(metadata, folder)
    network = _network(folder, config)
    inferer = build(config, _required(config, "inferer"), "inferer")
    progress(f"running the bundle {folder.name}")
    with tempfile.TemporaryDirectory(prefix="groundglass-") as work:
        source = Path(work) / "image.nii.gz"
        write_volume(image, source)
        transforms = _preprocessing(config)
        data = transforms({"image": str(source)})
        with torch.inference_mode():
            scores = inferer(data["image"][None].float(), network)[0]
        probabilities = _undone(scores, data, transforms)
    if tuple(probabilities.shape[1:]) != image.shape:
        raise GeometryError(
            folder, f"answered on the grid {tuple(probabilities.shape[1:])}", "Check its preprocessing."
        )
    if _is_sigmoid(config):
        chosen = torch.sigmoid(probabilities) > 0.5
        masks = {name: Mask.of(chosen[channel].numpy(), image.affine) for channel, name in names.items()}
        return {name: mask for name, mask in masks.items() if not mask.is_empty}
    labels = probabilities.argmax(0).numpy().astype(np.int32)
    return named_masks(labels, names, image)


def channel_names(metadata: dict[str, Any], folder: Path) -> dict[int, str]:
    """Output channel -> ontology name, by the bundle's metadata. Raises ConfigurationError when none is known."""
    outputs = metadata.get("network_data_format", {}).get("outputs", {}).get("pred", {})
    found = {int(k): term_name(str(v)) for k, v in outputs.get("channel_def", {}).items()}
    names = {channel: name for channel, name in found.items() if name is not None}
    if not names:
        raise ConfigurationError(
            folder, "names no output channel by a term of the ontology", "Name them in metadata.json under channel_def."
        )
    return names


def _network(folder: Path, config: dict[str, Any]) -> Any:
    import pickle

    import torch

    network = build(config, _required(config, "network_def"), "network")
    path = folder / "models" / "model.pt"
    if not path.is_file():
        raise ConfigurationError(folder, "has no models/model.pt", "Download the bundle's weights into it.")
    try:
        # Tensors only: a pickle that would run code is refused by torch.
        state = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(state.get("model", state.get("state_dict", state)))
    except (RuntimeError, AttributeError, EOFError, pickle.UnpicklingError) as error:
        first = str(error).splitlines()[0]
        raise ConfigurationError(
            path, f"does not hold the weights of its network ({first})", "Check its version."
        ) from error
    return network.eval()


def _preprocessing(config: dict[str, Any]) -> Any:
    from monai.transforms import Compose

    entry = _required(config, "preprocessing")
    listed = entry.get("transforms") if isinstance(entry, dict) else entry
    if isinstance(listed, str):
        listed = plain(config, listed)
    kept = [t for t in listed or [] if not (isinstance(t, dict) and t.get("_target_") in _SKIPPED)]
    if not kept:
        raise ConfigurationError("bundle", "has no preprocessing", "It must load the image at least.")
    return Compose([build(config, transform, "transform") for transform in kept])


def _undone(scores: Any, data: Any, transforms: Any) -> Any:
    """Scores (channels, ...) back on the image's grid."""
    from monai.transforms import Invertd

    undo = Invertd(keys="pred", transform=transforms, orig_keys="image", nearest_interp=False, to_tensor=True)
    return undo({"image": data["image"], "pred": scores})["pred"].as_tensor().float()


def _is_sigmoid(config: dict[str, Any]) -> bool:
    entry = config.get("postprocessing", {})
    listed = entry.get("transforms", []) if isinstance(entry, dict) else []
    return any(isinstance(t, dict) and t.get("_target_") == "Activationsd" and t.get("sigmoid") is True for t in listed)


def _required(config: dict[str, Any], key: str) -> Any:
    if key not in config:
        raise ConfigurationError("bundle", f"has no {key} in its inference.json", "Use a bundle for segmentation.")
    return config[key]
