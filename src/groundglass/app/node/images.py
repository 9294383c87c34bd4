"""Received instances as files, one folder per study: whole or not there."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

Buffer = bytes | memoryview
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
# Left free, so that the ledger, results and logs go on being written when images fill the disk.
RESERVE_BYTES = 256 << 20


class DiskFull(Exception):  # noqa: N818 - internal: becomes a DICOM status
    """There is no room for an instance; nothing of it is left."""


@dataclass(frozen=True, slots=True)
class Instance:
    """What tells a received instance from others."""

    study: str
    uid: str
    modality: str


# What is made of images is no image to read; above all not our own results, should they be sent back to us.
DERIVED = ("SEG", "SR", "PR", "KO", "DOC", "RTSTRUCT", "RTPLAN", "RTDOSE", "REG", "FID", "PLAN", "AU", "ECG", "HD")


class Images:
    """`folder/images/STUDY/INSTANCE.dcm`, `folder/derived/STUDY/...` for what is no image, `folder/quarantine/`.

    With `sync` an instance is on the disk itself before `put` returns, and survives a power cut; without, it survives
    the end of this process at any moment, and is on the disk when its study is complete.
    """

    def __init__(self, folder: Path, *, sync: bool = False, reserve: int = RESERVE_BYTES) -> None:
        self.folder, self.sync, self.reserve = folder, sync, reserve
        self._images, self._derived, self._quarantine = (folder / name for name in ("images", "derived", "quarantine"))
        for path in (self._images, self._derived, self._quarantine):
            path.mkdir(parents=True, exist_ok=True)

    def put(self, instance: Instance, *content: Buffer) -> bool:
        """Keep an instance, given in pieces; True where it belongs to the images of its study.

        One that is there already stays as it is. Raises DiskFull.
        """
        is_image = instance.modality not in DERIVED
        folder = (self._images if is_image else self._derived) / instance.study
        path = folder / f"{instance.uid}.dcm"
        if not path.exists():
            self._write(path, content)
        return is_image

    def set_aside(self, *content: Buffer) -> str:
        """Keep what is no proper instance for a person to look at; its name. Raises DiskFull."""
        name = f"{secrets.token_hex(8)}.dcm"
        self._write(self._quarantine / name, content)
        return name

    def studies(self) -> Iterator[str]:
        """The studies with images."""
        with os.scandir(self._images) as entries:
            yield from sorted(entry.name for entry in entries if entry.is_dir())

    def files(self, study: str) -> list[Path]:
        """The images of a study, sorted by UID; none where it is unknown."""
        with suppress(FileNotFoundError):
            return sorted(self._images.joinpath(study).glob("[0-9]*.dcm"))
        return []

    def settle(self, study: str) -> None:
        """Make the study's files safe from a power cut."""
        if not self.sync:
            for path in self.files(study):
                _sync(path)
            _sync(self._images / study)
            _sync(self._images)

    def commit(self, uids: Iterable[str]) -> set[str]:
        """Those of the instances that are kept, now also safe from a power cut."""
        wanted, kept = {f"{uid}.dcm" for uid in uids}, set()
        for root in (self._images, self._derived):
            for folder in root.iterdir():
                with suppress(FileNotFoundError):
                    found = wanted & set(os.listdir(folder))  # noqa: PTH208 - names are cheaper than paths
                    for name in found:
                        _sync(folder / name)
                    if found:
                        _sync(folder)
                        kept |= {name.removesuffix(".dcm") for name in found}
        return kept

    def has_room(self) -> bool:
        """True when results may be written."""
        return shutil.disk_usage(self.folder).free > self.reserve

    def remove(self, study: str, is_done: Callable[[list[Path]], bool]) -> None:
        """Forget a study's files, unless one came in meanwhile: then `is_done` says no to the files that are there."""
        source, trash = self._images / study, self.folder / "trash" / study
        trash.parent.mkdir(exist_ok=True)
        with suppress(OSError):
            source.rename(trash)
        self._empty(trash, is_done)

    def recover(self, is_done: Callable[[str, list[Path]], bool]) -> None:
        """Finish what a killed process had begun: half written files go, and so do studies that were being removed."""
        for path in self.folder.glob("*/**/.*.part"):
            path.unlink(missing_ok=True)
        for trash in self.folder.glob("trash/*"):
            self._empty(trash, lambda files, study=trash.name: is_done(study, files))  # type: ignore[misc]

    def _empty(self, trash: Path, is_done: Callable[[list[Path]], bool]) -> None:
        files = sorted(trash.glob("[0-9]*.dcm"))
        if files and not is_done(files):
            target = self._images / trash.name
            target.mkdir(exist_ok=True)
            for path in files:
                path.replace(target / path.name)
        shutil.rmtree(trash, ignore_errors=True)

    def _write(self, path: Path, content: Sequence[Buffer]) -> None:
        temporary = path.with_name(f".{secrets.token_hex(6)}.part")
        try:
            if shutil.disk_usage(self.folder).free < sum(map(len, content)) + self.reserve:
                raise DiskFull(f"less than {self.reserve >> 20} MiB would be left")
            path.parent.mkdir(exist_ok=True)
            with temporary.open("xb") as file:
                for piece in content:
                    file.write(piece)
                if self.sync:
                    file.flush()
                    os.fsync(file.fileno())
            temporary.replace(path)
            if self.sync:
                _sync(path.parent)
        except OSError as error:
            raise DiskFull(error.strerror or str(error)) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def is_uid(text: str) -> bool:
    """True for a DICOM UID: such a text is also a safe file name."""
    return len(text) <= 64 and _UID.fullmatch(text) is not None


def fingerprint(files: list[Path]) -> str:
    """The same for the same set of instances."""
    return hashlib.sha256("\n".join(sorted(path.stem for path in files)).encode()).hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
