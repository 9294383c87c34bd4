"""The one place where files are written: whole or not at all.

A file is made under a temporary name in the folder of its final name, flushed to disk, and renamed over it
(an atomic step within one file system). An error or a full disk leaves the old file, or none, and no temporary
one; a kill leaves the old file, and at worst a dot file that nothing reads.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from groundglass.core.errors import InputError


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path to write to; it becomes `path` when the block ends without an error.

    The temporary name keeps the whole suffix of `path` (`.nii.gz`), because writers choose the format by it,
    and starts with a dot. Missing folders are made. The mode is that of any new file under the umask, or that
    of the file that is replaced.
    Raises InputError when the folder cannot be written or the disk is full; then nothing is left behind.
    """
    final = Path(path)
    if final.is_dir():
        raise InputError(final, "is a folder, not a file to write", "Name a file in it.")
    temporary = final.with_name(f".{secrets.token_hex(6)}.{final.name[-32:]}")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if not temporary.exists():
            raise InputError(final, "was not written", "The writer must fill the temporary path that it is given.")
        if final.exists():
            temporary.chmod(final.stat().st_mode & 0o7777)
        _sync(temporary)
        temporary.replace(final)
        _sync(final.parent)
    except OSError as error:
        if error.filename is not None and Path(error.filename) not in (temporary, final, *final.parents):
            raise  # about another file, which the block was reading
        raise _explained(final, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes_atomic(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` to `path`, whole or not at all. Raises InputError as `atomic_path`."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text_atomic(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8 with its newlines as they are, whole or not at all. Raises InputError as `atomic_path`."""
    write_bytes_atomic(path, text.encode("utf-8"))


def write_json_atomic(path: str | os.PathLike[str], value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all. Raises InputError as `atomic_path`."""
    write_text_atomic(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def _sync(path: Path) -> None:
    """Flush a file or a folder's entries to disk; Windows has no handle on folders."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() or os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network file systems refuse to sync a folder; the file itself was synced before.
        if not (path.is_dir() and error.errno in (errno.EINVAL, errno.ENOTSUP)):
            raise
    finally:
        os.close(handle)


def _explained(path: Path, error: OSError) -> InputError:
    remedies = {
        errno.ENOSPC: "Free some space or write elsewhere.",
        errno.EDQUOT: "Your quota is used up: free some space or write elsewhere.",
        errno.EACCES: "Write to a folder that you may write to.",
        errno.EROFS: "Write to a folder that you may write to.",
    }
    number = error.errno or 0
    return InputError(
        path, f"cannot be written ({error.strerror or error})", remedies.get(number, "Choose another path.")
    )
