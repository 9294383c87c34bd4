"""Which studies are still coming in."""

from __future__ import annotations

import threading
import time


class Arrivals:
    """A study is complete when no image of it came for `settle` seconds: DICOM has no other sign for it."""

    def __init__(self, settle: float) -> None:
        self._settle = settle
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}

    def touch(self, study: str) -> None:
        """An image of the study came in just now."""
        with self._lock:
            self._last[study] = time.monotonic()

    def complete(self) -> list[str]:
        """The studies that are complete now; each is told once."""
        limit = time.monotonic() - self._settle
        with self._lock:
            found = [study for study, last in self._last.items() if last <= limit]
            for study in found:
                del self._last[study]
        return found

    def __contains__(self, study: str) -> bool:
        with self._lock:
            return study in self._last
