"""Where an archive lies, on a disk or behind a DICOMweb address: how its studies are found and brought near."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from groundglass.app.archive.ahead import warm
from groundglass.app.archive.commit import UNFINISHED
from groundglass.app.archive.discover import Grouping, discover
from groundglass.app.archive.manifest import Found
from groundglass.app.archive.study import StudyRef
from groundglass.core import InputError


class Source(Protocol):
    """An archive. `root` is what the paths of its files are relative to."""

    root: str

    def find(self) -> Iterator[Found]:
        """The files (or remote studies) that it holds."""

    def prepare(self, study: StudyRef) -> StudyRef:
        """The study with its files near, before its turn; called from threads. Raises typed errors."""

    def release(self, study: StudyRef) -> None:
        """Let go of what `prepare` brought."""


class Disk:
    """A folder, a file, or a CSV that names files; see `discover`."""

    def __init__(self, given: Path, out: Path, *, texts: bool = False, group: Grouping = "file") -> None:
        self._given, self._out = given.absolute(), out
        self._texts, self._group = texts, group
        self.root = str(self._given if self._given.is_dir() else self._given.parent)

    def find(self) -> Iterator[Found]:
        return discover(self._given, texts=self._texts, group=self._group, without=self._out)

    def prepare(self, study: StudyRef) -> StudyRef:
        return warm(study)

    def release(self, study: StudyRef) -> None:
        """Its files stay where they are."""


class Server:
    """Every study of a DICOMweb server. A study's files lie in the output folder while it is read."""

    def __init__(self, url: str, out: Path, *, token: str | None = None) -> None:
        from groundglass.io import DicomWeb

        self._client = DicomWeb(url, token=token)
        self._spool = out / UNFINISHED / "fetched"
        self.root = str(self._spool)

    def find(self) -> Iterator[Found]:
        for study in self._client.all_studies():
            uid = str(study.StudyInstanceUID)
            yield Found(uid, "dicomweb", uid)

    def prepare(self, study: StudyRef) -> StudyRef:
        folder = self._spool / study.name
        try:
            return replace(study, paths=tuple(str(path) for path in self._client.retrieve(study.key, folder)))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def release(self, study: StudyRef) -> None:
        shutil.rmtree(self._spool / study.name, ignore_errors=True)


def source_of(given: str, out: Path, *, texts: bool, group: Grouping, token: str | None = None) -> Source:
    """The archive that the user names. Raises InputError when text reports are asked of a server."""
    if given.startswith(("http://", "https://")):
        if texts:
            raise InputError("a DICOMweb server", "holds no text reports", "Name a folder of reports.")
        return Server(given, out, token=token)
    return Disk(Path(given), out, texts=texts, group=group)
