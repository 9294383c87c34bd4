"""`groundglass deidentify`: the basic profile over files and folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def run(paths: Sequence[Path], out: Path, *, secret: str, as_json: bool) -> int:
    """De-identify into `out`; 0 when every file was done, 1 when one was refused or unreadable."""
    raise AssertionError
