"""One DICOM file's header: read once, without its pixels, and asked for values that never raise."""

from __future__ import annotations

import io
import os
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from pydicom import config
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import data_element_generator, read_dataset, read_preamble
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from groundglass.core import TruncatedError, UnsafeInputError, UnsupportedError

UNDEFINED_LENGTH = 0xFFFFFFFF
# Deflate cannot shrink data to less than 1/1032 of its size (RFC 1951: 258 bytes in 2 bits).
DEFLATE_RATIO = 1032
_PIXEL_TAGS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}
_SYNTAX = Tag("TransferSyntaxUID")
_FIRST_READ = 1 << 16
_EARLY_READ = 1 << 13
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_INFLATED_LIMIT = 4 << 30


@dataclass(slots=True, eq=False)
class Header:
    """A parsed file. `pixels_at` is the offset of the pixel value in the stream that `open` gives, None without one.

    `pixels_length` is the length that the file claims, UNDEFINED_LENGTH for encapsulated (compressed) frames. `keep`
    is held as long as the header is (the temporary folder that the file lies in).
    """

    path: Path
    label: str
    dataset: Dataset
    pixels_at: int | None
    pixels_length: int
    pixels_keyword: str
    size: int
    keep: Any = None
    _syntax: UID | None = None

    def open(self) -> BinaryIO:
        """The byte stream that `pixels_at` counts in: the file, inflated where its transfer syntax is deflated."""
        if self.transfer_syntax == DeflatedExplicitVRLittleEndian:
            content = self.path.read_bytes()
            return io.BytesIO(_inflate(content, _meta_end(content), self.label))
        return self.path.open("rb")

    @property
    def transfer_syntax(self) -> UID:
        if self._syntax is None:
            meta = getattr(self.dataset, "file_meta", None)
            stated = value_of(meta, "TransferSyntaxUID") if meta is not None else None
            self._syntax = stated if isinstance(stated, UID) else _syntax_of(self.dataset)
        return self._syntax

    def raw(self, tag: BaseTag) -> Any:
        """The undecoded value of an element (bytes where it was not asked for before): cheap to compare."""
        element = self.dataset.get_item(tag)
        return None if element is None else element.value

    def key(self, tags: Iterable[BaseTag]) -> tuple[Any, ...]:
        """The undecoded values of elements, to tell at little cost which files say the same."""
        return tuple([_hashable(self.raw(tag)) for tag in tags])


def _syntax_of(dataset: Dataset) -> UID:
    """What the bytes looked like, for a file without meta information."""
    implicit, little = dataset.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def value_of(dataset: Dataset, keyword: str) -> Any:
    """The decoded value, None where it is absent, empty or cannot be decoded."""
    try:
        value = dataset.get(keyword)
    except Exception:
        # A damaged value is as good as none; pydicom raises a dozen types here.
        return None
    return None if value is None or value == "" else value


def read_header(path: Path, label: str | None = None, *, keep: Any = None) -> Header:
    """The header of the DICOM file at `path`; `label` names it to the user.

    Call it under `quiet`, which is left to the caller of many.
    Raises TruncatedError (ends in its header), UnsupportedError (not DICOM), UnsafeInputError (inflates too far).
    """
    label = str(path) if label is None else label
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_FIRST_READ)
        if _DEFLATED in head[:2048]:
            content = head + file.read()
            header = _read_deflated(path, content, label)
            header.keep = keep
            return header
        while True:
            stream = io.BytesIO(head)
            whole = len(head) >= size
            dataset = _parse(stream, label, whole)
            found = None if dataset is None else _pixel_element(stream, dataset)
            if dataset is not None and (found is not None or whole):
                break
            # The header is longer than what was read; growing by powers keeps the number of parses small.
            head += file.read(len(head) * 7)
    header = _header(path, label, dataset, found, size, len(head))
    header.keep = keep
    return header


def early_text(path: Path, keyword: str) -> str:
    """The text of one element near the start of a file (StudyInstanceUID, ...), "" where it has none.

    Much cheaper than `read_header`: a few KB are read, and parsed only up to the element. Call it under `quiet`.
    Raises as `read_header`.
    """
    wanted = tag_of(keyword)
    with path.open("rb") as file:
        head = file.read(_EARLY_READ)
    stream = io.BytesIO(head)
    dataset = None
    if _DEFLATED not in head:
        with suppress(Exception):
            dataset = _parse_regular(stream, stop=lambda tag, _vr, _length: tag > wanted)
    # At the end of what was read an element may be cut short.
    if dataset is None or stream.tell() >= len(head):
        dataset = read_header(path).dataset
    return str(value_of(dataset, keyword) or "").strip()


def _header(
    path: Path, label: str, dataset: Dataset, found: tuple[str, int, int] | None, size: int, parsed: int
) -> Header:
    if len(dataset) == 0:
        if parsed < 1024:
            raise TruncatedError(label, "ends before its DICOM header does", "Copy or export the file again.")
        raise UnsupportedError(label, "is not a DICOM file", "Pass an image file.")
    keyword, at, length = found or ("", None, 0)
    return Header(path, label, dataset, at, length, keyword, size)


