"""NIfTI-1 and NIfTI-2, plain or gzipped: nibabel's header and affine bit for bit, pixels read when asked for."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from numpy.typing import NDArray

from groundglass.core import Acquisition, Image, InputError, TruncatedError, UnsafeInputError, UnsupportedError
from groundglass.io.bids import stated_modality
from groundglass.io.dicom_header import DEFLATE_RATIO

_HEADER_BYTES = 1 << 20
_SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}
_MM = {"meter": 1000.0, "micron": 1e-3}


def read_nifti(path: Path, label: str | None = None) -> Image:
    """The image of a NIfTI file, (C, i, j, k[, t]) in the file's order; RGB and vectors become channels.

    Scaled values are float32 (float64 where the file stores doubles). Raises TruncatedError, UnsafeInputError
    (claims more than the file can hold), UnsupportedError, GeometryError.
    """
    label = str(path) if label is None else label
    header = _header(path, label)
    shape, channels = _shape(header, label)
    _check_size(path, header, label)
    affine, spacing_known, orientation_known, warnings = _affine(header)
    time_axis = 3 if len(shape) == 4 else None
    slope, intercept = _scaling(header)
    return Image(
        name=label,
        shape=shape,
        affine=affine,
        load=lambda: _load(path, header, shape, channels, (slope, intercept), label),
        channels=channels,
        modality=stated_modality(path, label) or "OT",
        spacing_known=spacing_known,
        orientation_known=orientation_known,
        time_axis=time_axis,
        acquisition=Acquisition(description=_text(header, "descrip") or None, facts=_facts(header)),
        source=(label,),
        warnings=tuple(warnings),
    )


def _header(path: Path, label: str) -> Nifti1Header:
    content = _first_bytes(path, label)
    kind = Nifti2Header if content[:4] in (b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c") else Nifti1Header
    if len(content) < kind.sizeof_hdr:
        raise TruncatedError(label, "ends before its NIfTI header does", "Copy it again.")
    try:
        return kind.from_fileobj(io.BytesIO(content), check=False)
    except Exception as error:
        raise InputError(label, f"has a damaged NIfTI header ({error})", "Export it again.") from error


def _first_bytes(path: Path, label: str) -> bytes:
    try:
        with _opened(path) as file:
            return file.read(_HEADER_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TruncatedError(label, f"its compressed data is damaged ({error})", "Copy it again.") from error


def _opened(path: Path) -> Any:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")


def _shape(header: Nifti1Header, label: str) -> tuple[tuple[int, ...], int]:
    """(spatial shape with time, channels). Raises UnsupportedError for more than these axes."""
    try:
        dims = [int(n) for n in header.get_data_shape()]
        header.get_data_dtype()
    except Exception as error:
        raise InputError(label, f"has a damaged NIfTI header ({error})", "Export it again.") from error
    if not dims or any(n < 1 for n in dims):
        raise InputError(label, f"claims the size {dims}", "Export it again.")
    while len(dims) > 3 and dims[-1] == 1:
        dims.pop()
    if len(dims) == 1:
        raise UnsupportedError(label, "has one axis, so it is no image", "Pass an image.")
    vector = 1
    if len(dims) == 5:
        vector = dims.pop()
        if dims[3] == 1:
            dims.pop()
    if len(dims) > 4 or (vector > 1 and header.get_data_dtype().names):
        raise UnsupportedError(label, f"has {len(dims)} axes", "Split it into images of at most four axes.")
    colour = len(header.get_data_dtype().names or ())
    return tuple(dims), colour or vector


def _check_size(path: Path, header: Nifti1Header, label: str) -> None:
    claimed = math.prod(int(n) for n in header.get_data_shape()) * header.get_data_dtype().itemsize
    data = _data_path(path, header, label)
    there = data.stat().st_size
    with data.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    offset = _offset(header, label)
    if packed and claimed > there * DEFLATE_RATIO:
        raise UnsafeInputError(label, f"claims {claimed} bytes, more than it can hold", "Check where it comes from.")
    if not packed and there - offset < claimed:
        raise TruncatedError(
            label, f"holds {max(0, there - offset)} of the {claimed} bytes that it claims", "Copy it again."
        )


def _offset(header: Nifti1Header, label: str) -> int:
    offset = float(header["vox_offset"])
    if not math.isfinite(offset) or offset < 0 or offset > 1 << 40:
        raise InputError(label, f"has its data at byte {offset}", "Export it again.")
    return int(offset)


def _data_path(path: Path, header: Nifti1Header, label: str) -> Path:
    """The file of the voxels: the same one, or the .img beside a .hdr."""
    if bytes(header["magic"].item())[:2] != b"ni":
        return path
    for name in (path.name.replace(".hdr", ".img"), path.name.replace(".hdr", ".img") + ".gz"):
        if name != path.name and path.with_name(name).is_file():
            return path.with_name(name)
    raise InputError(label, "is a header without its .img file", "Put both files in one folder.")


def _affine(header: Nifti1Header) -> tuple[NDArray[np.float64], bool, bool, list[str]]:
    """(affine, spacing known, orientation known, warnings); the affine is nibabel's, of the s-form, else the q-form."""
    warnings: list[str] = []
    sform, qform = int(header["sform_code"]), int(header["qform_code"])
    try:
        affine = np.asarray(header.get_best_affine(), dtype=np.float64)
    except Exception:
        affine, sform, qform = np.full((4, 4), np.nan), 0, 0
    if sform > 0 and qform > 0:
        warnings += _conflict(header, affine)
    usable = bool(np.isfinite(affine).all()) and abs(np.linalg.det(affine[:3, :3])) > 1e-12
    if (sform > 0 or qform > 0) and usable:
        return affine, True, True, warnings + _unit_warnings(header)
    zooms = np.abs(np.asarray(header["pixdim"][1:4], dtype=np.float64))
    known = bool(np.isfinite(zooms).all() and (zooms > 0).all()) and usable
    reason = "no affine" if not (sform > 0 or qform > 0) else "the affine is singular or not finite"
    if known:
        warnings.append(f"{reason}: orientation is not known, spacing is that of the header")
        return affine if reason == "no affine" else np.diag([*zooms, 1.0]), True, False, warnings
    warnings.append(f"{reason} and no spacing: lengths mean voxels")
    return np.eye(4), False, False, warnings


