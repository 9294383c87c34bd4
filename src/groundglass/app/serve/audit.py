"""Who did what and when, without a word about a patient: ids are hashed with a key that only this log's folder holds.

One JSON line per request that changes or shows something: time, client's address hashed, method, the operation as the
OpenAPI document names it (never the path), status, duration, and the hash of the study, job or session that it named.
The same study has the same hash in every line, so that "who opened this study" can be answered by whoever has the key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

from starlette.types import Scope

from groundglass.app.serve.store import now

_LARGEST = 64 << 20


class Audit:
    """The log `audit.jsonl` in a folder, with the file before it kept as `audit.1.jsonl`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "audit.jsonl"
        self._key = _key(folder / "audit.key")
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, scope: Scope, status: int, seconds: float) -> None:
        """Write the line of a request; files of the viewer are not worth one."""
        operation = getattr(scope.get("endpoint"), "__name__", "-")
        if operation == "-" and status < 400:
            return
        client = scope.get("client")
        line = {
            "time": now(),
            "client": self.hashed(client[0]) if client else None,
            "method": scope["method"] if scope["method"].isalpha() and len(scope["method"]) < 10 else "?",
            "operation": operation,
            "status": status,
            "seconds": round(seconds, 4),
        }
        names = scope.get("path_params") or {}
        line |= {name: self.hashed(str(value)) for name, value in names.items() if name.endswith("_id")}
        os.write(self._file, (json.dumps(line) + "\n").encode())
        if os.fstat(self._file).st_size > _LARGEST:
            self._turn()

    def hashed(self, text: str) -> str:
        """A short keyed hash: equal texts are equal, and nobody without the key can guess them."""
        return hmac.new(self._key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:16]

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def _turn(self) -> None:
        os.close(self._file)
        self._path.replace(self._path.with_name("audit.1.jsonl"))
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _key(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        key = secrets.token_bytes(32)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(handle, key)
        os.close(handle)
        return key
