"""Which files a language model may name: those below the folders that the user allowed, wherever links lead."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from groundglass.core import InputError
from groundglass.io.sources import files_below


class Roots:
    """The allowed folders. Names that are not absolute are below the first of them."""

    def __init__(self, folders: Sequence[Path]) -> None:
        for folder in folders:
            if not folder.is_dir():
                raise InputError(folder, "is not a folder", "Name folders that the tools may read.")
        self.folders = tuple(folder.resolve() for folder in folders)

    def file(self, name: str) -> Path:
        """The file or folder of a name. Raises InputError when it is not there or not allowed: one answer for both.

        A folder that holds a link to a place outside is refused, too.
        """
        path = (self.folders[0] / name).resolve()
        if not self._is_below(path) or not path.exists():
            allowed = ", ".join(str(folder) for folder in self.folders)
            raise InputError(name, "does not exist below the allowed folders", f"Name a file in {allowed}.")
        if path.is_dir():
            for found in files_below(path):
                if found.is_symlink() and not self._is_below(found.resolve()):
                    raise InputError(name, "holds a link that leads outside the allowed folders", "Name its files.")
        return path

    def files(self, names: Sequence[str]) -> list[Path]:
        """The files of several names. Raises as `file`, and InputError for none."""
        if not names:
            raise InputError("paths", "names no file", "Give at least one path.")
        return [self.file(name) for name in names]

    def _is_below(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self.folders)
