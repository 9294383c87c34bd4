"""Which engine a name, a folder or a file of published weights stands for."""

from __future__ import annotations

from pathlib import Path

from groundglass.core import UnsupportedError
from groundglass.segmentation.interactive.engine import Engine
from groundglass.segmentation.interactive.plane_answer import PlaneEngine
from groundglass.segmentation.interactive.volume_engine import VolumeEngine


def named_engine(model: str | Path) -> Engine | PlaneEngine | VolumeEngine:
    """A built-in model, a model folder, a file of published weights, or OWNER/NAME:FILE of the hub.

    Files are told by their parameters: ScribblePrompt's U-Net, SAM-Med3D, SAM; kinds of SAM by the file's name. Raises
    UnsupportedError for others, and what loading raises.
    """
    if not Path(model).is_file() and ":" not in str(model):
        from groundglass.segmentation.interactive.network import torch_engine

        return torch_engine(model)
    from groundglass.io.weights import read_weights

    weights = read_weights(model)
    patches = weights.get("image_encoder.patch_embed.proj.weight")
    if patches is not None and patches.ndim == 5:
        from groundglass.segmentation.interactive.volume_engine import sam_med3d_engine

        return sam_med3d_engine(model)
    if patches is not None or "vision_encoder.patch_embed.projection.weight" in weights:
        from groundglass.segmentation.interactive.sam import sam_engine

        return sam_engine(model)
    if "downs.0.conv.0.weight" in weights:
        from groundglass.segmentation.interactive.scribbleprompt import scribbleprompt_engine

        return scribbleprompt_engine(model)
    raise UnsupportedError(
        model, "is of no known interactive model", "Give ScribblePrompt's U-Net, SAM-Med3D, SAM or MedSAM."
    )
