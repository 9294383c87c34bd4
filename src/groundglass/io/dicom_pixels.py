"""Stored pixel values of planes, as fast as the file system and the codecs allow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import generate_frames

from groundglass.core import GroundglassError, TruncatedError
from groundglass.core.cores import free_cores
from groundglass.io.decoders import decode_frame, decode_native
from groundglass.io.dicom_frames import Frame
from groundglass.io.dicom_header import UNDEFINED_LENGTH, Header
from groundglass.io.dicom_layout import NATIVE, Layout

Planes = NDArray[Any]


def read_planes(frames: Sequence[Frame], take: Callable[[int, Planes], None], layouts: dict[Header, Layout]) -> None:
    """Hand the stored values of each frame to `take(index in frames, (rows, columns[, samples]))`.

    `take` is called in this thread, file by file. Compressed frames are decoded on all cores; uncompressed ones are
    read in turn, as the memory is the limit. Raises TruncatedError, UnsupportedError (no decoder), InputError.
    """
    numbered = sorted(enumerate(frames), key=lambda pair: (str(pair[1].header.path), pair[1].index))
    files = [list(group) for _, group in groupby(numbered, key=lambda pair: pair[1].header)]
    plain = all(is_plain(members[0][1].header, layouts[members[0][1].header]) for members in files)
    if plain or len(frames) == 1:
        for members in files:
            _read_in_turn(members, take, layouts)
        return
    with ThreadPoolExecutor(min(free_cores(), len(frames))) as pool:
        jobs = [(i, job) for members in files for i, job in _jobs(members, layouts)]
        try:
            for index, plane in zip((i for i, _ in jobs), pool.map(_run, (job for _, job in jobs)), strict=True):
                take(index, plane)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def is_plain(header: Header, layout: Layout) -> bool:
    """True where the stored bytes are the array: uncompressed, whole bytes, one sample, our byte order."""
    return (
        header.transfer_syntax in NATIVE
        and header.dataset.original_encoding[1] is not False
        and layout.samples == 1
        and layout.bits_allocated >= 8
        and header.pixels_length != UNDEFINED_LENGTH
    )


def _run(job: Callable[[], Planes]) -> Planes:
    return job()


def _read_in_turn(
    members: Sequence[tuple[int, Frame]], take: Callable[[int, Planes], None], layouts: dict[Header, Layout]
) -> None:
    header = members[0][1].header
    layout = layouts[header]
    if not is_plain(header, layout):
        for index, job in _jobs(members, layouts):
            take(index, job())
        return
    assert header.pixels_at is not None
    plane = np.empty((layout.rows, layout.columns), dtype=layout.dtype)
    view = plane.reshape(-1).view(np.uint8).data
    with header.open() as file:
        for index, frame in members:
            file.seek(header.pixels_at + frame.index * plane.nbytes)
            if file.readinto(view) < plane.nbytes:  # type: ignore[attr-defined]
                raise TruncatedError(header.label, "ends before its pixels do", "Copy it again.")
            take(index, _without_unused_bits(plane, layout))


def _jobs(
    members: Sequence[tuple[int, Frame]], layouts: dict[Header, Layout]
) -> list[tuple[int, Callable[[], Planes]]]:
    """What is left to do for each frame of one file; a file of one frame is also opened by its job."""
    header = members[0][1].header
    layout = layouts[header]
    if header.transfer_syntax in NATIVE:
        planes: list[Planes] = []

        def picked(frame: Frame) -> Planes:
            if not planes:
                planes.append(decode_native(header, layout, _content(header)))
            return _plane_of(planes[0], frame.index, header)

        # One job for the file, as its frames are not apart: the others wait for it in the same thread.
        return [(index, partial(picked, frame)) for index, frame in members]
    if layout.frames == 1:
        return [(index, partial(_opened, header, layout)) for index, _ in members]
    streams = _codestreams(header, layout)
    if len(streams) <= max(frame.index for _, frame in members):
        raise TruncatedError(header.label, f"holds {len(streams)} of {layout.frames} frames", "Copy it again.")
    return [(i, partial(_decoded, header, layout, streams[frame.index])) for i, frame in members]


def _opened(header: Header, layout: Layout) -> Planes:
    return _decoded(header, layout, _codestreams(header, layout)[0])


def _decoded(header: Header, layout: Layout, stream: bytes) -> Planes:
    return _without_unused_bits(decode_frame(header, layout, stream), layout)


def _plane_of(planes: Planes, index: int, header: Header) -> Planes:
    if index >= len(planes):
        raise TruncatedError(header.label, f"holds {len(planes)} frames, not {index + 1}", "Copy it again.")
    return planes[index]


def _content(header: Header) -> bytes:
    assert header.pixels_at is not None
    with header.open() as file:
        file.seek(header.pixels_at)
        return file.read() if header.pixels_length == UNDEFINED_LENGTH else file.read(header.pixels_length)


def _codestreams(header: Header, layout: Layout) -> list[bytes]:
    """The compressed frames of a file."""
    try:
        streams = list(generate_frames(_content(header), number_of_frames=layout.frames))
    except GroundglassError:
        raise
    except Exception as error:
        raise TruncatedError(header.label, f"its compressed frames are damaged ({error})", "Copy it again.") from error
    if not streams:
        raise TruncatedError(header.label, "holds no compressed frame", "Copy it again.")
    return streams


def _without_unused_bits(plane: Planes, layout: Layout) -> Planes:
    """The plane with bits above the stored ones dropped (old files keep overlays there), its sign extended."""
    unused = 8 * plane.dtype.itemsize - layout.bits_stored
    if unused <= 0 or layout.bits_allocated == 1 or plane.dtype.kind not in "iu":
        return plane
    if plane.dtype.kind == "u":
        return plane & plane.dtype.type((1 << layout.bits_stored) - 1) if plane.max() >> layout.bits_stored else plane
    if plane.min() >= -(1 << layout.bits_stored - 1) and plane.max() < 1 << layout.bits_stored - 1:
        return plane
    return (plane << unused) >> unused
