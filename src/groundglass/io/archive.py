"""ZIP archives, unpacked only after every entry was found to be harmless."""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from groundglass.core import InputError, TruncatedError, UnsafeInputError, UnsupportedError

MAX_ENTRIES = 100_000
# Real studies compress 2 to 20 times; 200 times at more than 256 MiB is taken for an attack.
MAX_RATIO = 200
FREE_BYTES = 256 << 20


def unpack(path: Path, label: str) -> tempfile.TemporaryDirectory[str]:
    """The archive's files in a temporary folder, which goes when the returned object is let go.

    Raises UnsafeInputError (names that leave the folder, links, too many or too large entries), UnsupportedError
    (password), TruncatedError (damaged).
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            check_entries(entries, label)
            folder = tempfile.TemporaryDirectory(prefix="groundglass-")
            for number, entry in enumerate(entries):
                _extract(archive, entry, Path(folder.name) / _safe_path(entry.filename, number))
            return folder
    except (zipfile.BadZipFile, EOFError, zlib.error, ValueError) as error:
        raise TruncatedError(label, f"is a damaged archive ({error})", "Copy or pack it again.") from error
    except (NotImplementedError, RuntimeError) as error:
        raise UnsupportedError(
            label, f"is packed in a way that is not read ({error})", "Pack it as a plain zip."
        ) from error
    except (OSError, MemoryError) as error:
        raise InputError(
            label, f"cannot be unpacked ({error})", "Check the free space of the temporary folder."
        ) from error


def check_entries(entries: list[zipfile.ZipInfo], label: str) -> None:
    """Raises UnsafeInputError or UnsupportedError as `unpack`; nothing is read but the directory."""
    if not entries:
        raise InputError(label, "is an empty archive", "Pass an archive with images.")
    if len(entries) > MAX_ENTRIES:
        raise UnsafeInputError(label, f"holds {len(entries)} files", "Unpack it yourself and pass the folder.")
    for entry in entries:
        name = entry.orig_filename.replace("\\", "/")
        parts = PurePosixPath(name).parts
        if ".." in parts or name.startswith("/") or "\0" in name or (len(name) > 1 and name[1] == ":"):
            raise UnsafeInputError(label, f"holds a file that would be written outside ({name!r})", "Do not unpack it.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise UnsafeInputError(label, f"holds a link ({name!r})", "Pack the files themselves.")
        if entry.flag_bits & 1:
            raise UnsupportedError(label, "is protected by a password", "Unpack it and pass the folder.")
    unpacked, packed = sum(e.file_size for e in entries), sum(e.compress_size for e in entries)
    if unpacked > FREE_BYTES and unpacked > MAX_RATIO * max(1, packed):
        raise UnsafeInputError(
            label,
            f"claims {unpacked} bytes from {packed} packed ones, as a zip bomb does",
            "Check where it comes from.",
        )
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if unpacked > free:
        raise InputError(label, f"unpacks to {unpacked} bytes, {free} are free", "Free some space or set TMPDIR.")


def _safe_path(name: str, number: int) -> Path:
    """A path inside the folder; over-long or odd names are replaced by their number."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("", ".", "/")]
    if not parts or any(len(part.encode("utf-8", "replace")) > 200 for part in parts) or len(parts) > 20:
        return Path(f"entry-{number}")
    return Path(*parts)


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    if target.exists():
        target = target.with_name(f"{target.name}-{entry.header_offset}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, target.open("xb") as sink:
        # zipfile reads no more than the entry claims, and the claims were added up before.
        shutil.copyfileobj(source, sink, 1 << 20)
