"""NRRD and MetaImage through SimpleITK: LPS to RAS, axes in the file's order (i, j, k)."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Acquisition, Image, InputError, TruncatedError, UnsafeInputError, UnsupportedError
from groundglass.io.dicom_header import DEFLATE_RATIO

_HEADER_BYTES = 1 << 20
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
# Bytes per value of the type names of both formats.
_BYTES = {
    "char": 1, "uchar": 1, "short": 2, "ushort": 2, "int": 4, "uint": 4, "long": 8, "ulong": 8, "float": 4, "double": 8,
    "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8, "uint64": 8,
    "longlong": 8, "ulonglong": 8, "signedchar": 1, "unsignedchar": 1, "unsignedshort": 2, "unsignedint": 4,
}  # fmt: skip


def read_itk(path: Path, label: str | None = None) -> Image:
    """The image of a .nrrd, .nhdr, .mha or .mhd file, (C, i, j[, k[, t]]), first axis fastest as in the file.

    Raises UnsafeInputError (data outside of the header's folder, more claimed than the file holds),
    TruncatedError, UnsupportedError, InputError.
    """
    label = str(path) if label is None else label
    fields = _fields(path, label)
    _check(path, fields, label)
    reader = _information(path, label)
    size = tuple(int(n) for n in reader.GetSize())
    if len(size) not in (2, 3, 4):
        raise UnsupportedError(label, f"has {len(size)} axes", "Split it into images of at most four axes.")
    channels = int(reader.GetNumberOfComponents())
    oriented = "space directions" in fields or "transformmatrix" in fields or "rotation" in fields
    spaced = oriented or "spacings" in fields or "elementspacing" in fields or "elementsize" in fields
    remarks = [] if oriented else ["the file states no directions: orientation is not known"]
    if not spaced:
        remarks.append("the file states no spacing: lengths mean voxels")
    if len(size) == 4 and size[3] == 1:
        size = size[:3]
    return Image(
        name=label,
        shape=size,
        affine=_affine(reader),
        load=lambda: _load(path, label, (channels, *size)),
        channels=channels,
        spacing_known=spaced,
        orientation_known=oriented,
        time_axis=3 if len(size) == 4 else None,
        acquisition=Acquisition(description=fields.get("content") or None),
        source=(label,),
        warnings=tuple(remarks),
    )


def _fields(path: Path, label: str) -> dict[str, str]:
    """The text header's fields by lower-case name; an NRRD header ends at an empty line, a MetaImage's at its data."""
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    fields: dict[str, str] = {}
    for line in head.split(b"\n"):
        text = line.decode("latin-1").strip()
        if not text and fields:
            break
        name, separator, value = text.partition("=" if "=" in text and ":" not in text.split("=")[0] else ":")
        if separator and len(name) < 64:
            fields[name.strip().lower()] = value.lstrip("=").strip()
            if name.strip().lower() == "elementdatafile":
                break
    if not fields:
        raise TruncatedError(label, "ends before its header does", "Copy it again.")
    return fields


def _check(path: Path, fields: dict[str, str], label: str) -> None:
    data = fields.get("data file") or fields.get("datafile") or fields.get("elementdatafile", "")
    there = path.stat().st_size
    if data and data.upper() != "LOCAL":
        # A header may name any file of this machine, or a pattern of files: only one beside it is read.
        if not re.fullmatch(r"[^/\\:%]+", data) or data.upper().startswith("LIST") or data in (".", ".."):
            raise UnsafeInputError(label, f"keeps its data elsewhere ({data[:80]!r})", "Save it as one file.")
        beside = path.with_name(data)
        if not beside.is_file() or beside.is_symlink():
            raise InputError(label, f"is a header, and its data {data!r} is missing", "Put both files in one folder.")
        there += beside.stat().st_size
    claimed = _claimed(fields, label)
    packed = fields.get("encoding", "").lower() not in ("", "raw") or fields.get("compresseddata", "").lower() == "true"
    limit = there * DEFLATE_RATIO if packed else there
    if claimed > limit and packed:
        raise UnsafeInputError(label, f"claims {claimed} bytes, more than it can hold", "Check where it comes from.")
    if claimed > limit:
        raise TruncatedError(label, f"holds fewer than the {claimed} bytes that it claims", "Copy it again.")


def _claimed(fields: dict[str, str], label: str) -> int:
    try:
        sizes = [int(v) for v in (fields.get("sizes") or fields["dimsize"]).split()]
        components = int(fields.get("elementnumberofchannels", "1"))
    except (KeyError, ValueError) as error:
        raise InputError(label, "states no valid size", "Export it again.") from error
    if not sizes or any(n < 1 for n in sizes) or components < 1:
        raise InputError(label, f"claims the size {sizes}", "Export it again.")
    kind = (fields.get("type") or fields.get("elementtype", "")).lower().replace("met_", "").replace("_array", "")
    name = kind.replace("_t", "").replace("signed ", "signed").replace(" ", "").replace("_", "")
    return math.prod(sizes) * components * _BYTES.get(name, 1)


def _information(path: Path, label: str) -> Any:
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except Exception as error:
        raise InputError(label, f"has a header that cannot be read ({_reason(error)})", "Export it again.") from error
    return reader


def _affine(reader: Any) -> NDArray[np.float64]:
    """RAS affine over (i, j, k), or (i, j, normal) of a flat image."""
    count = int(reader.GetDimension())
    spacing, origin = np.asarray(reader.GetSpacing()), np.asarray(reader.GetOrigin())
    direction = np.asarray(reader.GetDirection()).reshape(count, count)
    axes = min(count, 3)
    lps = np.eye(4)
    lps[:axes, :axes] = (direction * spacing)[:axes, :axes]
    lps[:axes, 3] = origin[:axes]
    return _LPS_TO_RAS @ lps


def _load(path: Path, label: str, shape: tuple[int, ...]) -> NDArray[Any]:
    import SimpleITK as sitk

    try:
        image = sitk.ReadImage(str(path))
        array = sitk.GetArrayFromImage(image)
    except Exception as error:
        raise TruncatedError(label, f"its pixels cannot be read ({_reason(error)})", "Copy it again.") from error
    # SimpleITK gives (k, j, i[, component]).
    if shape[0] > 1:
        return np.moveaxis(array, -1, 0).transpose(0, *range(array.ndim - 1, 0, -1)).reshape(shape)
    return array.transpose(*range(array.ndim - 1, -1, -1)).reshape(shape)


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:200]
