"""Files as clients send them: streamed to numbered files, bounded at every step, archives taken apart and checked.

Nothing is spooled elsewhere, nothing is held in memory but one chunk, and no name that was sent becomes a path.
"""

from __future__ import annotations

import re
import unicodedata
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from groundglass.app.serve.problems import Problem
from groundglass.app.serve.settings import Limits
from groundglass.core.errors import GroundglassError, TruncatedError, UnsafeInputError
from groundglass.io.archive import check_entries
from groundglass.io.kinds import kind_of

# Small uploads may unpack to this much whatever their ratio.
_FREE_BYTES = 64 << 20
_NAME = 120
_SUFFIXES = {
    "dicom": ".dcm", "nrrd": ".nrrd", "meta": ".mha", "raster": ".img", "video": ".mp4", "zip": ".zip",
}  # fmt: skip


@dataclass
class Received:
    """What a form held: (file, name for people) in order, the part that each file's name came in, small fields by name.

    `folder` is where the files lie if they are to be removed with it."""

    files: list[tuple[Path, str]] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    bytes: int = 0
    folder: Path | None = None


def shown_name(text: str) -> str:
    """What a client called a file, fit to be shown: its last part, printable, short, never empty."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", text))[-1]
    clean = "".join(c if c.isprintable() else " " for c in last).strip(" .")
    return " ".join(clean.split())[:_NAME] or "file"


async def receive_form(
    chunks: AsyncIterator[bytes],
    content_type: str,
    folder: Path,
    limits: Limits,
    *,
    names: tuple[str, ...] = ("files",),
) -> Received:
    """Write the file parts called one of `names` into `folder`; other parts are small fields.

    Raises a problem: 400 for a form that is none, 413 for too much.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary or len(boundary) > 200:
        raise Problem(415, "not-a-form", "Send multipart/form-data with the files in the field 'files'.")
    form = _Form(folder, limits, names)
    try:
        parser = MultipartParser(boundary, form.callbacks())  # type: ignore[arg-type]
        async for chunk in chunks:
            form.received.bytes += len(chunk)
            if form.received.bytes > limits.upload_bytes:
                raise _too_large(f"more than {limits.upload_bytes} bytes")
            parser.write(chunk)
        parser.finalize()
    except (FormParserError, UnicodeDecodeError, ValueError) as error:
        raise Problem(400, "bad-form", "The form is malformed.") from error
    finally:
        form.close()
    if not form.ended:
        raise Problem(400, "bad-form", "The form ends before its last boundary.")
    return form.received


class _Form:
    """The parser's callbacks: the present part goes to a file, or to a field of bounded size."""

    def __init__(self, folder: Path, limits: Limits, names: tuple[str, ...]) -> None:
        self.received = Received()
        self.ended = False
        self._folder, self._limits, self._names = folder, limits, names
        self._header, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._file: BinaryIO | None = None
        self._field: str | None = None
        self._text = bytearray()

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _begin(self) -> None:
        self._disposition = b""
        self._field, self._text = None, bytearray()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]
        self._bounded(self._header)

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._bounded(self._value)

    def _bounded(self, held: bytearray) -> None:
        if len(held) > 8192:
            raise Problem(400, "bad-form", "A part of the form has an over-long header.")

    def _on_header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header, self._value = bytearray(), bytearray()

    def _on_headers(self) -> None:
        _kind, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in options and name in self._names:
            if len(self.received.files) >= self._limits.upload_files:
                raise _too_large(f"more than {self._limits.upload_files} files")
            path = self._folder / f"{len(self.received.files) + 1:05d}"
            self._file = path.open("xb")
            self.received.parts[path.name] = name
            self.received.files.append((path, shown_name(options[b"filename"].decode("utf-8", "replace"))))
        elif len(self.received.fields) < 32:
            self._field = name[:100]
        else:
            raise Problem(400, "bad-form", "The form has too many fields.")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
        else:
            self._text += data[start:end]
            if len(self._text) > 1 << 20:
                raise _too_large("a field of more than 1 MiB")

    def _end(self) -> None:
        self.close()
        if self._field is not None:
            self.received.fields[self._field] = self._text.decode("utf-8", "replace")

    def _finish(self) -> None:
        self.ended = True


def unpack_all(files: list[tuple[Path, str]], folder: Path, limits: Limits) -> list[tuple[Path, str]]:
    """The files with every archive replaced by what it holds, each with a suffix that tells its kind.

    Raises UnsafeInputError (bombs, archives in archives, names that leave the folder), and as `check_entries`.
    """
    sent = sum(path.stat().st_size for path, _name in files)
    room = _Room(min(limits.unpacked_bytes, max(_FREE_BYTES, sent * limits.ratio)), limits.upload_files)
    result: list[tuple[Path, str]] = []
    for path, name in files:
        if kind_of(path) == "zip":
            result += _unpacked(path, name, folder, limits, room)
            path.unlink()
        else:
            room.take(path.stat().st_size, name)
            result.append((_with_suffix(path), name))
    return result


@dataclass
class _Room:
    """How many bytes and files may still come."""

    bytes: int
    files: int

    def take(self, size: int, name: str) -> None:
        self.bytes -= size
        self.files -= 1
        if self.bytes < 0 or self.files < 0:
            raise UnsafeInputError(name, "unpacks to more than may be", "Send the files themselves, in parts.")


def _unpacked(path: Path, name: str, folder: Path, limits: Limits, room: _Room) -> list[tuple[Path, str]]:
    result: list[tuple[Path, str]] = []
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            check_entries(entries, name)
            for entry in entries:
                if any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(entry.filename).parts):
                    continue
                _check_ratio(entry, name, limits)
                room.take(entry.file_size, name)
                target = folder / f"{path.name}-{len(result) + 1:05d}"
                _extract(archive, entry, target, name)
                if kind_of(target) == "zip":
                    raise UnsafeInputError(name, "holds an archive inside an archive", "Unpack it, send the files.")
                result.append((_with_suffix(target), shown_name(entry.filename)))
    except GroundglassError:
        raise
    except Exception as error:
        # zipfile, zlib, bz2 and lzma each have errors of their own for damaged data.
        raise TruncatedError(name, "is a damaged archive", "Copy or pack it again.") from error
    return result


def _check_ratio(entry: zipfile.ZipInfo, name: str, limits: Limits) -> None:
    if entry.file_size > _FREE_BYTES and entry.file_size > limits.ratio * max(1, entry.compress_size):
        raise UnsafeInputError(name, "claims far more than it packs, as a zip bomb does", "Do not unpack it.")


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, name: str) -> None:
    """One entry to a file, never more of it than it claims."""
    with archive.open(entry) as source, target.open("xb") as sink:
        left = entry.file_size
        while chunk := source.read(min(1 << 20, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise UnsafeInputError(name, "holds more than it claims", "Do not unpack it.")
            sink.write(chunk)


def _with_suffix(path: Path) -> Path:
    """The file under a name whose suffix tells its kind: some readers go by it."""
    kind = kind_of(path)
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    suffix = (".nii.gz" if packed else ".nii") if kind == "nifti" else _SUFFIXES.get(kind, ".bin")
    target = path.with_name(path.name + suffix)
    path.rename(target)
    return target


def _too_large(what: str) -> Problem:
    return Problem(413, "too-large", f"The upload holds {what}.")
