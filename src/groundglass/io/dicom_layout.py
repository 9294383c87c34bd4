"""What a file says about its stored pixels, and whether the file can hold what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from groundglass.core import InputError, TruncatedError, UnsafeInputError, UnsupportedError
from groundglass.io.dicom_frames import Frame
from groundglass.io.dicom_header import UNDEFINED_LENGTH, Header

NATIVE = frozenset(
    (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
)
# Blank JPEG 2000 or JPEG-LS frames compress without bound, real ones rarely beyond 100 to 1: what is claimed may be
# this many times the file's size, or this many bytes, before it counts as an attack.
_CODEC_RATIO = 2000
_SMALL = 64 << 20


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows, columns, samples and bits of one stored plane (PS3.3 C.7.6.3)."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    planar: int
    photometric: str
    keyword: str
    frames: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of one stored value, native byte order."""
        if self.keyword != "PixelData":
            return np.dtype(np.float32 if self.keyword == "FloatPixelData" else np.float64)
        return np.dtype(f"{'i' if self.signed else 'u'}{max(1, self.bits_allocated // 8)}")

    @property
    def frame_bits(self) -> int:
        bits = self.rows * self.columns * self.samples * self.bits_allocated
        # YBR_FULL_422 stores two values per pixel instead of three (PS3.3 C.7.6.3.1.2).
        return bits * 2 // 3 if self.photometric == "YBR_FULL_422" else bits

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, columns) or (rows, columns, samples): one decoded plane."""
        return (self.rows, self.columns) if self.samples == 1 else (self.rows, self.columns, self.samples)

    def options(self) -> dict[str, Any]:
        """The same for pydicom's decoders."""
        return {
            "rows": self.rows,
            "columns": self.columns,
            "samples_per_pixel": self.samples,
            "bits_allocated": self.bits_allocated,
            "bits_stored": self.bits_stored,
            "pixel_representation": int(self.signed),
            "planar_configuration": self.planar,
            "photometric_interpretation": self.photometric,
            "pixel_keyword": self.keyword,
            "number_of_frames": self.frames,
        }


def layout_of(header: Header) -> Layout:
    """The layout of a file's pixels, checked against the size of the file.

    Raises UnsupportedError (no pixels), InputError (missing or impossible values), TruncatedError (fewer bytes
    than claimed), UnsafeInputError (claims what the file cannot hold).
    """
    if header.pixels_at is None:
        raise UnsupportedError(header.label, "has no pixels", "Pass the images that it belongs to.")
    frame = Frame(header, 0, (header.dataset,))
    rows, columns = _count(frame, "Rows"), _count(frame, "Columns")
    samples = _count(frame, "SamplesPerPixel", 1)
    floating = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}.get(header.pixels_keyword)
    allocated = floating or _count(frame, "BitsAllocated")
    stored = floating or min(_count(frame, "BitsStored", allocated), allocated)
    if allocated not in (1, 8, 16, 32, 64) or samples not in (1, 2, 3, 4):
        raise InputError(
            header.label, f"claims {samples} samples of {allocated} bits per pixel", "Export the file again."
        )
    layout = Layout(
        rows, columns, samples, allocated, stored,
        frame.number("PixelRepresentation") == 1, int(frame.number("PlanarConfiguration") or 0),
        frame.text("PhotometricInterpretation").upper() or "MONOCHROME2", header.pixels_keyword,
        _count(frame, "NumberOfFrames", 1),
    )  # fmt: skip
    check_size(header, layout)
    return layout


def _count(frame: Frame, keyword: str, default: int | None = None) -> int:
    number = frame.number(keyword)
    if number is None and default is not None:
        return default
    if number is None or number < 1 or number != int(number):
        raise InputError(frame.header.label, f"has no valid {keyword}", "Export the file again.")
    return int(number)


def check_size(header: Header, layout: Layout) -> None:
    """Raises UnsupportedError, TruncatedError or UnsafeInputError where the file cannot hold the layout's pixels."""
    if header.pixels_at is None:
        raise UnsupportedError(header.label, "has no pixels", "Pass the images that it belongs to.")
    there = header.size - header.pixels_at
    claimed = (layout.frame_bits * layout.frames + 7) // 8
    if header.transfer_syntax in NATIVE:
        if header.pixels_length != UNDEFINED_LENGTH:
            there = min(there, header.pixels_length)
        if there < claimed:
            raise TruncatedError(
                header.label, f"holds {max(0, there)} of the {claimed} bytes of pixels that it claims", "Copy it again."
            )
    elif claimed > max(_SMALL, _CODEC_RATIO * header.size):
        raise UnsafeInputError(
            header.label, f"claims {claimed} bytes of pixels, more than it can hold", "Check where it comes from."
        )
    elif there < 16:
        raise TruncatedError(header.label, "ends before its pixels", "Copy it again.")
