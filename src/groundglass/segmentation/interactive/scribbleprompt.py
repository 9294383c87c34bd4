"""ScribblePrompt's own network with its published weights, as an engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from groundglass.core import InputError, ModelCitation
from groundglass.io.weights import fill, read_weights
from groundglass.segmentation.interactive.engine import View

if TYPE_CHECKING:
    import torch

    from groundglass.nets.scribble_unet import ScribbleUNet

Float = NDArray[np.float32]
BoxCompat = Literal["correct", "released"]
SIDE = 128


class ScribblePromptEngine:
    """A ScribbleUNet on 128 x 128 pixels, in bfloat16 where the processor computes in it: that takes half of the time.

    `compat` "released" draws each box from the picture's first pixel on, as the published training did by mistake;
    "correct" draws it as the person did.
    """

    def __init__(self, network: ScribbleUNet, citation: ModelCitation, *, compat: BoxCompat = "correct") -> None:
        import torch

        self.network = network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.citation = citation
        self._compat: BoxCompat = compat

    def logits(self, view: View) -> Float:
        """Logits (H, W) of a view."""
        from torch.nn.functional import interpolate

        answer = self.answer(channels(view, compat=self._compat))
        full = interpolate(answer, size=view.image.shape, mode="bilinear", align_corners=False)
        return np.asarray(full[0, 0].numpy(), dtype=np.float32)

    def answer(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits (B, 1, 128, 128) float32 of the network's inputs (B, 5, 128, 128)."""
        import torch

        from groundglass.segmentation.sliding import fast_inference

        with fast_inference():
            return self.network(inputs.contiguous(memory_format=torch.channels_last)).float()


def channels(view: View, *, compat: BoxCompat = "correct") -> torch.Tensor:
    """(1, 5, 128, 128): image, box, positive, negative, logits before. Pixels of a stroke go where their place,
    scaled and cut to whole numbers, falls, as the published clicks do; so do the corners of the box."""
    import torch
    from torch.nn.functional import interpolate

    smooth = torch.from_numpy(np.stack([view.image, view.previous]))[None].float()
    image, before = interpolate(smooth, size=(SIDE, SIDE), mode="bilinear", align_corners=False)[0]
    scale = np.array([SIDE, SIDE]) / view.image.shape
    marks = torch.zeros(2, SIDE, SIDE)
    for k, strokes in enumerate((view.positive, view.negative)):
        rows, columns = (np.argwhere(strokes) * scale).astype(np.int64).T
        marks[k, rows, columns] = 1
    box = torch.zeros(SIDE, SIDE)
    filled = np.argwhere(view.box > 0.5)
    if len(filled):
        top, left = (filled.min(axis=0) * scale).astype(int) * (compat == "correct")
        bottom, right = ((filled.max(axis=0) + 1) * scale).astype(int)
        box[top:bottom, left:right] = 1
    return torch.stack([image, box, marks[0], marks[1], before])[None]


def scribbleprompt_engine(source: str | Path, *, compat: BoxCompat = "correct") -> ScribblePromptEngine:
    """The published network, `ScribblePrompt_unet_v1_nf192_res128.pt`, of whatever width the file has.

    Raises ConfigurationError and InputError.
    """
    from groundglass.nets.scribble_unet import ScribbleUNet, published_names

    weights, names = read_weights(source), published_names()
    strange = sorted(weights.keys() ^ names.keys())
    if strange:
        raise InputError(source, f"has other parameters ({strange[0]})", "Give ScribblePrompt_unet_v1_nf192_res128.pt.")
    network = ScribbleUNet(width=len(weights["bottleneck.conv.0.bias"]))
    fill(network, {names[name]: value for name, value in weights.items()}, source=source)
    return ScribblePromptEngine(network, ModelCitation("ScribblePrompt-UNet", Path(str(source)).name), compat=compat)
