"""SAM in 2D with published weights as an engine: SAM itself, MedSAM, ScribblePrompt-SAM.

All three have the same layers. They differ in how a slice becomes the network's square, in the prompts that they were
trained with, and in which of the decoder's masks is the answer.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError, InputError, ModelCitation, UnsupportedError
from groundglass.io.weights import fill, read_weights
from groundglass.segmentation.interactive.answer import Strokes

if TYPE_CHECKING:
    import torch
    from transformers import SamModel

Float = NDArray[np.float32]
Recipe = Literal["sam", "medsam", "scribbleprompt"]
NAMES: dict[Recipe, str] = {"sam": "SAM", "medsam": "MedSAM", "scribbleprompt": "ScribblePrompt-SAM"}
# Mean and deviation of the pictures that SAM was trained on, red, green and blue, 0 to 255.
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
# So many slices stay encoded: 4 MB each, and seconds to make.
KEPT = 8


class SamEngine:
    """A SamModel on slices at their own size; `recipe` says how it was trained. The answer before is not fed back."""

    def __init__(self, network: SamModel, citation: ModelCitation, *, recipe: Recipe) -> None:
        self.network = network.eval()
        self.citation = citation
        self.recipe = recipe
        self._encoded: OrderedDict[bytes, torch.Tensor] = OrderedDict()

    @property
    def side(self) -> int:
        """Pixels of the square that the network sees."""
        return int(self.network.config.vision_config.image_size)

    def plane_logits(self, plane: Float, strokes: Strokes) -> Float:
        """Logits (rows, columns) of a slice in [0, 1]. Raises UnsupportedError for prompts that the model does not
        know."""
        import torch

        prompts = self._prompts(strokes, plane.shape)
        with torch.inference_mode():
            answer = self.network(
                image_embeddings=self._features(plane), multimask_output=self._is_open(prompts), **prompts
            )
        best = int(answer.iou_scores[0, 0].argmax())
        return self._on_slice(answer.pred_masks[:, 0, best : best + 1], plane.shape)

    def _prompts(self, strokes: Strokes, shape: tuple[int, ...]) -> dict[str, torch.Tensor]:
        """Clicks (1, 1, n, 2) as x, y on the network's square, their labels, and the box (1, 1, 4) from the middle of
        its first pixel to that of its last; without what was not drawn."""
        import torch

        if self.recipe == "medsam" and (len(strokes.positive) or len(strokes.negative) or strokes.box is None):
            raise UnsupportedError("clicks and strokes", "are not understood by MedSAM", "Draw a box.")
        scale = np.array(self._seen(shape), dtype=np.float64) / np.array(shape, dtype=np.float64)
        drawn = [strokes.positive, strokes.negative]
        inside, outside = drawn if self.recipe == "scribbleprompt" else [middles(pixels) for pixels in drawn]
        prompts: dict[str, torch.Tensor] = {}
        if len(inside) + len(outside):
            at = (np.concatenate([inside, outside]) * scale)[:, ::-1].astype(np.float32)
            prompts["input_points"] = torch.from_numpy(at.copy())[None, None]
            prompts["input_labels"] = torch.tensor([[[1] * len(inside) + [0] * len(outside)]])
        if strokes.box is not None:
            top, left, bottom, right = strokes.box
            corners = (np.array([[top, left], [bottom - 1, right - 1]]) * scale)[:, ::-1].astype(np.float32)
            prompts["input_boxes"] = torch.from_numpy(corners.reshape(1, 1, 4))
        return prompts

    def _is_open(self, prompts: dict[str, torch.Tensor]) -> bool:
        """Whether the best of three masks is asked for: where one click leaves open what is meant, and always from
        weights that were trained so."""
        single = "input_boxes" not in prompts and prompts["input_labels"].numel() == 1
        return self.recipe == "scribbleprompt" or (self.recipe == "sam" and single)

    def _seen(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Rows and columns of the square that the slice takes up: SAM keeps its aspect, the others do not."""
        if self.recipe != "sam":
            return self.side, self.side
        rows, columns = (int(n * self.side / max(shape) + 0.5) for n in shape)
        return rows, columns

    def _features(self, plane: Float) -> torch.Tensor:
        import torch

        key = hashlib.blake2b(np.ascontiguousarray(plane).tobytes(), digest_size=16).digest()
        if key not in self._encoded:
            square = squared(plane, self._seen(plane.shape), self.side, self.recipe)
            with torch.inference_mode():
                self._encoded[key] = self.network.get_image_embeddings(torch.from_numpy(square)[None])
            if len(self._encoded) > KEPT:
                self._encoded.popitem(last=False)
        self._encoded.move_to_end(key)
        return self._encoded[key]

    def _on_slice(self, coarse: torch.Tensor, shape: tuple[int, ...]) -> Float:
        """The decoder's logits (1, 1, side / 4, side / 4), bilinearly on the slice."""
        from torch.nn.functional import interpolate

        if self.recipe == "medsam":
            # Probabilities are enlarged, not logits.
            share = interpolate(coarse.sigmoid(), tuple(shape), mode="bilinear", align_corners=False)
            return np.asarray(share.logit(eps=1e-7)[0, 0].numpy(), dtype=np.float32)
        rows, columns = self._seen(shape)
        square = interpolate(coarse, (self.side, self.side), mode="bilinear", align_corners=False)
        full = interpolate(square[..., :rows, :columns], tuple(shape), mode="bilinear", align_corners=False)
        return np.asarray(full[0, 0].numpy(), dtype=np.float32)


