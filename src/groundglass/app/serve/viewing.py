"""Images and masks as the viewer loads them: NIfTI files that show a flat picture upright, and small PNGs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Image, Mask
from groundglass.io.atomic import atomic_path
from groundglass.report.pictures import grey_levels, window
from groundglass.report.planes import Plane, flat_plane, volume_plane, world_axes

_THUMBNAIL = 256


def is_flat(image: Image) -> bool:
    """True for a picture, and for a film of pictures."""
    return len(image.shape) - (image.time_axis is not None) == 2


def viewer_affine(image: Image) -> NDArray[np.float64]:
    """The image's affine; for a flat picture one that shows columns to the right and rows downwards.

    A viewer of volumes draws +x to the right and +y upwards. Whatever a projection's own axes mean, it is looked at as
    it is stored.
    """
    if not is_flat(image):
        return image.affine
    rows, columns = (s for axis, s in enumerate(image.spacing) if axis != image.time_axis)
    affine = np.zeros((4, 4))
    affine[0, 1], affine[1, 0], affine[2, 2], affine[3, 3] = columns, -rows, 1.0, 1.0
    return affine


def slice_axis(image: Image) -> int | None:
    """The array axis that slices are stacked along: the one with the largest spacing, else that of head to foot.

    Of a film the axis of its frames; None for a picture, and for volumes over time.
    """
    if not image.is_volume:
        return image.time_axis if is_flat(image) else None
    order = np.argsort(image.spacing)
    if image.spacing[order[2]] > 1.5 * image.spacing[order[1]]:
        return int(order[2])
    return world_axes(image.affine)[2]


def write_volume(image: Image, path: Path) -> None:
    """Write the pixels for the viewer: colour as RGB24, time as the fourth axis, numbers in the smallest type.

    Raises what `image.array` raises.
    """
    array = image.array
    _write(_rgb(array[:3]) if image.channels in (3, 4) else _small(array[0]), image, path)


def write_overlay(labels: NDArray[Any], image: Image, path: Path) -> None:
    """Write a mask or label map on the grid of `image` for the viewer."""
    kind = np.uint8 if labels.size == 0 or int(labels.max()) < 256 else np.uint16
    _write(labels.astype(kind), image, path)


def mask_array(mask: Mask, image: Image) -> NDArray[np.bool_]:
    """The mask over the image's grid; that of one frame stands for every frame of a film."""
    array = mask.array
    if image.time_axis is not None and array.ndim == len(image.shape) - 1:
        array = np.broadcast_to(np.expand_dims(array, image.time_axis), image.shape)
    return array


def thumbnail(image: Image) -> bytes:
    """A PNG of the middle slice, at most 256 pixels wide and high."""
    from PIL import Image as Picture

    plane = middle_plane(image)
    limits = window(image)
    channels = image.array[:3] if image.channels in (3, 4) else image.array[:1]
    drawn = []
    for channel in channels:
        moment = channel if image.time_axis is None or is_flat(image) else np.take(channel, 0, axis=image.time_axis)
        drawn.append(grey_levels(plane.cut(moment), limits))
    picture = Picture.fromarray(drawn[0] if len(drawn) == 1 else np.stack(drawn, axis=-1))
    buffer = io.BytesIO()
    picture.resize(plane.size, Picture.Resampling.BILINEAR).save(buffer, "PNG")
    return buffer.getvalue()


def middle_plane(image: Image) -> Plane:
    """The plane that stands for the image: its middle slice in the acquired plane, or the picture."""
    if is_flat(image):
        return flat_plane(image, longest=_THUMBNAIL)
    space = tuple(n for axis, n in enumerate(image.shape) if axis != image.time_axis)
    volume = Image(image.name, space, image.affine, image.load, orientation_known=image.orientation_known)
    axis = slice_axis(volume)
    names = {world_axes(image.affine)[across]: name for name, across in (("axial", 2), ("coronal", 1), ("sagittal", 0))}
    assert axis is not None
    return volume_plane(volume, names[axis], space[axis] // 2, longest=_THUMBNAIL)


def png_of_mask(inside: NDArray[np.bool_]) -> bytes:
    """One slice of a mask as a grey PNG of 0 and 255, in the slice's own rows and columns."""
    from PIL import Image as Picture

    buffer = io.BytesIO()
    Picture.fromarray(np.where(inside, np.uint8(255), np.uint8(0))).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _rgb(array: NDArray[Any]) -> NDArray[Any]:
    channels = array
    if array.dtype != np.uint8:
        low, high = float(np.nanmin(array)), float(np.nanmax(array))
        channels = np.clip((np.nan_to_num(array) - low) / ((high - low) or 1.0) * 255, 0, 255).astype(np.uint8)
    packed = np.zeros(channels.shape[1:], dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    for name, channel in zip("RGB", channels, strict=True):
        packed[name] = channel
    return packed


def _small(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind in "iu":
        low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
        for kind in (np.uint8, np.int16, np.uint16, np.int32):
            if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
                return array.astype(kind, copy=False)
    return array.astype(np.float32, copy=False)


def _write(array: NDArray[Any], image: Image, path: Path) -> None:
    import nibabel

    if image.time_axis is not None and array.ndim == len(image.shape):
        array = np.moveaxis(array, image.time_axis, -1)
    space = array.ndim - (image.time_axis is not None and array.ndim == len(image.shape))
    array = array.reshape(*array.shape[:space], *(1,) * (3 - space), *array.shape[space:])
    large = max(array.shape) > 32767
    nifti = (nibabel.Nifti2Image if large else nibabel.Nifti1Image)(array, viewer_affine(image))
    nifti.header.set_xyzt_units("mm")
    with atomic_path(path) as temporary:
        nibabel.save(nifti, temporary)
