"""Which studies an archive holds, found without reading more than it takes to tell them apart.

DICOM files are grouped by their StudyInstanceUID, of which only the first KB of a file are read. Another image, a zip
or a report is a study of its own, known by the SHA-256 of its content, so that it may be moved or renamed.
"""

from __future__ import annotations

import csv
import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Literal

from groundglass.app.archive.manifest import Found
from groundglass.core import GroundglassError, InputError
from groundglass.io.dicom_header import early_text, quiet
from groundglass.io.kinds import kind_of
from groundglass.io.sources import files_below

Grouping = Literal["file", "folder"]

_IMAGES = ("nifti", "nrrd", "meta", "raster", "video")
# A file of no known content is still listed where its name says that it should be an image.
_NAMES = (
    ".dcm", ".dicom", ".nii", ".nii.gz", ".nrrd", ".mha", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".zip",
)  # fmt: skip
_TEXTS = (".txt", ".html", ".htm", ".rtf", ".hl7")
_THREADS = 8


def discover(
    given: Path, *, texts: bool = False, group: Grouping = "file", without: Path | None = None
) -> Iterator[Found]:
    """Files of `given` with the study that each belongs to, in sorted order.

    `given` is a folder, one file, or a CSV with a column `path` (and `study`, which then names the study). `texts`
    looks for text reports instead of images. `group="folder"` makes one study of the images of a folder that are not
    DICOM (the sequences of one brain). What lies below `without` is passed over.
    Raises InputError when `given` does not exist or is a CSV without these columns.
    """
    if not given.exists():
        raise InputError(given, "does not exist", "Check the path.")
    with quiet():
        if given.is_file() and given.suffix.lower() == ".csv":
            yield from _listed(given, texts=texts, group=group)
        elif given.is_file():
            found = identify(given, given.parent, texts=texts)
            if found is None:
                raise InputError(given, "is neither an image nor a report", "Name a folder or an image.")
            yield found
        else:
            yield from _below(given, given, texts=texts, group=group, without=without)


def _below(folder: Path, root: Path, *, texts: bool, group: Grouping, without: Path | None = None) -> Iterator[Found]:
    files = (path for path in files_below(folder) if without is None or not path.is_relative_to(without))
    found = (item for item in in_threads(partial(identify, root=root, texts=texts), files) if item is not None)
    yield from _by_folder(found) if group == "folder" else found


def identify(path: Path, root: Path, *, texts: bool = False) -> Found | None:
    """The study of one file, None for what is none. A file that cannot be read is a study, which will fail."""
    source = path.relative_to(root).as_posix()
    name = path.name.lower()
    try:
        size = path.stat().st_size
        if texts:
            return Found(_digest(path), "text", source, str(path), size) if name.endswith(_TEXTS) else None
        kind = kind_of(path)
        if kind == "dicom":
            uid = _study_uid(path)
            if uid:
                return Found(uid, "dicom", source, str(path), size)
        elif kind not in ("zip", *_IMAGES) and not _should_be_image(path, kind):
            return None
        return Found(_digest(path), "zip" if kind == "zip" else "image", source, str(path), size)
    except OSError:
        # Nothing of it can be read, so it is known by its place.
        return Found(f"place:{source}", "image", source, str(path))


def _should_be_image(path: Path, kind: str) -> bool:
    """Whether a file whose content is no image is to be listed as a broken one, by its name."""
    return path.name.lower().endswith(_NAMES) or (kind == "empty" and not path.suffix)


def _study_uid(path: Path) -> str:
    try:
        return early_text(path, "StudyInstanceUID")
    except GroundglassError:
        return ""


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _by_folder(found: Iterator[Found]) -> Iterator[Found]:
    """Images that are not DICOM, put together by the folder that they lie in."""
    for (folder, whole), items in groupby(found, key=lambda f: (str(Path(f.source).parent), f.kind == "image")):
        if not whole:
            yield from items
            continue
        members = list(items)
        told = "\n".join(f"{item.key} {Path(item.source).name}" for item in members)
        key = f"folder:{hashlib.sha256(told.encode()).hexdigest()}"
        yield from (replace(item, key=key, source=folder) for item in members)


def _listed(table: Path, *, texts: bool, group: Grouping) -> Iterator[Found]:
    """The files that a CSV names, relative to itself (absolute paths stay)."""
    root = table.parent
    with table.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if "path" not in (reader.fieldnames or ()):
            raise InputError(table, "has no column path", "Give it a header: path, or study and path.")
        for number, row in enumerate(reader, start=2):
            path = root / (row["path"] or "")
            study = (row.get("study") or "").strip()
            source = row["path"] or f"line {number}"
            if not row["path"] or not path.exists():
                yield Found(study or f"place:{source}", "image", source, str(path))
            elif study:
                files = [path] if path.is_file() else files_below(path)
                yield from (Found(study, "text" if texts else "dicom", source, str(f), f.stat().st_size) for f in files)
            elif path.is_dir():
                yield from _below(path, root, texts=texts, group=group)
            else:
                found = identify(path, root, texts=texts)
                if found is not None:
                    yield found


def in_threads(work: Callable[[Path], Found | None], paths: Iterator[Path]) -> Iterator[Found | None]:
    """`work` of every path, in order; some files are on their way while others are looked at (disks and nets wait)."""
    waiting: deque[Future[Found | None]] = deque()
    with ThreadPoolExecutor(_THREADS) as pool:
        for path in paths:
            waiting.append(pool.submit(work, path))
            if len(waiting) >= 4 * _THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