def squared(plane: Float, seen: tuple[int, int], side: int, recipe: Recipe) -> Float:
    """(3, side, side): a slice in [0, 1] as the published code prepares it.

    SAM: 8 bits, bilinear with averaging, less its mean over its deviation, zeros at the end. MedSAM: 8 bits, cubic,
    stretched to [0, 1]. ScribblePrompt-SAM: bilinear without averaging, then as SAM.
    """
    import PIL.Image
    import torch
    from torch.nn.functional import interpolate

    grey = np.rint(255 * np.clip(plane, 0, 1)).astype(np.uint8)
    if recipe == "medsam":
        from skimage.transform import resize

        large = resize(grey, seen, order=3, preserve_range=True, anti_aliasing=True).astype(np.uint8).astype(np.float32)
        return np.repeat(((large - large.min()) / max(float(large.max() - large.min()), 1e-8))[None], 3, axis=0)
    if recipe == "sam":
        large = np.asarray(PIL.Image.fromarray(grey).resize(seen[::-1], PIL.Image.Resampling.BILINEAR), np.float32)
    else:
        smooth = torch.from_numpy(np.asarray(plane, dtype=np.float32))[None, None]
        large = 255 * interpolate(smooth, size=seen, mode="bilinear", align_corners=False)[0, 0].numpy()
    colours = (large[None] - np.array(MEAN)[:, None, None]) / np.array(DEVIATION)[:, None, None]
    gaps = [(0, 0), *((0, side - n) for n in seen)]
    return np.pad(colours, gaps).astype(np.float32)


def middles(pixels: NDArray[np.intp]) -> NDArray[np.intp]:
    """Of each connected stroke among pixels (n, 2), the pixel nearest to its middle: what stands for it as a click."""
    from scipy.ndimage import label

    if not len(pixels):
        return pixels
    marked = np.zeros(pixels.max(axis=0) + 1, dtype=bool)
    marked[pixels[:, 0], pixels[:, 1]] = True
    parts, count = label(marked, np.ones((3, 3)))
    chosen = []
    for part in range(1, count + 1):
        own = np.argwhere(parts == part)
        chosen.append(own[((own - own.mean(axis=0)) ** 2).sum(axis=1).argmin()])
    return np.array(chosen, dtype=np.intp)


def sam_engine(source: str | Path, *, recipe: Recipe | None = None) -> SamEngine:
    """SAM, MedSAM or ScribblePrompt-SAM with published weights of any size, under the names of their authors
    (`sam_vit_b_01ec64.pth`, `medsam_vit_b.pth`, `ScribblePrompt_sam_v1_vit_b_res128.pt`) or of transformers.

    The files look alike inside: without `recipe`, the name of the file says which it is. Raises ConfigurationError and
    InputError.
    """
    from groundglass.nets.planar_sam import planar_sam, renamed

    name = Path(str(source)).name
    named: list[Recipe] = [known for known in ("medsam", "scribbleprompt") if known in name.lower()]
    chosen = recipe or [*named, "sam"][0]
    if chosen not in NAMES:
        raise ConfigurationError(f"recipe {chosen}", "is not known", f"Use one of {', '.join(NAMES)}.")
    weights = renamed(read_weights(source))
    try:
        network = planar_sam(weights)
    except KeyError as error:
        raise InputError(source, f"lacks {error.args[0]}", "Give the weights of this very model.") from error
    fill(network, weights, source=source)
    return SamEngine(network, ModelCitation(NAMES[chosen], name), recipe=chosen)
