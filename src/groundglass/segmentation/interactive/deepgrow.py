"""DeepGrow's network as an engine: a picture and two maps of clicks in, logits out.

Sakinis et al. (arXiv 1903.08205).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ModelCitation
from groundglass.segmentation.interactive.cues import halved
from groundglass.segmentation.interactive.engine import View
from groundglass.segmentation.interactive.guidance import guidance_map

if TYPE_CHECKING:
    import torch

Float = NDArray[np.float32]


def guided(image: Float, inside: NDArray[np.intp], outside: NDArray[np.intp]) -> Float:
    """(3, H, W): a picture in [0, 1] about zero, the map of clicks (n, 2) inside, the map of those outside."""
    shape = (int(image.shape[0]), int(image.shape[1]))
    return np.stack([image - np.float32(0.5), guidance_map(shape, inside), guidance_map(shape, outside)])


class DeepGrowEngine:
    """A network of `guided` pictures on half the working grid, whose logits may be coarser still. Every pixel of a
    stroke is a click; boxes and the answer before play no part."""

    def __init__(self, network: torch.nn.Module, citation: ModelCitation) -> None:
        self.network = network.eval()
        self.citation = citation

    def logits(self, view: View) -> Float:
        """Logits (H, W) of a view."""
        import torch
        from torch.nn.functional import interpolate

        clicks = (np.argwhere(marks) // 2 for marks in (view.positive, view.negative))
        channels = guided(halved(view.image[None])[0], *clicks)
        with torch.inference_mode():
            answer = self.network(torch.from_numpy(channels)[None])
            full = interpolate(answer, view.image.shape, mode="bilinear", align_corners=False)
        return np.asarray(full[0, 0].numpy(), dtype=np.float32)