def _parse(stream: BinaryIO, label: str, whole: bool) -> Dataset | None:
    """The data set of the stream's bytes; None where they are only a part and parsing failed."""
    try:
        return _parse_regular(stream) or pydicom.dcmread(stream, stop_before_pixels=True, force=True)
    except Exception as error:
        if not whole:
            return None
        raise UnsupportedError(
            label, f"cannot be read as DICOM ({type(error).__name__}: {error})", "Export the file again."
        ) from error


def _parse_regular(stream: BinaryIO, stop: Callable[[BaseTag, str | None, int], bool] | None = None) -> Dataset | None:
    """What pydicom.dcmread gives for a file as the standard wants it, in less time; None, rewound, for others."""
    if stream.read(132)[128:] == b"DICM":
        meta = {e.tag: e for e in data_element_generator(stream, False, True, stop_when=_after_meta)}
        syntax = meta.get(_SYNTAX)
        uid = UID((syntax.value or b"").decode("ascii", "replace").rstrip("\0 ")) if syntax is not None else UID("")
        start = stream.read(6)
        stream.seek(-len(start), io.SEEK_CUR)
        # pydicom trusts the bytes more than the syntax where they disagree; that is left to it.
        if uid.is_transfer_syntax and uid.is_private is False and start[4:6].isupper() is not uid.is_implicit_VR:
            raw = data_element_generator(stream, uid.is_implicit_VR, uid.is_little_endian, stop_when=stop or _at_pixels)
            dataset = Dataset({element.tag: element for element in raw})
            dataset.file_meta = FileMetaDataset(meta)
            dataset.set_original_encoding(uid.is_implicit_VR, uid.is_little_endian)
            return dataset
    stream.seek(0)
    return None


def _at_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:
    return tag in _PIXEL_TAGS


def _pixel_element(stream: BinaryIO, dataset: Dataset) -> tuple[str, int, int] | None:
    """(keyword, offset of the value, claimed length) of the pixel element that parsing stopped at, else None."""
    implicit, little = dataset.original_encoding
    order = "little" if little else "big"
    start = stream.tell()
    element = stream.read(12)
    if len(element) < 12:
        return None
    group, number = int.from_bytes(element[:2], order), int.from_bytes(element[2:4], order)  # type: ignore[arg-type]
    keyword = _PIXEL_TAGS.get(group << 16 | number)
    if keyword is None:
        return None
    short = implicit or not element[4:6].isalpha()
    length = int.from_bytes(element[4:8] if short else element[8:12], order)  # type: ignore[arg-type]
    return keyword, start + (8 if short else 12), length


def _read_deflated(path: Path, content: bytes, label: str) -> Header:
    start = _meta_end(content)
    inflated = _inflate(content, start, label)
    meta_stream = io.BytesIO(content)
    try:
        with quiet():
            read_preamble(meta_stream, True)
            meta = read_dataset(meta_stream, False, True, stop_when=_after_meta)
            stream = io.BytesIO(inflated)
            dataset = read_dataset(stream, False, True, stop_when=_at_pixels)
    except Exception as error:
        raise UnsupportedError(label, f"cannot be read as DICOM ({error})", "Export the file again.") from error
    dataset.file_meta = FileMetaDataset(meta)
    dataset.set_original_encoding(False, True)
    return _header(path, label, dataset, _pixel_element(stream, dataset), len(inflated), len(inflated))


def _after_meta(tag: BaseTag, vr: str | None, length: int) -> bool:
    return tag.group != 2


def _meta_end(content: bytes) -> int:
    """Where the data set begins: after the file meta group, which is never deflated."""
    stream = io.BytesIO(content)
    with quiet():
        read_preamble(stream, True)
        read_dataset(stream, False, True, stop_when=_after_meta)
    return stream.tell()


def _inflate(content: bytes, start: int, label: str) -> bytes:
    body = content[start:]
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(body, _INFLATED_LIMIT)
    except (zlib.error, MemoryError) as error:
        raise TruncatedError(label, f"its deflated data set is damaged ({error})", "Export the file again.") from error
    if inflater.unconsumed_tail:
        raise UnsafeInputError(label, "inflates to more than 4 GiB", "Store it with another transfer syntax.")
    return inflated


def _hashable(value: Any) -> Any:
    return value if isinstance(value, (bytes, str, int, float, type(None))) else str(value)


@contextmanager
def quiet() -> Iterator[None]:
    """Reading without pydicom's remarks on values that do not conform: what matters is checked by the readers."""
    before = config.settings.reading_validation_mode
    config.settings.reading_validation_mode = config.IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        config.settings.reading_validation_mode = before


def tag_of(keyword: str) -> BaseTag:
    """The tag of a DICOM keyword."""
    return Tag(keyword)