def _conflict(header: Nifti1Header, affine: NDArray[np.float64]) -> list[str]:
    try:
        other = np.asarray(header.get_qform(), dtype=np.float64)
    except Exception:
        return ["the q-form is damaged: the s-form is used"]
    corners = np.array([[0, 0, 0, 1], [*[n - 1 for n in (*header.get_data_shape(), 1, 1)[:3]], 1]], dtype=np.float64)
    apart = float(np.abs((affine - other) @ corners.T)[:3].max())
    return [f"s-form and q-form differ by up to {apart:.2f} mm: the s-form is used"] if apart > 0.1 else []


def _unit_warnings(header: Nifti1Header) -> list[str]:
    unit = header.get_xyzt_units()[0]
    return [f"spacing is stated in {unit}, read as mm"] if unit in _MM else []


def _scaling(header: Nifti1Header) -> tuple[float, float]:
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if not math.isfinite(slope) or slope == 0:
        return 1.0, 0.0
    return slope, intercept if math.isfinite(intercept) else 0.0


def _text(header: Nifti1Header, key: str) -> str:
    return bytes(header[key].item()).split(b"\0")[0].decode("latin-1").strip()


def _facts(header: Nifti1Header) -> dict[str, Any]:
    facts: dict[str, Any] = {"sform_code": int(header["sform_code"]), "qform_code": int(header["qform_code"])}
    try:
        unit = header.get_xyzt_units()[1]
    except KeyError:
        return facts
    if len(header.get_data_shape()) > 3 and unit in _SECONDS:
        facts["RepetitionTime"] = float(header["pixdim"][4]) * _SECONDS[unit] * 1000
    return facts


def _load(
    path: Path, header: Nifti1Header, shape: tuple[int, ...], channels: int, scaling: tuple[float, float], label: str
) -> NDArray[Any]:
    stored = header.get_data_dtype()
    count = math.prod(shape) * (1 if stored.names else channels)
    flat = np.empty(count, dtype=stored)
    source = _data_path(path, header, label)
    try:
        with _opened(source) as file:
            file.seek(_offset(header, label))
            got = _fill(file, flat.view(np.uint8).data)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TruncatedError(label, f"its compressed data is damaged ({error})", "Copy it again.") from error
    if got < flat.nbytes:
        raise TruncatedError(label, f"holds {got} of the {flat.nbytes} bytes that it claims", "Copy it again.")
    if stored.names:
        array = np.stack([flat[name].reshape(shape, order="F") for name in stored.names])
    elif channels > 1:
        array = np.moveaxis(flat.reshape((*shape, channels), order="F"), -1, 0)
    else:
        array = flat.reshape(shape, order="F")[None]
    return _scaled(array, *scaling)


def _fill(file: Any, buffer: memoryview) -> int:
    """Read until the buffer is full or the file ends; in parts, so that what is not there is never touched."""
    done = 0
    while done < len(buffer):
        got = file.readinto(buffer[done : done + (1 << 22)])
        if not got:
            break
        done += got
    return done


def _scaled(array: NDArray[Any], slope: float, intercept: float) -> NDArray[Any]:
    native = array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    if (slope, intercept) == (1.0, 0.0):
        return native
    if native.dtype.kind in "iuf" and native.dtype.itemsize < 8:
        return native.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    return native * slope + intercept


nibabel.imageglobals.logger.setLevel("ERROR")
