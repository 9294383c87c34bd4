"""DICOM associations without the pauses that TCP's defaults put between small messages.

Two things slow DIMSE down: Nagle's algorithm holds a small segment back until the one before it is acknowledged, and
the peer delays that acknowledgement by about 40 ms. TCP_NODELAY ends the first at our own end; acknowledging at once
what was read (TCP_QUICKACK, Linux) ends it for a peer that leaves Nagle's algorithm on, as dcmtk and Orthanc do.
pynetdicom's own pauses, between looks at the socket and at the queue of messages, become waits that what comes in ends.
"""

from __future__ import annotations

import functools
import queue
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from groundglass.core import ConfigurationError

if TYPE_CHECKING:
    from pynetdicom.dimse import DIMSEServiceProvider
    from pynetdicom.dul import DULServiceProvider
    from pynetdicom.events import Event
    from pynetdicom.transport import AssociationSocket

# The largest PDU that dcmtk sends; every PDU costs a round through pynetdicom's state machine.
MAX_PDU = 131072
# What is to be sent waits at most this long for the end of a wait for what comes in.
_SOCKET_SECONDS = 0.0005
# A request to release waits at most this long for the end of a wait for messages.
_MESSAGE_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Peer:
    """An application entity of another machine, written AET@HOST:PORT."""

    aet: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ConfigurationError where `text` is not AET@HOST:PORT."""
        aet, at, address = text.partition("@")
        host, colon, port = address.rpartition(":")
        if not (at and colon and host and is_aet(aet) and port.isdigit() and 0 < int(port) < 65536):
            raise ConfigurationError(text, "is not the address of a DICOM node", "Write AET@HOST:PORT.")
        return cls(aet, host.strip("[]"), int(port))

    def __str__(self) -> str:
        return f"{self.aet}@{self.host}:{self.port}"


def is_aet(text: str) -> bool:
    """True for an application entity title: 1 to 16 printable ASCII characters, no backslash, not blank (PS3.5 6.2)."""
    return bool(text.strip()) and len(text) <= 16 and text.isascii() and text.isprintable() and "\\" not in text


def require_networking() -> None:
    """Raises ConfigurationError where pynetdicom is not installed."""
    try:
        import pynetdicom  # noqa: F401
    except ImportError as error:
        raise ConfigurationError(
            "DICOM networking", "needs the package pynetdicom", "pip install 'groundglass[node]'."
        ) from error


def prompt() -> tuple[Any, Callable[[Event], None]]:
    """The event handler that makes an association prompt: pass it in `evt_handlers`, at either end."""
    from pynetdicom import evt

    return evt.EVT_CONN_OPEN, _make_prompt


def _make_prompt(event: Event) -> None:
    provider = event.assoc.dul
    wrapped = provider.socket
    if wrapped is None or wrapped.socket is None:
        return
    wrapped.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wrapped.recv = functools.partial(_receive, wrapped)  # type: ignore[method-assign]
    provider._is_transport_event = functools.partial(  # type: ignore[method-assign]
        _is_transport_event, provider, provider._is_transport_event
    )
    provider._run_loop_delay = 0
    if event.assoc.is_acceptor:
        event.assoc.dimse.get_msg = functools.partial(_message, event.assoc.dimse)  # type: ignore[method-assign]


def _is_transport_event(provider: DULServiceProvider, look: Callable[[], bool]) -> bool:
    """Read what the socket has, waiting for it a moment where there is nothing else to do."""
    wrapped = provider.socket
    if wrapped is not None and wrapped.socket is not None and provider.event_queue.empty():
        with suppress(OSError, ValueError):
            select.select([wrapped.socket], [], [], _SOCKET_SECONDS)
    return look()


def _message(provider: DIMSEServiceProvider, block: bool = False) -> tuple[Any, Any]:
    """The next message, waiting for it a moment where pynetdicom only looks; (None, None) where none came."""
    with suppress(queue.Empty):
        return provider.msg_queue.get(timeout=provider.dimse_timeout if block else _MESSAGE_SECONDS)
    return None, None


def _receive(wrapped: AssociationSocket, size: int) -> bytearray:
    """`size` bytes (fewer when the peer closed), acknowledged at once; pynetdicom's own reads 4 KiB at a time."""
    connection = wrapped.socket
    assert connection is not None
    received = bytearray(size)
    view = memoryview(received)
    at = 0
    while at < size:
        count = connection.recv_into(view[at:])
        if count == 0:
            break
        at += count
    if hasattr(socket, "TCP_QUICKACK"):
        # The kernel falls back to delaying by itself, so this is said after every read.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    view.release()
    del received[at:]
    return received
