"""Which decoder takes which transfer syntax.

Found by mutating real files (300 mutations for each decoder and file): GDCM's JPEG aborts the process and its lossless
JPEG reads out of bounds, as do imagecodecs' two; Pillow, CharLS and pydicom's RLE raise errors. So GDCM works in a
child process, which also lets JPEG 2000 use all cores, and the others work here.
"""

from __future__ import annotations

import importlib.util
from functools import partial
from typing import Any

from numpy.typing import NDArray
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.uid import (
    JPEG2000,
    UID,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from groundglass.core import GroundglassError, InputError, TruncatedError, UnsupportedError
from groundglass.io.charls import decode_jpeg_ls
from groundglass.io.codestream import check_codestream, with_end
from groundglass.io.dicom_header import Header
from groundglass.io.dicom_layout import Layout
from groundglass.io.isolation import decode_apart

Planes = NDArray[Any]
_HERE = {JPEGBaseline8Bit: "pillow", JPEGLSLossless: "pyjpegls", JPEGLSNearLossless: "pyjpegls", RLELossless: "pydicom"}
_APART = {JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1, JPEG2000, JPEG2000Lossless}
_JPEG_LS = {JPEGLSLossless, JPEGLSNearLossless}
# Retired but still met: JPEG spectral selection and full progression, 12 bits.
_JPEG_12 = {JPEGExtended12Bit, UID("1.2.840.10008.1.2.4.53"), UID("1.2.840.10008.1.2.4.55")}


def decode_native(header: Header, layout: Layout, content: bytes) -> Planes:
    """All frames of uncompressed pixels that need sorting: colour planes, single bits, the other byte order, YBR."""
    options = {**layout.options(), "pixel_vr": "OB" if layout.bits_allocated <= 8 else "OW"}
    planes = _by_pydicom(header, options, content, "")
    return planes if layout.frames > 1 else planes[None]


def decode_frame(header: Header, layout: Layout, stream: bytes) -> Planes:
    """One compressed frame, (rows, columns[, samples]), YBR turned to RGB.

    Raises UnsupportedError without a decoder, InputError, TruncatedError, UnsafeInputError for damaged streams.
    """
    uid = header.transfer_syntax
    if uid not in _HERE and uid not in _APART and uid not in _JPEG_12:
        raise UnsupportedError(
            header.label, f"has the transfer syntax {uid.name}, which is not decoded here", "Convert it with dcmconv."
        )
    if uid != RLELossless:
        check_codestream(stream, (layout.rows, layout.columns, layout.samples), header.label)
    if uid in _JPEG_LS:
        stream = with_end(stream)
    if uid in _JPEG_LS and layout.samples == 1:
        return _jpeg_ls(stream, layout, header.label)
    if uid in _JPEG_12 and layout.samples == 1:
        return _jpeg_12(stream, layout, header.label)
    options = {**layout.options(), "number_of_frames": 1}
    content = encapsulate([stream], has_bot=False)
    if uid in _APART:
        return _as_native(decode_apart(str(uid), _gdcm(header), options, content, header.label))
    return _by_pydicom(header, options, content, _HERE[uid])


def _gdcm(header: Header) -> str:
    if importlib.util.find_spec("gdcm") is None:
        raise UnsupportedError(header.label, "needs GDCM to be decoded", "pip install python-gdcm")
    return "gdcm"


def _by_pydicom(header: Header, options: dict[str, Any], content: bytes, plugin: str) -> Planes:
    uid: UID = header.transfer_syntax
    try:
        planes, _ = get_decoder(uid).as_array(
            content, decoding_plugin=plugin, **{"transfer_syntax_uid": uid, **options}
        )
    except GroundglassError:
        raise
    except Exception as error:
        raise InputError(
            header.label,
            f"its pixels cannot be decoded ({type(error).__name__}: {str(error)[:200]})",
            "Export it again.",
        ) from error
    return _as_native(planes)


def _as_native(planes: Planes) -> Planes:
    return planes if planes.dtype.isnative else planes.astype(planes.dtype.newbyteorder("="))


def _jpeg_ls(stream: bytes, layout: Layout, label: str) -> Planes:
    decode = partial(decode_jpeg_ls, shape=(layout.rows, layout.columns))
    return _as_stored(_tried(decode, stream, label), layout, label)


def _jpeg_12(stream: bytes, layout: Layout, label: str) -> Planes:
    """Grey JPEG of up to 12 bits, which only imagecodecs reads among what is installed."""
    try:
        from imagecodecs import jpeg8_decode
    except ImportError as error:
        raise UnsupportedError(
            label, "is 12-bit JPEG, which needs imagecodecs to be decoded", "pip install 'groundglass[codecs]'"
        ) from error
    return _as_stored(_tried(jpeg8_decode, stream, label), layout, label)


def _tried(decode: Any, stream: bytes, label: str) -> Planes:
    try:
        plane: Planes = decode(stream)
    except Exception as error:
        raise TruncatedError(label, f"a compressed frame cannot be decoded ({error})", "Copy it again.") from error
    return plane


def _as_stored(plane: Planes, layout: Layout, label: str) -> Planes:
    """A decoder's unsigned samples as the stored type. Raises InputError where they are not what was claimed."""
    if plane.shape != (layout.rows, layout.columns) or plane.dtype.itemsize > layout.dtype.itemsize:
        raise InputError(label, f"decodes to {plane.shape} {plane.dtype}, not to what it claims", "Export it again.")
    if not layout.signed:
        return plane.astype(layout.dtype, copy=False)
    # The stream holds the bits of the signed value without its sign's extension.
    unused = layout.dtype.itemsize * 8 - layout.bits_stored
    whole = plane.astype(layout.dtype.str.replace("i", "u")).view(layout.dtype)
    return (whole << unused) >> unused if unused else whole
