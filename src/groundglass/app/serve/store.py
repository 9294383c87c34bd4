"""Studies on disk: one folder each under an opaque id, its record, and the paths of everything made for it.

No name that a client sent is ever part of a path: files are numbered, studies and images have ids of our own.

    .groundglass/studies/<id>/study.json       the record
                              input/00001.dcm  what was sent (a study opened in place has none)
                              images/i1/       volume.nii.gz, thumbnail.png
                              reading/         what the reading wrote, and findings.json
                              review.json      what the reviewer said
                              drawn/u1.json    findings that the reviewer drew
                              made/<stamp>/    exports and label maps of one reading and review
    .groundglass/incoming/                     what is not finished; emptied at every start
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from groundglass.app.serve.problems import Problem, not_found, too_many
from groundglass.core.errors import ConfigurationError
from groundglass.io.atomic import write_json_atomic

_FREE_BYTES = 1 << 30
_ID = re.compile(r"[a-z0-9]{16,32}")


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """The paths of one study."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def record(self) -> Path:
        return self.path / "study.json"

    @property
    def input(self) -> Path:
        return self.path / "input"

    @property
    def reading(self) -> Path:
        return self.path / "reading"

    @property
    def findings(self) -> Path:
        return self.reading / "findings.json"

    @property
    def review(self) -> Path:
        return self.path / "review.json"

    @property
    def drawn(self) -> Path:
        return self.path / "drawn"

    @property
    def made(self) -> Path:
        return self.path / "made"

    def image(self, image_id: str) -> Path:
        return self.path / "images" / image_id

    def forget_old(self, keep: int = 24) -> None:
        """Remove what was made for earlier readings and reviews, all but the newest."""
        stamps = sorted(self.made.iterdir(), key=lambda path: path.stat().st_mtime_ns) if self.made.is_dir() else []
        for path in stamps[:-keep]:
            shutil.rmtree(path, ignore_errors=True)

    def made_of(self, name: str, reason: str = "") -> Path:
        """The file of this name that is made of the present reading, and of `reason` beside it."""
        reading = self.findings.stat().st_mtime_ns if self.findings.is_file() else 0
        stamp = hashlib.sha256(f"{reading}\n{reason}".encode()).hexdigest()[:16]
        return self.made / stamp / name


@dataclass
class Record:
    """What study.json holds. `files` are (path, name for people); paths are relative to `input/`, or to the data
    folder for a study that was opened in place. `images` are the facts of `intake`."""

    id: str
    name: str
    created: str
    origin: str
    files: list[tuple[str, str]]
    images: list[dict[str, Any]] = field(default_factory=list)
    date: str | None = None
    patient_id: str = ""
    uid: str = ""
    warnings: list[str] = field(default_factory=list)
    job: str | None = None

    def image(self, image_id: str) -> dict[str, Any]:
        """The facts of an image. Raises the 404 problem."""
        found = next((image for image in self.images if image["id"] == image_id), None)
        if found is None:
            raise not_found("image in this study")
        return found

    def written(self) -> dict[str, Any]:
        """The JSON form; which job ran is not kept, because jobs do not outlive the server."""
        return {key: value for key, value in vars(self).items() if key != "job"}


