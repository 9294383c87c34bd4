"""DICOM unique identifiers without a registered root: `2.25.` and a 128-bit number (PS3.5 B.2)."""

from __future__ import annotations

import hashlib
import hmac
import uuid


def new_uid() -> str:
    """A fresh UID from a random UUID."""
    return f"2.25.{uuid.uuid4().int}"


def object_uid(identity: str, *parts: str) -> str:
    """The UID of an object made from an `identity` and what else tells it apart; a fresh one where that is empty."""
    return hashed_uid(identity, *parts) if identity else new_uid()


def hashed_uid(*parts: str, key: bytes = b"groundglass") -> str:
    """The same UID for the same parts and key (HMAC-SHA256, shortened to a version-8 UUID, RFC 9562).

    Without the key the parts can neither be recovered nor, in practice, be guessed and checked.
    """
    digest = hmac.new(key, "\x1f".join(parts).encode("utf-8"), hashlib.sha256).digest()
    number = int.from_bytes(digest[:16], "big")
    number = number & ~(0xF << 76) | 0x8 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return f"2.25.{number}"
