"""What a compressed frame claims about itself, checked before a native decoder sees it.

Decoders allocate what the codestream's own header asks for; it must be what the DICOM header says.
"""

from __future__ import annotations

from groundglass.core import InputError, TruncatedError, UnsafeInputError

_END = b"\xff\xd9"
_J2K_START = b"\xff\x4f\xff\x51"
# Start-of-frame markers: JPEG (ITU-T T.81 table B.1) and JPEG-LS (T.87).
_FRAME_MARKERS = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xF7))
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))


def check_codestream(frame: bytes, size: tuple[int, int, int], label: str) -> None:
    """Raises InputError where a JPEG, JPEG-LS or JPEG 2000 frame is not (rows, columns, samples) = `size`.

    UnsafeInputError where it claims more pixels, TruncatedError where it ends before saying so.
    """
    claimed = _j2k_size(frame) if _J2K_START in frame[:512] else _jpeg_size(frame)
    if claimed is None:
        raise TruncatedError(label, "a compressed frame has no readable header", "Export it again.")
    if claimed == size:
        return
    text = f"a compressed frame is {' x '.join(map(str, claimed))}, the header says {' x '.join(map(str, size))}"
    if claimed[0] * claimed[1] * claimed[2] > size[0] * size[1] * size[2]:
        raise UnsafeInputError(label, text, "Check where it comes from.")
    raise InputError(label, text, "Export it again.")


def with_end(stream: bytes) -> bytes:
    """A JPEG-LS stream with an end-of-image marker; CharLS counts zero bits for half a minute past a missing one."""
    return stream if _END in stream[-8:] else stream + _END


def _jpeg_size(frame: bytes) -> tuple[int, int, int] | None:
    at = 0
    while at + 4 <= len(frame):
        if frame[at] != 0xFF:
            return None
        marker = frame[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _ALONE:
            at += 2
        elif marker in _FRAME_MARKERS:
            body = frame[at + 5 : at + 10]
            return (body[0] << 8 | body[1], body[2] << 8 | body[3], body[4]) if len(body) == 5 else None
        else:
            at += 2 + (frame[at + 2] << 8 | frame[at + 3])
    return None


def _j2k_size(frame: bytes) -> tuple[int, int, int] | None:
    at = frame.index(_J2K_START) + 4
    segment = frame[at : at + 38]
    if len(segment) < 38:
        return None
    # SIZ (ITU-T T.800 A.5.1): length, capabilities, then eight 32-bit sizes and offsets, then the component count.
    width, height, x, y, tile_width, tile_height, _, _ = (
        int.from_bytes(segment[4 + 4 * i : 8 + 4 * i], "big") for i in range(8)
    )
    components = int.from_bytes(segment[36:38], "big")
    if tile_width == 0 or tile_height == 0:
        return None
    tiles = -(-width // tile_width) * -(-height // tile_height)
    # Every tile needs a header of its own of 12 bytes and more; a decoder keeps some hundred bytes for each.
    if tiles * 12 > len(frame):
        return None
    return height - y, width - x, components
