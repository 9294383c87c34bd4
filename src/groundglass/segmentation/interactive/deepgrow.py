"""DeepGrow's network as an engine: a picture and two maps of clicks in, logits out.

Sakinis et al. (arXiv 1903.08205), in the form with a window about the clicks, which follows the mask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ModelCitation
from groundglass.segmentation.interactive.engine import View
from groundglass.segmentation.interactive.guidance import guidance_map
from groundglass.segmentation.interactive.window import Window

if TYPE_CHECKING:
    import torch

Float = NDArray[np.float32]
# What the network sees, and how many working pixels that may be.
SEEN = 128
SIDES = (64, 96, 128, 192, 256)
# The window before any mask is known; a mask's extent that it should hold; how often it is set anew.
FIRST_SIDES, ROOM, FURTHER = (128, 192, 256), 1.5, 2
STEP, NOTHING = 8, -30.0


def guided(image: Float, inside: NDArray[np.intp], outside: NDArray[np.intp]) -> Float:
    """(3, H, W): a picture in [0, 1] about zero, the map of clicks (n, 2) inside, the map of those outside."""
    shape = (int(image.shape[0]), int(image.shape[1]))
    return np.stack([image - np.float32(0.5), guidance_map(shape, inside), guidance_map(shape, outside)])


def unfolded(logits: torch.Tensor, side: int) -> torch.Tensor:
    """(B, side, side) of logits (B, n^2, side / n, side / n): each channel is one pixel of a block of n x n."""
    from torch.nn.functional import pixel_shuffle

    return pixel_shuffle(logits, side // logits.shape[-1])[:, 0]


class DeepGrowEngine:
    """A network of `guided` pictures that looks through a window: first about the clicks, then about the mask that it
    found. Every pixel of a stroke is a click; boxes and the answer before play no part, so that the same strokes give
    the same mask."""

    def __init__(self, network: torch.nn.Module, citation: ModelCitation) -> None:
        self.network = network.eval()
        self.citation = citation

    def logits(self, view: View) -> Float:
        """Logits (H, W) of a view, very negative outside of the last window."""
        shape = view.image.shape
        clicks = np.argwhere(view.positive if view.positive.any() else view.negative)
        if not len(clicks):
            return np.full(shape, NOTHING, dtype=np.float32)
        window = Window.holding(clicks, shape, room=ROOM, sides=FIRST_SIDES, step=STEP)
        answer = self._through(window, view)
        for _ in range(FURTHER):
            moved = _following(window, (answer > 0) | view.positive)
            if moved == window:
                break
            window, answer = moved, self._through(moved, view)
        return answer

    def _through(self, window: Window, view: View) -> Float:
        import torch

        clicks = (window.into(np.argwhere(marks), SEEN) for marks in (view.positive, view.negative))
        channels = guided(window.cut(view.image, SEEN), *clicks)
        with torch.inference_mode():
            answer = unfolded(self.network(torch.from_numpy(channels)[None]).float(), SEEN)
        return window.paste(answer[0].numpy(), view.image.shape, outside=NOTHING)


def _following(window: Window, mask: NDArray[np.bool_]) -> Window:
    """The window that suits a mask found in this one: larger where the mask reaches its edge."""
    if not mask.any():
        return window
    reached = window.is_reached(mask)
    sides = [side for side in SIDES if side > window.side or not reached] or SIDES[-1:]
    return Window.holding(np.argwhere(mask), mask.shape, room=ROOM, sides=sides, step=STEP)
