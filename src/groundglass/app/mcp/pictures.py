"""Slices as small PNG pictures for a model to look at, with coloured masks on them and a legend in words."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from scipy import ndimage

from groundglass.core import ConfigurationError, Finding, Image, Mask
from groundglass.report.pictures import drawn_channels, finding_colours, window
from groundglass.report.planes import PLANES, Plane, flat_plane, volume_plane, world_axes

# What a model sees well; the longer side of a picture in pixels.
LONGEST = 512
THUMBNAIL = 224
_OPACITY = 0.35


@dataclass(frozen=True)
class Layer:
    """A mask to draw, in a colour (#rrggbb), with the words of its legend."""

    mask: Mask
    colour: str
    label: str


def planes_of(image: Image) -> dict[str, int]:
    """The planes that an image can be looked at in, with their number of slices."""
    if not image.is_volume:
        return {"picture": image.shape[image.time_axis] if image.time_axis is not None else 1}
    axes = world_axes(image.affine)
    return {name: image.shape[axes[across]] for name, (across, _, _) in PLANES.items()}


def plane_of(image: Image, plane: str | None, index: int | None, *, longest: int = LONGEST) -> Plane:
    """A plane by its name and slice; by default the one that was acquired, in its middle.

    Raises ConfigurationError naming the planes and the slices that there are.
    """
    counts = planes_of(image)
    name = plane or (_acquired(image) if image.is_volume else "picture")
    if name not in counts:
        raise ConfigurationError(f"plane {name}", "is not there", f"{image.name} has {', '.join(counts)}.")
    if index is not None and not 0 <= index < counts[name]:
        raise ConfigurationError(f"slice {index}", "is not there", f"{name} slices are 0 to {counts[name] - 1}.")
    if not image.is_volume:
        return flat_plane(image, longest=longest)
    return volume_plane(image, name, counts[name] // 2 if index is None else index, longest=longest)


def _acquired(image: Image) -> str:
    """The plane of the slices as they were taken: that across the coarsest axis; of equal ones the axial."""
    order = np.argsort(image.spacing)
    axes = world_axes(image.affine)
    if image.spacing[order[2]] < 1.5 * image.spacing[order[1]]:
        return "axial"
    return next(name for name, (across, _, _) in PLANES.items() if axes[across] == order[2])


def through(image: Image, mask: Mask, *, longest: int = LONGEST) -> Plane:
    """The slice that shows most of a mask, in the acquired plane."""
    plane = plane_of(image, None, None, longest=longest)
    if plane.axis is None or mask.is_empty or not image.is_volume:
        return plane
    others = tuple(a for a in range(mask.crop.ndim) if a != plane.axis)
    index = int(mask.crop.sum(axis=others).argmax()) + mask.offset[plane.axis]
    return plane_of(image, plane.name, index, longest=longest)


def draw(
    image: Image, plane: Plane, layers: Sequence[Layer] = (), *, limits: tuple[float, float] | None = None
) -> tuple[bytes, list[Layer]]:
    """The PNG of a slice and the layers that can be seen on it. `limits` are the values shown black and white."""
    shown = drawn_channels(image, plane, limits or window(image))
    colour = np.stack(shown if len(shown) == 3 else shown * 3, axis=-1)
    picture = Picture.fromarray(colour).resize(plane.size, Picture.Resampling.BILINEAR)
    canvas = np.asarray(picture, dtype=np.float32).copy()
    visible = []
    for layer in layers:
        if len(layer.mask.shape) != len(plane.shape):
            continue
        flat = plane.cut_mask(layer.mask)
        if flat.any():
            _paint(canvas, flat, plane.size, layer.colour)
            visible.append(layer)
    drawn = Picture.fromarray(canvas.round().astype(np.uint8))
    buffer = io.BytesIO()
    # A grey picture without masks needs a third of the bytes.
    (drawn if visible or len(shown) == 3 else drawn.convert("L")).save(buffer, "PNG", optimize=True)
    return buffer.getvalue(), visible


def _paint(canvas: NDArray[np.float32], flat: NDArray[np.bool_], size: tuple[int, int], colour: str) -> None:
    """Tint the mask and draw its border, one pixel wide, in full colour."""
    inside = np.asarray(Picture.fromarray(flat).resize(size, Picture.Resampling.NEAREST))
    tone = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], dtype=np.float32)
    canvas[inside] = canvas[inside] * (1 - _OPACITY) + tone * _OPACITY
    canvas[inside & ~ndimage.binary_erosion(inside)] = tone


def layers_of(findings: Sequence[Finding], image: Image) -> list[Layer]:
    """A layer for each finding that is drawn on an image; one colour for one thing, lesions red."""
    seen = [
        (finding, mask)
        for finding in findings
        if (mask := finding.where.mask) is not None
        and not mask.is_empty
        and finding.where.image in (None, image.name)
        and mask.shape == image.shape
    ]
    colours = finding_colours([finding for finding, _mask in seen])
    return [
        Layer(mask, colours[finding.id], f"{finding.where.side or ''} {finding.what.name}".strip())
        for finding, mask in seen
    ]
