"""Files and forms that mean harm: bombs, path tricks, polyglots, lies in headers, damage. Seeded: each repeats."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

NAMES = (
    "../../../../tmp/escaped", "/etc/cron.d/escaped", "..\\..\\escaped.exe", "C:\\Windows\\escaped.dll", "a\x00b.dcm",
    "x" * 4000, "\u202egpj.exe", "CON", "....//....//escaped", "%2e%2e%2fescaped", "~/.ssh/keys", ".htaccess",
    "study.json", "../study.json", "'; rm -rf / #", "$(touch escaped)", "\ud7ff\u0301" * 50, " ", ".", "..", "-rf",
)  # fmt: skip


@dataclass(frozen=True)
class Attack:
    """A request body with its content type, and a word for it."""

    kind: str
    body: bytes
    content_type: str


def attacks(count: int, *, seed: int, good: dict[str, bytes]) -> list[Attack]:
    """`count` attacks of every kind in turn. `good` holds whole files by their suffix, to be damaged."""
    rng = np.random.default_rng(seed)
    makers = list(_MAKERS.items())
    return [_attack(*makers[n % len(makers)], rng, good) for n in range(count)]


Maker = Callable[[np.random.Generator, dict[str, bytes]], "bytes | Attack"]


def _attack(kind: str, maker: Maker, rng: np.random.Generator, good: dict[str, bytes]) -> Attack:
    made = maker(rng, good)
    if isinstance(made, Attack):
        return made
    boundary = rng.bytes(8).hex()
    name = NAMES[rng.integers(len(NAMES))].encode("utf-8", "surrogatepass").replace(b'"', b"%22")
    head = b'--%s\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n\r\n' % (boundary.encode(), name)
    body = head + made + b"\r\n--%s--\r\n" % boundary.encode()
    return Attack(kind, body, f"multipart/form-data; boundary={boundary}")


def _zip(entries: list[tuple[str, bytes]], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return buffer.getvalue()


def bomb(rng: np.random.Generator, _good: dict[str, bytes]) -> bytes:
    """Zeros that pack a thousandfold, in one entry or in many."""
    size = int(rng.choice([80, 150])) << 20
    if rng.random() < 0.5:
        return _zip([("zeros.dcm", bytes(size))])
    return _zip([(f"{n}.nii", bytes(4 << 20)) for n in range(40)])


def nested(rng: np.random.Generator, good: dict[str, bytes]) -> bytes:
    """Archives in archives."""
    content = good[".nii.gz"]
    for level in range(int(rng.integers(2, 8))):
        content = _zip([(f"{level}.zip", content)])
    return content


def overlapping(rng: np.random.Generator, _good: dict[str, bytes]) -> bytes:
    """Many directory entries that all point at one packed file (Fifield's bomb)."""
    plain = bytes(1 << 20)
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packed.compress(plain) + packed.flush()
    crc = zlib.crc32(plain)
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 0, crc, len(data), len(plain), 1, 0) + b"a" + data
    count = int(rng.integers(200, 3000))
    record = struct.pack(
        "<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, crc, len(data), len(plain), 1, 0, 0, 0, 0, 0, 0
    )  # fmt: skip
    directory = (record + b"a") * count
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(local), 0)
    return local + directory + end


def lying_sizes(rng: np.random.Generator, good: dict[str, bytes]) -> bytes:
    """An archive whose directory claims other sizes than its entries have."""
    whole = bytearray(_zip([("a.nii", bytes(5000)), ("b.dcm", good[".dcm"][:4000])]))
    for mark in (b"PK\x01\x02", b"PK\x03\x04"):
        at = whole.find(mark)
        where = at + (20 if mark == b"PK\x01\x02" else 18)
        whole[where : where + 8] = struct.pack("<2I", int(rng.integers(1 << 32)), int(rng.integers(1 << 32)))
    return bytes(whole)


def zip_paths(rng: np.random.Generator, good: dict[str, bytes]) -> bytes:
    """Entries whose names leave the folder."""
    names = [NAMES[i] for i in rng.integers(len(NAMES), size=3)]
    clean = [name.replace("\x00", "\\") or "x" for name in names]
    return _zip([(name, good[".dcm"][:2000]) for name in clean] + [("ok.nii.gz", good[".nii.gz"])])


