"""Paths as the user gives them to the files that they stand for: files, folders, archives."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundglass.core import GroundglassError, InputError
from groundglass.io.archive import unpack
from groundglass.io.kinds import kind_of


@dataclass(frozen=True, slots=True)
class Source:
    """A file with its kind, the name to use for it in messages, and what must live as long as it is read."""

    path: Path
    label: str
    kind: str
    keep: Any = None


def sources_of(path: str | os.PathLike[str], warn: Callable[[GroundglassError], None]) -> Iterator[Source]:
    """The files of one path, folders in sorted order. Unreadable ones go to `warn`.

    Raises InputError when there is no such path, and as `unpack` for an archive.
    """
    given = Path(path)
    if not given.exists():
        raise InputError(given, "does not exist", "Check the path.")
    if given.is_dir():
        yield from _folder(given, "", None, warn)
        return
    yield from _file(given, str(given), None, warn)


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below, sorted, links to folders not followed; hidden files and the side files of systems left out."""
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        for name in sorted(files):
            if not name.startswith(".") and name.upper() not in ("DICOMDIR", "THUMBS.DB"):
                yield Path(where) / name


def _folder(folder: Path, prefix: str, keep: Any, warn: Callable[[GroundglassError], None]) -> Iterator[Source]:
    for found in files_below(folder):
        label = prefix + found.relative_to(folder).as_posix() if prefix else str(found)
        try:
            yield from _file(found, label, keep, warn)
        except GroundglassError as error:
            warn(error)


def _file(path: Path, label: str, keep: Any, warn: Callable[[GroundglassError], None]) -> Iterator[Source]:
    try:
        if not path.is_file():
            raise InputError(label, "is not a regular file", "Pass a file or a folder.")
        kind = kind_of(path)
    except OSError as error:
        raise InputError(label, f"cannot be read ({error.strerror or error})", "Check its permissions.") from error
    if kind == "zip" and keep is None:
        folder = unpack(path, label)
        yield from _folder(Path(folder.name), f"{label}!", folder, warn)
        return
    yield Source(path, label, kind, keep)
