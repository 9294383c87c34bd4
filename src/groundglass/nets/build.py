"""Networks by name, so that a config file beside the weights says which network they belong to."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from groundglass.core.errors import ConfigurationError

if TYPE_CHECKING:
    import torch

# MONAI is imported by submodule, and only when such a network is asked for.
NETWORKS = {
    "BasicUNet": "monai.networks.nets.basic_unet:BasicUNet",
    "DynUNet": "monai.networks.nets.dynunet:DynUNet",
    "OddNet": "groundglass.nets.odd_net:OddNet",
    "PlanarUNet": "groundglass.nets.planar_unet:PlanarUNet",
    "PriorUNet": "groundglass.nets.prior_unet:PriorUNet",
    "ResNet": "monai.networks.nets.resnet:ResNet",
    "ScribbleUNet": "groundglass.nets.scribble_unet:ScribbleUNet",
    "SegResNet": "monai.networks.nets.segresnet:SegResNet",
    "StrokeUNet": "groundglass.nets.stroke_unet:StrokeUNet",
    "UNet": "monai.networks.nets.unet:UNet",
}


def build_network(name: str, **arguments: Any) -> torch.nn.Module:
    """The network of this name with fresh weights. Raises ConfigurationError for an unknown name or argument."""
    if name not in NETWORKS:
        raise ConfigurationError(name, "is not a network that is known here", f"Known: {', '.join(sorted(NETWORKS))}.")
    module, attribute = NETWORKS[name].split(":")
    try:
        network: torch.nn.Module = getattr(import_module(module), attribute)(**arguments)
    except TypeError as error:
        raise ConfigurationError(name, f"does not take these arguments ({error})", "Correct the config.") from error
    return network
