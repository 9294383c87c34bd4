"""What a file is, by its first bytes (names lie)."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

HEAD = 4096

_MAGIC = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"NRRD000", "nrrd"),
    (b"\x89PNG\r\n\x1a\n", "raster"),
    (b"\xff\xd8\xff", "raster"),
    (b"II*\x00", "raster"),
    (b"MM\x00*", "raster"),
    (b"II+\x00", "raster"),
    (b"MM\x00+", "raster"),
    (b"BM", "raster"),
    (b"GIF8", "raster"),
    (b"%PDF", "pdf"),
    (b"\x1a\x45\xdf\xa3", "video"),
    (b"\x00\x00\x01\xba", "video"),
    (b"7z\xbc\xaf", "archive"),
    (b"Rar!", "archive"),
)
_NIFTI = {b"n+1\x00": 344, b"ni1\x00": 344, b"n+2\x00": 4, b"ni2\x00": 4}


def kind_of(path: Path) -> str:
    """One of dicom, nifti, nrrd, meta, raster, video, zip, archive, pdf, empty, unknown.

    `dicom` may still turn out not to be one: files without the 128-byte preamble are only guessed.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        return "empty"
    if head[128:132] == b"DICM":
        return "dicom"
    if head[:2] == b"\x1f\x8b":
        return _kind_inside_gzip(path)
    return _kind_of_bytes(head)


def _kind_of_bytes(head: bytes) -> str:
    if any(head[at : at + 4] == magic for magic, at in _NIFTI.items()):
        return "nifti"
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:11] == b"AVI"):
        return "video"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "raster"
    if b"ObjectType" in head[:64] or head.lstrip().startswith(b"NDims"):
        return "meta"
    # A DICOM file without preamble begins with an element of group 0002 or 0008, in either byte order.
    if len(head) >= 8 and (head[0:2] in (b"\x02\x00", b"\x08\x00") or head[0:2] in (b"\x00\x02", b"\x00\x08")):
        return "dicom"
    return "unknown"


def _kind_inside_gzip(path: Path) -> str:
    try:
        with gzip.open(path, "rb") as file:
            head = file.read(HEAD)
    except (OSError, EOFError, zlib.error):
        # What the name promises decides which reader tells the user that the file is damaged.
        return "nifti" if path.name.endswith((".nii.gz", ".nii")) else "archive"
    kind = _kind_of_bytes(head)
    return kind if kind == "nifti" else "archive"
