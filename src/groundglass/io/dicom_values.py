"""Stored values to what they mean: rescale, modality table, palette, inverted greys, one array per image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

from groundglass.core import InputError
from groundglass.io.dicom_frames import Frame
from groundglass.io.dicom_header import Header, quiet, tag_of, value_of
from groundglass.io.dicom_layout import Layout
from groundglass.io.dicom_pixels import read_planes

# In these the stored value is a quantity; MONOCHROME1 then only says how to paint it.
_QUANTITIES = ("CT", "PT", "NM", "RTDOSE")
_MODALITY_TABLE = tag_of("ModalityLUTSequence")
_INT16 = np.iinfo(np.int16)


@dataclass(frozen=True, slots=True)
class Scale:
    """value = stored * slope + intercept, of one frame."""

    slope: float = 1.0
    intercept: float = 0.0

    @property
    def is_whole(self) -> bool:
        """True where integers stay integers of the same step."""
        return self.slope == 1.0 and self.intercept == int(self.intercept)


def scale_of(frame: Frame, factor: float = 1.0) -> Scale:
    """The frame's rescale (PS3.3 C.11.1), times a factor to another unit; RT Dose has its own scaling."""
    slope, intercept = frame.number("RescaleSlope"), frame.number("RescaleIntercept")
    if slope is None and frame.text("Modality") == "RTDOSE":
        slope = frame.number("DoseGridScaling")
    # A slope of 0 is written by broken converters; it would erase the image.
    return Scale((slope or 1.0) * factor, (intercept or 0.0) * factor)


def channels_of(layout: Layout) -> int:
    """Channels of the array that `load_frames` gives."""
    return 3 if layout.photometric == "PALETTE COLOR" else layout.samples


def load_frames(
    frames: Sequence[Frame], layouts: dict[Header, Layout], scales: Sequence[Scale], name: str
) -> NDArray[Any]:
    """(C, len(frames), rows, columns) in physical values.

    Integers stay integers while every slope is 1 and every intercept whole (int16 where the values fit, else
    int32); else float32. Raises what reading the files raises.
    """
    layout = layouts[frames[0].header]
    if channels_of(layout) > 1:
        return _load_colour(frames, layouts)
    if any(_MODALITY_TABLE in header.dataset for header in layouts):
        return _load_through_table(frames, layouts)
    if all(y.dtype.kind in "iu" for y in layouts.values()) and all(s.is_whole for s in scales):
        return _load_whole(frames, layouts, [int(s.intercept) for s in scales])
    out = np.empty((len(frames), layout.rows, layout.columns), dtype=_float_type(layouts))

    def take(index: int, plane: NDArray[Any]) -> None:
        grey = _upright(plane, frames[index], layouts)
        np.multiply(grey, scales[index].slope, out=out[index], casting="unsafe")
        if scales[index].intercept:
            out[index] += scales[index].intercept

    read_planes(frames, take, layouts)
    return out[None]


def _float_type(layouts: dict[Header, Layout]) -> np.dtype[Any]:
    # 32-bit integers and doubles do not fit the 24 bits of a float32.
    wide = any(y.dtype.itemsize > 4 or (y.dtype.kind in "iu" and y.bits_stored > 24) for y in layouts.values())
    return np.dtype(np.float64 if wide else np.float32)


def _load_whole(frames: Sequence[Frame], layouts: dict[Header, Layout], shifts: Sequence[int]) -> NDArray[Any]:
    layout = layouts[frames[0].header]
    kinds = {y.dtype for y in layouts.values()}
    kind = kinds.pop() if len(kinds) == 1 and not any(shifts) else np.dtype(np.int16)
    out = np.empty((len(frames), layout.rows, layout.columns), dtype=kind)

    def take(index: int, plane: NDArray[Any]) -> None:
        nonlocal out
        grey = _upright(plane, frames[index], layouts)
        if out.dtype == grey.dtype and not shifts[index]:
            out[index] = grey
            return
        if out.dtype == np.int16 and not _fits(grey, shifts[index], layouts[frames[index].header]):
            out = out.astype(np.int64 if grey.dtype.itemsize > 2 else np.int32)
        if grey.dtype.itemsize == out.dtype.itemsize:
            # Two's complement: the sum is right as it fits, and no pass is spent on conversion.
            grey = grey.view(out.dtype)
        np.add(grey, out.dtype.type(shifts[index]), out=out[index], casting="unsafe", dtype=out.dtype)

    read_planes(frames, take, layouts)
    return out[None]