def zip_link(rng: np.random.Generator, good: dict[str, bytes]) -> bytes:
    """A symbolic link to somewhere else, and a file to be written through it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (0o120777) << 16
        archive.writestr(link, str(rng.choice(["/etc/passwd", "../../../../", "/"])))
        archive.writestr("link/escaped.dcm", good[".dcm"][:500])
    return buffer.getvalue()


def gzip_bomb(rng: np.random.Generator, good: dict[str, bytes]) -> bytes:
    """A NIfTI header that claims much, over zeros that pack to nothing."""
    header = bytearray(gzip.decompress(good[".nii.gz"])[:352])
    side = int(rng.choice([700, 2000, 32767]))
    struct.pack_into("<8h", header, 40, 3, side, side, int(rng.choice([80, 2000])), 1, 1, 1, 1)
    return gzip.compress(bytes(header) + bytes(int(rng.choice([1, 60])) << 20))


def nifti_lies(rng: np.random.Generator, good: dict[str, bytes]) -> bytes:
    """Random fields of a NIfTI header."""
    header = bytearray(gzip.decompress(good[".nii.gz"]))
    for _ in range(int(rng.integers(1, 12))):
        at = int(rng.choice([40, 42, 44, 46, 48, 70, 72, 76, 80, 108, 112, 116, 252, 254, 256, 268, 280, 296, 312]))
        header[at : at + 4] = rng.bytes(4)
    return bytes(header) if rng.random() < 0.5 else gzip.compress(bytes(header))


def foreign_data(rng: np.random.Generator, _good: dict[str, bytes]) -> bytes:
    """Headers that keep their data in another file of the machine."""
    target = str(
        rng.choice(["/etc/passwd", "../../../../etc/passwd", "../study.json", "LIST", "/dev/zero", "%02d 1 9 1"])
    )
    if rng.random() < 0.5:
        return (
            f"ObjectType = Image\nNDims = 3\nDimSize = 8 8 8\nElementType = MET_UCHAR\nElementDataFile = {target}\n"
        ).encode()
    return (f"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 8 8 8\nencoding: raw\ndata file: {target}\n\n").encode()


def dicom_lies(rng: np.random.Generator, good: dict[str, bytes]) -> bytes:
    """Rows, columns, frames and lengths that are not so."""
    whole = bytearray(good[".dcm"])
    for element in (b"\x28\x00\x10\x00US", b"\x28\x00\x11\x00US", b"\x28\x00\x02\x00US", b"\x28\x00\x00\x01US"):
        at = whole.find(element)
        if at > 0 and rng.random() < 0.6:
            whole[at + 8 : at + 10] = struct.pack("<H", int(rng.choice([0, 1, 3, 65535])))
    at = whole.find(b"\xe0\x7f\x10\x00OW")
    if at > 0 and rng.random() < 0.5:
        whole[at + 8 : at + 12] = struct.pack("<I", int(rng.choice([0, 7, 0xFFFFFFFF, 0xFFFFFFF0])))
    return bytes(whole)


def dicom_deep(rng: np.random.Generator, good: dict[str, bytes]) -> bytes:
    """Sequences in sequences, thousands deep, without an end."""
    head = good[".dcm"][:132] + b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\x00"
    return head + b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * int(
        rng.choice([500, 20_000])
    )


def dicom_codec(rng: np.random.Generator, _good: dict[str, bytes]) -> bytes:
    """Compressed pixels that are noise behind a true magic number."""
    import pydicom
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.encaps import encapsulate

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3.4"
    magic = {
        "1.2.840.10008.1.2.4.90": b"\xff\x4f\xff\x51\x00\x29",
        "1.2.840.10008.1.2.4.80": b"\xff\xd8\xff\xf7\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00",
        "1.2.840.10008.1.2.4.70": b"\xff\xd8\xff\xc3\x00\x0b\x10\xff\xff\xff\xff\x01\x01\x11\x00",
        "1.2.840.10008.1.2.5": b"\x01\x00\x00\x00\x40\x00\x00\x00",
    }
    syntax = str(rng.choice(list(magic)))
    meta.TransferSyntaxUID = syntax
    held = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    held.SOPClassUID, held.SOPInstanceUID, held.Modality = "1.2.840.10008.5.1.4.1.1.7", "1.2.3.4", "OT"
    held.Rows, held.Columns = int(rng.choice([4, 60000])), int(rng.choice([4, 60000]))
    held.SamplesPerPixel, held.PhotometricInterpretation = 1, "MONOCHROME2"
    held.BitsAllocated = held.BitsStored = 16
    held.HighBit, held.PixelRepresentation = 15, 0
    held.PixelData = encapsulate([magic[syntax] + rng.bytes(400)])
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, held, enforce_file_format=True)
    return buffer.getvalue()


def giant_picture(rng: np.random.Generator, _good: dict[str, bytes]) -> bytes:
    """A PNG that claims billions of pixels, with or without some."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    side = int(rng.choice([16_000, 60_000, 0x7FFFFFFF]))
    header = struct.pack(">2I5B", side, side, int(rng.choice([8, 16])), int(rng.choice([0, 2, 6])), 0, 0, 0)
    pixels = zlib.compress(bytes(int(rng.choice([100, 16 << 20]))))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def tiff_loop(rng: np.random.Generator, _good: dict[str, bytes]) -> bytes:
    """A TIFF whose directories point at each other."""
    entry = struct.pack("<2H2I", 256, 4, 1, int(rng.integers(1 << 32))) + struct.pack("<2H2I", 257, 4, 1, 100_000)
    return b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", 2) + entry + struct.pack("<I", 8) + rng.bytes(64)


