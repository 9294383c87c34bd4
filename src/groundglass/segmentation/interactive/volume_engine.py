"""SAM in 3D as an engine: clicks in a volume, one cube about them at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError, Image, ModelCitation
from groundglass.io.weights import fill, read_weights
from groundglass.segmentation.volume_crop import VolumeCrop

if TYPE_CHECKING:
    import torch

    from groundglass.nets.volume_sam.model import VolumeSam
    from groundglass.nets.volume_sam.prompt_encoder import Compat

Float = NDArray[np.float32]
Click = tuple[tuple[int, int, int], bool]
# What the published recipe uses: mm of a voxel, and the range that CT is cut to.
SPACING = 1.5
CT_RANGE = (-1000.0, 1000.0)
# A structure that leaves its cube is followed by so many further cubes.
FOLLOWED = 6
NOTHING = -30.0


@runtime_checkable
class VolumeEngine(Protocol):
    """Logits on the grid of a volume from clicks (voxel, inside) in the order in which they were set."""

    citation: ModelCitation

    def volume_logits(self, image: Image, clicks: Sequence[Click]) -> Float: ...


class VolumeSamEngine:
    """A VolumeSam about the first click inside; where the mask reaches the cube's border a further cube is set there.

    Every click is answered in turn with the logits before it, so that the answer depends on the clicks alone.
    """

    def __init__(self, network: VolumeSam, citation: ModelCitation, *, spacing: float = SPACING) -> None:
        self.network = network.eval()
        self.citation = citation
        self._spacing = spacing
        self._image: Image | None = None
        self._encoded: dict[tuple[int, ...], tuple[VolumeCrop, torch.Tensor]] = {}

    def volume_logits(self, image: Image, clicks: Sequence[Click]) -> Float:
        """(*shape) logits, very negative outside of the cubes. Raises ConfigurationError without a click inside."""
        inside = [voxel for voxel, positive in clicks if positive]
        if not inside:
            raise ConfigurationError("clicks", "are all outside of the structure", "Click inside of it first.")
        total = np.full(image.shape, NOTHING, dtype=np.float32)
        seen: list[NDArray[np.float64]] = []
        waiting = [np.asarray(inside[0], dtype=np.float64)]
        while waiting and len(seen) <= FOLLOWED:
            centre = waiting.pop(0)
            crop, logits = self._answered(image, centre, clicks)
            seen.append(centre)
            pasted = crop.paste(logits, outside=NOTHING)
            total = np.maximum(total, pasted)
            waiting += [c for c in self._beyond(crop, logits) if self._is_new(c, [*seen, *waiting], image)]
        return total

    def _answered(self, image: Image, centre: NDArray[np.float64], clicks: Sequence[Click]) -> tuple[VolumeCrop, Float]:
        """The cube about a voxel, and its low-resolution logits after the clicks that lie in it."""
        import torch

        crop, features = self._features(image, centre)
        places = crop.into(np.array([voxel for voxel, _ in clicks]))
        held = np.all((places > -0.5) & (places < crop.side - 0.5), axis=1).tolist()
        points = [(place, positive) for place, (_, positive), ok in zip(places, clicks, held, strict=True) if ok]
        if not any(positive for _, positive in points):
            # A cube to which the mask was followed: what continues there is inside.
            points.insert(0, (np.full(3, crop.side // 2, dtype=np.float64), True))
        at = torch.tensor(np.array([place for place, _ in points]), dtype=torch.float32)[None]
        labels = torch.tensor([[int(positive) for _, positive in points]])
        # The recipe starts from a mask of zeros; its vector for "no mask" is never trained.
        cells = features.shape[-1] * 4
        previous = torch.zeros(1, 1, cells, cells, cells)
        with torch.inference_mode():
            for count in range(1, len(points) + 1):
                previous = self.network.answer(features, at[:, :count], labels[:, :count], previous)
        return crop, previous[0, 0].numpy()

    def _features(self, image: Image, centre: NDArray[np.float64]) -> tuple[VolumeCrop, torch.Tensor]:
        """A cube and what the encoder says of it, kept while the image is the same."""
        import torch

        if self._image is not image:
            self._image, self._encoded = image, {}
        key = tuple(round(float(v)) for v in centre)
        if key not in self._encoded:
            crop = VolumeCrop.about(
                np.array(key, dtype=np.float64), shape=image.shape, affine=image.affine, side=self.network.side,
                spacing=self._spacing,
            )  # fmt: skip
            cube = prepared(crop.cut(image.array[0].astype(np.float32)), ct=image.modality == "CT")
            with torch.inference_mode():
                self._encoded[key] = crop, self.network.image_encoder(torch.from_numpy(cube)[None, None])
        return self._encoded[key]

    def _beyond(self, crop: VolumeCrop, logits: Float) -> list[NDArray[np.float64]]:
        """Voxels of the volume at the middle of what the mask has on each face of the cube."""
        way = np.linalg.inv(crop.source) @ crop.affine
        scale = crop.side / len(logits)
        centres = []
        for axis in range(3):
            for face in (0, len(logits) - 1):
                cells = np.argwhere(np.take(logits, face, axis=axis) > 0)
                if len(cells):
                    cell = np.insert(cells.mean(axis=0), axis, face)
                    place = (cell + 0.5) * scale - 0.5
                    centres.append(way[:3, :3] @ place + way[:3, 3])
        return centres

    def _is_new(self, centre: NDArray[np.float64], others: Sequence[NDArray[np.float64]], image: Image) -> bool:
        """Whether a cube there is within the volume and at least a quarter of a side from the others."""
        inside = bool(((centre >= 0) & (centre <= np.array(image.shape) - 1)).all())
        reach = self.network.side * self._spacing / 4
        spacing = np.array(image.spacing)
        return inside and all(np.linalg.norm((centre - other) * spacing) >= reach for other in others)


def prepared(cube: Float, *, ct: bool) -> Float:
    """A cube as the published weights want it: CT cut to its range, then mean and deviation (n - 1) of the voxels above
    0 made 0 and 1. A cube without such voxels is only cut."""
    values = np.clip(cube, *CT_RANGE) if ct else cube
    bright = values[values > 0].astype(np.float64)
    if len(bright) < 2 or not bright.std():
        return np.asarray(values, dtype=np.float32)
    return np.asarray((values - bright.mean()) / bright.std(ddof=1), dtype=np.float32)


def sam_med3d_engine(source: str | Path, *, compat: Compat = "released") -> VolumeSamEngine:
    """SAM-Med3D with published weights, `sam_med3d_turbo.pth` or `blueyo0/SAM-Med3D:sam_med3d_turbo.pth` of the hub.

    They were trained with the released positions; `compat` "correct" is for weights that were not. Raises
    ConfigurationError and InputError.
    """
    from groundglass.nets.volume_sam.model import VolumeSam

    network = VolumeSam(compat=compat)
    fill(network, read_weights(source), source=source)
    return VolumeSamEngine(network, ModelCitation("SAM-Med3D", Path(str(source)).name))
