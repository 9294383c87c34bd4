"""multipart/related bodies (RFC 2046, 2387) read part by part, so that no part need lie in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.message import Message

_MAX_LINE = 1 << 16


class Truncated(Exception):  # noqa: N818 - internal: the caller names the server in its typed error
    """The body ends before its last boundary."""


def boundary_of(content_type: str) -> bytes | None:
    """The boundary that a Content-Type value states; None where it is not multipart."""
    message = Message()
    message["Content-Type"] = content_type
    boundary = message.get_param("boundary")
    is_multipart = message.get_content_maintype() == "multipart"
    return str(boundary).encode("latin-1") if is_multipart and boundary else None


def parts(chunks: Iterable[bytes], boundary: bytes) -> Iterator[tuple[dict[str, str], Iterator[bytes]]]:
    """(headers with names in lower case, chunks of content) of each part; what is left of a part is skipped.

    Raises Truncated when the chunks end before the closing boundary.
    """
    stream = _Stream(iter(chunks))
    mark = b"--" + boundary
    _drain(stream.until(mark))
    while not stream.line().startswith(b"--"):
        headers: dict[str, str] = {}
        while line := stream.line():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        content = stream.until(b"\r\n" + mark)
        yield headers, content
        _drain(content)


def _drain(chunks: Iterator[bytes]) -> None:
    for _ in chunks:
        pass


class _Stream:
    """Chunks read up to marks that may lie across their borders."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = b""

    def until(self, mark: bytes) -> Iterator[bytes]:
        """What comes before `mark`, which is consumed."""
        while (at := self._held.find(mark)) < 0:
            # All but the last bytes, which may be the mark's first ones, are safe to give.
            safe = len(self._held) - len(mark) + 1
            if safe > 0:
                given, self._held = self._held[:safe], self._held[safe:]
                yield given
            self._more()
        given, self._held = self._held[:at], self._held[at + len(mark) :]
        if given:
            yield given

    def line(self) -> bytes:
        """The next line without its end. The line after the closing boundary may lack one."""
        while (at := self._held.find(b"\r\n")) < 0:
            if self._held.startswith(b"--"):
                return self._held
            if len(self._held) > _MAX_LINE:
                raise Truncated(f"a header line of more than {_MAX_LINE} bytes")
            self._more()
        line, self._held = self._held[:at], self._held[at + 2 :]
        return line

    def _more(self) -> None:
        chunk = next(self._chunks, None)
        if chunk is None:
            raise Truncated("the body ends before its last boundary")
        self._held += chunk