def _fits(plane: NDArray[Any], shift: int, layout: Layout) -> bool:
    """True where plane + shift fits int16, by the bits that are claimed or, where they may not, by the values."""
    bits = layout.bits_stored
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if layout.signed else (0, (1 << bits) - 1)
    if low + shift >= _INT16.min and high + shift <= _INT16.max and bits < 8 * plane.dtype.itemsize:
        return True
    return int(plane.min()) + shift >= _INT16.min and int(plane.max()) + shift <= _INT16.max


def _upright(plane: NDArray[Any], frame: Frame, layouts: dict[Header, Layout]) -> NDArray[Any]:
    """Stored values with bright as high: MONOCHROME1 is turned over its stored range.

    Raises InputError where the file decodes to another size than its header states.
    """
    layout = layouts[frame.header]
    if plane.shape != (layout.rows, layout.columns):
        raise InputError(
            frame.header.label, f"decodes to {plane.shape}, its header says {(layout.rows, layout.columns)}",
            "Export it again.",
        )  # fmt: skip
    if layout.photometric != "MONOCHROME1" or frame.text("Modality") in _QUANTITIES or plane.dtype.kind == "f":
        return plane
    if layout.signed:
        return -1 - plane
    return plane.dtype.type((1 << layout.bits_stored) - 1) - plane


def _load_through_table(frames: Sequence[Frame], layouts: dict[Header, Layout]) -> NDArray[Any]:
    layout = layouts[frames[0].header]
    out = np.empty((len(frames), layout.rows, layout.columns), dtype=np.float32)

    def take(index: int, plane: NDArray[Any]) -> None:
        with quiet():
            out[index] = apply_modality_lut(_upright(plane, frames[index], layouts), frames[index].header.dataset)

    _with_tables(frames, layouts, take)
    return out[None]


def _load_colour(frames: Sequence[Frame], layouts: dict[Header, Layout]) -> NDArray[Any]:
    layout = layouts[frames[0].header]
    channels = channels_of(layout)
    out: NDArray[Any] | None = None

    def take(index: int, plane: NDArray[Any]) -> None:
        nonlocal out
        colour = plane
        if layout.photometric == "PALETTE COLOR":
            colour = _through_palette(plane, frames[index].header.dataset)
        if out is None:
            out = np.empty((channels, len(frames), layout.rows, layout.columns), dtype=colour.dtype)
        out[:, index] = np.moveaxis(colour, -1, 0)

    _with_tables(frames, layouts, take)
    assert out is not None
    return out


def _through_palette(plane: NDArray[Any], dataset: Dataset) -> NDArray[Any]:
    with quiet():
        rgb = apply_color_lut(plane, dataset)[..., :3]
    descriptor = value_of(dataset, "RedPaletteColorLookupTableDescriptor")
    # 8-bit colours are often stored in 16-bit tables as value * 257 or value * 256.
    if rgb.dtype == np.uint16 and descriptor is not None and not np.any(rgb & 0xFF):
        return (rgb >> 8).astype(np.uint8)
    return rgb


def _with_tables(frames: Sequence[Frame], layouts: dict[Header, Layout], take: Any) -> None:
    """`read_planes`, with damaged look-up tables as typed errors."""
    try:
        read_planes(frames, take, layouts)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError, NotImplementedError) as error:
        raise InputError(
            frames[0].header.label, f"has a look-up table that cannot be applied ({error})", "Export it again."
        ) from error
