"""Stored pixel values of planes, as fast as the file system and the codecs allow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import GroundglassError, InputError, TruncatedError, UnsupportedError
from groundglass.io.dicom_frames import Frame
from groundglass.io.dicom_header import UNDEFINED_LENGTH, Header, quiet
from groundglass.io.dicom_layout import NATIVE, Layout, layout_of

Planes = NDArray[Any]
Finish = Callable[[int, Planes], None]


def read_planes(frames: Sequence[Frame], take: Finish, layouts: dict[Header, Layout]) -> None:
    """Hand the stored values of each frame to `take(index in frames, (rows, columns[, samples]))`.

    Files are opened once each. `layouts` are those of the headers. Raises as `read_file`.
    """
    numbered = sorted(enumerate(frames), key=lambda pair: str(pair[1].header.path))
    for _, group in groupby(numbered, key=lambda pair: pair[1].header):
        members = list(group)
        header = members[0][1].header
        layout = layouts[header]
        planes = read_file(header, layout)
        if len(planes) < 1 + max(frame.index for _, frame in members):
            raise TruncatedError(header.label, f"holds {len(planes)} of {layout.frames} frames", "Copy it again.")
        for position, frame in members:
            take(position, planes[frame.index])


def read_file(header: Header, layout: Layout | None = None) -> Planes:
    """All stored planes of one file, (frames, rows, columns[, samples]); YBR is converted to RGB.

    Raises TruncatedError, UnsupportedError (no decoder), InputError (damaged codestream).
    """
    layout = layout_of(header) if layout is None else layout
    if is_plain(header, layout):
        return _plain(header, layout)
    return _decoded(header, layout)


def is_plain(header: Header, layout: Layout) -> bool:
    """True where the stored bytes are the array: uncompressed, whole bytes, one sample, our byte order."""
    return (
        header.transfer_syntax in NATIVE
        and header.dataset.original_encoding[1] is not False
        and layout.samples == 1
        and layout.bits_allocated >= 8
        and header.pixels_length != UNDEFINED_LENGTH
    )


def _plain(header: Header, layout: Layout) -> Planes:
    planes = np.empty((layout.frames, layout.rows, layout.columns), dtype=layout.dtype)
    assert header.pixels_at is not None
    with header.open() as file:
        file.seek(header.pixels_at)
        got = file.readinto(memoryview(planes.reshape(-1)).cast("B"))  # type: ignore[attr-defined]
    if got < planes.nbytes:
        raise TruncatedError(header.label, f"holds {got} of {planes.nbytes} bytes of pixels", "Copy it again.")
    return planes


def _decoded(header: Header, layout: Layout) -> Planes:
    from pydicom.pixels import get_decoder

    assert header.pixels_at is not None
    with header.open() as file:
        file.seek(header.pixels_at)
        content = file.read() if header.pixels_length == UNDEFINED_LENGTH else file.read(header.pixels_length)
    try:
        decoder = get_decoder(header.transfer_syntax)
    except NotImplementedError as error:
        raise UnsupportedError(
            header.label, f"has the transfer syntax {header.transfer_syntax}, which is not decoded here",
            "Convert it, for example with dcmconv or gdcmconv.",
        ) from error  # fmt: skip
    try:
        with quiet():
            planes, _ = decoder.as_array(content, transfer_syntax_uid=header.transfer_syntax, **layout.options())
    except GroundglassError:
        raise
    except Exception as error:
        raise InputError(
            header.label,
            f"its pixels cannot be decoded ({type(error).__name__}: {str(error)[:200]})",
            "Export it again.",
        ) from error
    if not planes.dtype.isnative:
        planes = planes.astype(planes.dtype.newbyteorder("="))
    return planes if layout.frames > 1 else planes[None]