class Store:
    """The studies of a data folder, held in memory and on disk alike.

    Raises ConfigurationError when the folder cannot be used, or another server has it.
    """

    def __init__(self, home: Path, *, at_most: int) -> None:
        self.home, self._at_most = home, at_most
        self._records: dict[str, Record] = {}
        try:
            for folder in (self.studies, self.incoming):
                folder.mkdir(parents=True, exist_ok=True)
            self.home.chmod(0o700)
            self._lock = _locked(self.home / "lock")
        except OSError as error:
            raise ConfigurationError(
                home, f"cannot be written ({error.strerror})", "Name another folder with --keep or --data."
            ) from error
        for leftover in self.incoming.iterdir():
            shutil.rmtree(leftover, ignore_errors=True)
        for record in self._on_disk():
            self._records[record.id] = record

    @property
    def studies(self) -> Path:
        return self.home / "studies"

    @property
    def incoming(self) -> Path:
        return self.home / "incoming"

    def close(self) -> None:
        """Let another server have the folder."""
        os.close(self._lock)

    def check_room(self) -> None:
        """Raises the 429 problem when there are as many studies as may be, or the disk is nearly full."""
        if len(self._records) >= self._at_most:
            raise too_many("The server holds as many studies as it may; delete one first.", after=60)
        if shutil.disk_usage(self.home).free < _FREE_BYTES:
            raise too_many("The disk of the server is nearly full.", after=60)

    def begin(self) -> StudyFolder:
        """A folder for a study to come; `finish` makes it one, `drop` removes it."""
        folder = StudyFolder(self.incoming / secrets.token_hex(10))
        folder.input.mkdir(parents=True)
        return folder

    def finish(self, folder: StudyFolder, record: Record) -> Record:
        """Write the record and give the study to everybody, in one step."""
        write_json_atomic(folder.record, record.written())
        self.check_room()
        folder.path.replace(self.studies / folder.id)
        self._records[record.id] = record
        return record

    def drop(self, folder: StudyFolder) -> None:
        """Remove a folder that came to nothing."""
        shutil.rmtree(folder.path, ignore_errors=True)

    def folder(self, study_id: str) -> StudyFolder:
        """The folder of a study. Raises the 404 problem."""
        self.get(study_id)
        return StudyFolder(self.studies / study_id)

    def get(self, study_id: str) -> Record:
        """The record of a study. Raises the 404 problem."""
        if study_id not in self._records:
            raise not_found("study")
        return self._records[study_id]

    def all(self) -> list[Record]:
        """Newest first."""
        return sorted(self._records.values(), key=lambda record: record.created, reverse=True)

    def delete(self, study_id: str) -> None:
        """Remove a study and all that was made of it; files that it was opened from stay. Raises the 404 problem."""
        folder = self.folder(study_id)
        del self._records[study_id]
        grave = self.incoming / f"deleted-{secrets.token_hex(8)}"
        folder.path.replace(grave)
        shutil.rmtree(grave, ignore_errors=True)

    def _on_disk(self) -> Iterator[Record]:
        for path in sorted(self.studies.iterdir()):
            try:
                content = json.loads((path / "study.json").read_text(encoding="utf-8"))
                content["files"] = [(str(file), str(name)) for file, name in content["files"]]
                record = Record(**content)
            except (OSError, ValueError, TypeError, KeyError):
                continue  # a folder of something else, or of a version to come
            if record.id == path.name and _ID.fullmatch(record.id):
                yield record


def now() -> str:
    """The present moment as ISO 8601 in UTC, to the microsecond so that order is kept."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def below(data: Path, path: str) -> Path:
    """The existing file or folder `path` of the data folder. Raises the 404 problem for all else.

    Links are followed before the check, so that none leads out; the server's own files are not to be named either.
    """
    try:
        found = (data / path).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        raise not_found("file or folder below the data folder") from None
    if not is_inside(found, data):
        raise not_found("file or folder below the data folder")
    return found


def is_inside(found: Path, data: Path) -> bool:
    """True for a resolved path in the data folder that is not the server's own."""
    root = data.resolve()
    return found.is_relative_to(root) and not found.is_relative_to(root / ".groundglass")


def read_json(path: Path, what: str) -> Any:
    """A JSON file of the store. Raises the 404 problem when it is not there."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise not_found(what) from None
    except (OSError, ValueError) as error:
        raise Problem(409, "damaged", f"The {what} cannot be read: make it again.") from error


def _locked(path: Path) -> int:
    """A lock that ends with the process. Raises ConfigurationError where another process has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        import fcntl
    except ImportError:  # not on Windows
        return handle
    for attempt in range(20):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            # A server that just ended may take a moment to let go.
            if attempt < 19:
                time.sleep(0.05)
    os.close(handle)
    raise ConfigurationError(path.parent, "is served already by another process", "End that one first.")
