"""The bodies of STOW-RS (PS3.18 10.5): files as one multipart message, and what the server says of each."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydicom import Dataset

from groundglass.core import InputError
from groundglass.io.delivered import Delivered
from groundglass.io.dicom_header import quiet, read_header

# A request that fails is sent again whole, so requests are kept small against the files of large studies.
BATCH_BYTES = 64 << 20
_CHUNK = 1 << 18
_REFUSED, _MALFORMED = 0xA900, 0xC000


def batches(files: Iterable[Path]) -> Iterator[list[Path]]:
    """The files in groups of about BATCH_BYTES. Raises InputError for a path that is no file."""
    batch: list[Path] = []
    size = 0
    for file in files:
        if not file.is_file():
            raise InputError(file, "is not a file", "Name a DICOM file.")
        length = file.stat().st_size
        if batch and size + length > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += length
    if batch:
        yield batch


class Body:
    """Files as they are, a part each."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._boundary = secrets.token_hex(16)
        self._head = f"--{self._boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        self._close = f"--{self._boundary}--\r\n".encode()

    @property
    def headers(self) -> dict[str, str]:
        """What the body is. Its length is stated, because not every server takes chunked requests."""
        size = sum(len(self._head) + file.stat().st_size + 2 for file in self._files) + len(self._close)
        return {
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={self._boundary}',
            "Content-Length": str(size),
        }

    def chunks(self) -> Iterator[bytes]:
        """The bytes, read as they are sent."""
        for path in self._files:
            yield self._head
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
            yield b"\r\n"
        yield self._close


def outcomes(files: Sequence[Path], response: Dataset) -> list[Delivered]:
    """The answer to each file, by the UIDs that the Store Instances Response (PS3.18 Annex I) names."""
    stored = {str(item.ReferencedSOPInstanceUID) for item in response.get("ReferencedSOPSequence") or ()}
    failed = {
        str(item.get("ReferencedSOPInstanceUID", "")): int(item.get("FailureReason") or _REFUSED)
        for item in response.get("FailedSOPSequence") or ()
    }
    uids = [_uid(file) for file in files]
    status = [0 if uid in stored else failed.get(uid) or _REFUSED for uid in uids]
    return [Delivered(*answer) for answer in zip(files, uids, status, strict=True)]


def malformed(file: Path) -> Delivered:
    """A file that the server could not read."""
    return Delivered(file, "", _MALFORMED)


def _uid(file: Path) -> str:
    try:
        with quiet():
            return str(read_header(file).dataset.get("SOPInstanceUID", ""))
    except InputError:
        return ""
