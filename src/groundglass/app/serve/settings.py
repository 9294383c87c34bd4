"""How the server runs: where its data lie, who may reach it, and how much of everything it takes."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path

_GIB = 1 << 30


def _half_of_memory() -> int:
    """Half of the machine's memory, at least 2 GiB."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        total = 8 * _GIB
    return max(2 * _GIB, total // 2)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what one client, or all of them, can make the server hold.

    `unpacked_bytes` bounds an upload after its archives are unpacked, `ratio` how many times larger that may be than
    what was sent (above 64 MiB), `image_bytes` the decoded pixels of one image. Times are in seconds.
    """

    upload_bytes: int = 4 * _GIB
    upload_files: int = 20_000
    unpacked_bytes: int = 8 * _GIB
    ratio: int = 100
    image_bytes: int = 4 * _GIB
    uploads_at_once: int = 4
    body_bytes: int = 4 << 20
    studies: int = 10_000
    waiting_jobs: int = 32
    kept_jobs: int = 512
    waiting_calls: int = 64
    streams: int = 128
    sessions: int = 64
    sessions_per_minute: int = 1_200
    session_idle: float = 1800.0
    prompts: int = 2000
    read_seconds: float = 3600.0
    call_seconds: float = 600.0
    worker_bytes: int = field(default_factory=_half_of_memory)


@dataclass(frozen=True, slots=True)
class Settings:
    """`data` is the folder that studies may be opened from; the server's own files lie in `keep`, by default in
    `.groundglass` in it.

    Without a `token` everybody who reaches the port may do everything, so `commands.py` demands one beyond localhost.
    `hosts` are further names under which the server is reached, `origins` those of pages elsewhere that may use it
    (`https://ohif.hospital.example`), which they do with the token, never with the cookie.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    dicomweb: str | None = None
    dicomweb_token: str | None = None
    keep: Path | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def home(self) -> Path:
        """Where the server keeps what it was sent and what it made."""
        return self.data / ".groundglass" if self.keep is None else self.keep

    @property
    def is_local(self) -> bool:
        """True when only this machine can reach the port."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """True for localhost and the loopback addresses."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
