"""The pictures of an exam: the radiograph, and the radiograph with one region tinted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from groundglass.measurement.radiographic.exam_items import regions
from groundglass.measurement.radiographic.masks import BoolArray, RadiographMasks
from groundglass.metrics.reasoning_exam import Item

_TINT = np.array([255, 64, 64], dtype=np.float64)
_STRENGTH = 0.45


def shown_regions(masks: RadiographMasks) -> tuple[str, ...]:
    """The regions of which every mask is there."""
    return tuple(name for name, parts in regions().items() if all(masks.has(part) for part in parts))


def write_pictures(
    items: Iterable[Item], image: NDArray[np.floating], masks: RadiographMasks, folder: Path
) -> list[Path]:
    """Write every picture that the items of one case refer to; `image` is (H, W) in [0, 1]. Returns the paths."""
    written = []
    for name in sorted({path for item in items for path in item.img_path}):
        region = Path(name).stem.replace("-", " ")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        Picture.fromarray(_picture(image, None if region == "radiograph" else _union(masks, region))).save(target)
        written.append(target)
    return written


def _union(masks: RadiographMasks, region: str) -> BoolArray:
    return np.logical_or.reduce([masks.masks[name] for name in regions()[region]])


def _picture(image: NDArray[np.floating], region: BoolArray | None) -> NDArray[np.uint8]:
    grey = np.repeat((np.clip(image, 0, 1) * 255)[..., None], 3, axis=2)
    if region is not None:
        grey[region] = (1 - _STRENGTH) * grey[region] + _STRENGTH * _TINT
    return grey.round().astype(np.uint8)