def polyglot(rng: np.random.Generator, good: dict[str, bytes]) -> bytes:
    """Two kinds in one file: a program, page or archive in a DICOM preamble, or behind a picture."""
    front = (
        b"MZ" + bytes(126), b"\x7fELF" + bytes(124), b"<script>alert(1)</script>".ljust(128), b"%PDF-1.7\n".ljust(128),
        b"#!/bin/sh\ntouch escaped\n".ljust(128),
    )  # fmt: skip
    choice = int(rng.integers(3))
    if choice == 0:
        return front[rng.integers(len(front))] + good[".dcm"][128:]
    if choice == 1:
        return good[".png"] + _zip([("../escaped", b"x"), ("a.dcm", good[".dcm"])])
    return good[".dcm"] + _zip([("b.dcm", bytes(100))])


def damaged(rng: np.random.Generator, good: dict[str, bytes]) -> bytes:
    """A whole file with bytes changed, cut off or doubled."""
    content = bytearray(good[str(rng.choice(sorted(good)))])
    for _ in range(int(rng.integers(1, 40))):
        content[int(rng.integers(len(content)))] = int(rng.integers(256))
    if rng.random() < 0.4:
        content = content[: int(rng.integers(len(content)))]
    return bytes(content)


def noise(rng: np.random.Generator, _good: dict[str, bytes]) -> bytes:
    """Nothing in particular, sometimes behind a magic number."""
    magic = (b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"\x89PNG\r\n\x1a\n", b"NRRD0005\n", b"\x1a\x45\xdf\xa3", b"II*\x00")
    return magic[rng.integers(len(magic))] + rng.bytes(int(rng.integers(0, 4000)))


def markup(rng: np.random.Generator, _good: dict[str, bytes]) -> bytes:
    """Pages, entities and objects that some reader might run or fetch."""
    return (
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><svg>&e;</svg>',
        b"cos\nsystem\n(S'touch escaped'\ntR.",
        b"!!python/object/apply:os.system ['touch escaped']",
        b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
    )[rng.integers(4)]


def broken_form(rng: np.random.Generator, good: dict[str, bytes]) -> Attack:
    """Forms that end early, have no names, thousands of parts, or endless headers."""
    part = b'--b0undary\r\nContent-Disposition: form-data; name="files"; filename="a.dcm"\r\n\r\n'
    body = (
        part + good[".dcm"][:1000],
        b"--b0undary\r\n\r\nx\r\n--b0undary--\r\n",
        b"".join(part + b"x\r\n" for _ in range(3000)) + b"--b0undary--\r\n",
        b'--b0undary\r\nContent-Disposition: form-data; name="files"; filename="' + b"A" * 200_000,
        b"--b0undary\r\n" + b"X-A: b\r\n" * 50_000 + b"\r\nx\r\n--b0undary--\r\n",
        part.replace(b"files", b"other") + b"x" * (2 << 20) + b"\r\n--b0undary--\r\n",
        part + bytes(10) + b"\r\n--b0undary",
        rng.bytes(2000),
    )[rng.integers(8)]
    kinds = (
        "multipart/form-data; boundary=b0undary",
        "multipart/form-data",
        "multipart/form-data; boundary=" + "b" * 999,
    )
    kind = kinds[0] if rng.random() < 0.7 else kinds[rng.integers(3)]
    return Attack("broken form", body, kind)


def bad_json(rng: np.random.Generator, _good: dict[str, bytes]) -> Attack:
    """Paths that lead out, and JSON that is deep, wide or none."""
    body = (
        json.dumps({"path": NAMES[rng.integers(len(NAMES))]}),
        "[" * 100_000,
        json.dumps({"path": "../" * 200 + "etc"}),
        json.dumps({"path": "/proc/self/environ"}),
        json.dumps({"dicomweb": "1.2.3/../../admin"}),
        json.dumps({"path": ["a"], "dicomweb": "1"}),
        '{"path": NaN}',
        '{"path": "' + "a" * 1_000_000 + '"}',
    )[rng.integers(8)]
    return Attack("bad JSON", body.encode("utf-8", "replace"), "application/json")


_MAKERS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        damaged, bomb, zip_paths, nifti_lies, nested, dicom_lies, overlapping, noise, lying_sizes, polyglot, zip_link,
        dicom_codec, gzip_bomb, foreign_data, damaged, giant_picture, broken_form, dicom_deep, tiff_loop, bad_json,
        markup, broken_form,
    )
}  # fmt: skip
