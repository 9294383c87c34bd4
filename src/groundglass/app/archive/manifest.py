"""The plan of an archive and the index of its results: one SQLite file, written by one runner at a time."""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundglass.app.archive.study import Fault, Outcome, StudyRef, folder_name
from groundglass.core.errors import InputError

FILE = "manifest.sqlite"
_LOCK = ".lock.sqlite"
_PAGE = 256
_COMMIT_SECONDS = 0.25

_SCHEMA = """
CREATE TABLE IF NOT EXISTS study (
    key TEXT NOT NULL, pipeline TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL,
    files INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, copies INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0, losses INTEGER NOT NULL DEFAULT 0, found INTEGER NOT NULL DEFAULT 0,
    error TEXT, input TEXT, problem TEXT, remedy TEXT, row BLOB,
    seconds REAL, peak_bytes INTEGER, worker TEXT, ended REAL,
    PRIMARY KEY (key, pipeline)
);
CREATE INDEX IF NOT EXISTS plan ON study (pipeline, state, losses, source, key);
CREATE TABLE IF NOT EXISTS file (key TEXT NOT NULL, path TEXT NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (key, path))
WITHOUT ROWID;
"""
_COUNT_FILES = "UPDATE study SET (files, bytes) = (SELECT count(*), total(bytes) FROM file WHERE file.key = study.key)"


@dataclass(frozen=True, slots=True)
class Found:
    """A file (or, without a path, a remote study) that discovery assigned to a study."""

    key: str
    kind: str
    source: str
    path: str = ""
    bytes: int = 0


class Manifest:
    """The studies of one pipeline version in the archive `out`.

    Raises InputError when another runner works on the same archive.
    """

    def __init__(self, out: Path, pipeline: str) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.out, self.pipeline = out, pipeline
        # SQLite's lock goes with its process, however that ends, and works on every system.
        self._lock = sqlite3.connect(out / _LOCK, timeout=0.5, isolation_level=None)
        try:
            self._lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            self._lock.close()
            raise InputError(out, "is being written by another run", "Wait for it, or write elsewhere.") from error
        self._db = sqlite3.connect(out / FILE)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        self._committed = time.monotonic()

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._db.commit()
        self._db.close()
        self._lock.close()

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def is_new(self) -> bool:
        """True when no study of any pipeline version is known yet."""
        return self._db.execute("SELECT 1 FROM study LIMIT 1").fetchone() is None

    def plan(self, found: Iterable[Found]) -> Iterator[int]:
        """Take in what discovery finds; yields the number of files so far. Done studies stay done."""
        self._db.execute("DELETE FROM file")
        self._db.execute("UPDATE study SET found = 0, copies = 0 WHERE pipeline = ?", (self.pipeline,))
        for count, item in enumerate(found, start=1):
            self._add(item)
            yield count
        self._db.execute(f"{_COUNT_FILES} WHERE pipeline = ? AND state = 'pending'", (self.pipeline,))
        self._db.commit()

    def _add(self, item: Found) -> None:
        name = folder_name(item.key, item.source, self.pipeline)
        self._db.execute(
            "INSERT INTO study (key, pipeline, name, kind, source, found) VALUES (?, ?, ?, ?, ?, 1) "
            "ON CONFLICT DO UPDATE SET found = found + 1, source = min(source, excluded.source), "
            "name = CASE WHEN state = 'pending' AND excluded.source < source THEN excluded.name ELSE name END",
            (item.key, self.pipeline, name, item.kind, item.source),
        )
        if not item.path:
            return
        if item.key.startswith("sha256:"):
            # The same content a second time is a copy, not a second image of one study.
            (known,) = self._db.execute("SELECT count(*) FROM file WHERE key = ?", (item.key,)).fetchone()
            if known:
                self._db.execute(
                    "UPDATE study SET copies = copies + 1 WHERE key = ? AND pipeline = ?", (item.key, self.pipeline)
                )
                return
        self._db.execute("INSERT OR IGNORE INTO file VALUES (?, ?, ?)", (item.key, item.path, item.bytes))

    def pending(self) -> Iterator[StudyRef]:
        """The studies that are left, those that killed a worker last. Safe against records made meanwhile."""
        after: tuple[Any, ...] = (-1, "", "")
        while True:
            page = self._db.execute(
                "SELECT losses, source, key, name, kind FROM study WHERE pipeline = ? AND state = 'pending' "
                "AND (losses, source, key) > (?, ?, ?) ORDER BY losses, source, key LIMIT ?",
                (self.pipeline, *after, _PAGE),
            ).fetchall()
            if not page:
                return
            for losses, source, key, name, kind in page:
                after = (losses, source, key)
                yield StudyRef(key, name, kind, source, self.paths(key))

    def study(self, key: str) -> StudyRef:
        """The study of a key."""
        query = "SELECT name, kind, source FROM study WHERE key = ? AND pipeline = ?"
        name, kind, source = self._db.execute(query, (key, self.pipeline)).fetchone()
        return StudyRef(key, name, kind, source, self.paths(key))

    def paths(self, key: str) -> tuple[str, ...]:
        """The files of a study, sorted."""
        return tuple(p for (p,) in self._db.execute("SELECT path FROM file WHERE key = ? ORDER BY path", (key,)))

    def record(self, outcome: Outcome) -> None:
        """What came of a study. It is on disk a moment later; its folder already is."""
        fault = outcome.fault
        self._db.execute(
            "UPDATE study SET state = ?, attempts = attempts + 1, losses = losses + ?, error = ?, input = ?, "
            "problem = ?, remedy = ?, row = ?, seconds = ?, peak_bytes = ?, worker = ?, ended = ? "
            "WHERE key = ? AND pipeline = ?",
            (
                "pending" if outcome.state == "lost" else outcome.state,
                outcome.state == "lost",
                *((fault.type, fault.input, fault.problem, fault.remedy) if fault else (None,) * 4),
                zlib.compress(json.dumps(outcome.row, ensure_ascii=False).encode()) if outcome.row else None,
                outcome.seconds, outcome.peak_bytes, outcome.worker, time.time(),
                outcome.key, self.pipeline,
            ),
        )  # fmt: skip
        if time.monotonic() - self._committed > _COMMIT_SECONDS:
            self.commit()

    def commit(self) -> None:
        self._db.commit()
        self._committed = time.monotonic()

    def losses(self, key: str) -> int:
        """How many workers died of this study."""
        query = "SELECT losses FROM study WHERE key = ? AND pipeline = ?"
        row = self._db.execute(query, (key, self.pipeline)).fetchone()
        return int(row[0]) if row else 0

    def reset(self, key: str) -> None:
        """A study is to be done anew."""
        self._db.execute(
            "UPDATE study SET state = 'pending', losses = 0, row = NULL, error = NULL, problem = NULL "
            "WHERE key = ? AND pipeline = ?",
            (key, self.pipeline),
        )
        self._db.execute(f"{_COUNT_FILES} WHERE key = ? AND pipeline = ?", (key, self.pipeline))

    def studies(self) -> Iterator[tuple[str, str, str]]:
        """(key, folder name, state) of every study. Safe against records made meanwhile."""
        query = "SELECT key, name, state FROM study WHERE pipeline = ? AND key > ? ORDER BY key LIMIT ?"
        after = ""
        while page := self._db.execute(query, (self.pipeline, after, _PAGE)).fetchall():
            yield from page
            after = page[-1][0]

    def changed(self) -> list[str]:
        """Keys of studies that are done or failed and have other files now."""
        query = (
            "SELECT key FROM study WHERE pipeline = ? AND state != 'pending' AND found > 0 AND kind = 'dicom' AND "
            "(files, bytes) != (SELECT count(*), total(bytes) FROM file WHERE file.key = study.key)"
        )
        return [key for (key,) in self._db.execute(query, (self.pipeline,))]

    def count(self) -> dict[str, int]:
        """Number of studies by state."""
        query = "SELECT state, count(*) FROM study WHERE pipeline = ? GROUP BY state"
        found = dict(self._db.execute(query, (self.pipeline,)).fetchall())
        return {state: found.get(state, 0) for state in ("pending", "done", "failed")}

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every study that is done or failed, in the order of where it was found: whatever order it was done in."""
        cursor = self._db.execute(
            "SELECT key, kind, source, files, bytes, state, name, error, input, problem, remedy, row FROM study "
            "WHERE pipeline = ? AND state != 'pending' ORDER BY source, key",
            (self.pipeline,),
        )
        for key, kind, source, files, size, state, name, error, named, problem, remedy, row in cursor:
            yield {
                "study": key, "kind": kind, "source": source, "study_files": files, "study_bytes": size, "state": state,
                "folder": name if state == "done" else None, "error": error, "error_input": named, "problem": problem,
                "remedy": remedy, **(json.loads(zlib.decompress(row)) if row else {}),
            }  # fmt: skip

    def quarantine(self) -> list[tuple[str, Fault]]:
        """(source, fault) of the studies that were set aside."""
        query = (
            "SELECT source, error, input, problem, remedy FROM study WHERE pipeline = ? AND state = 'failed' "
            "ORDER BY source, key"
        )
        return [(source, Fault(*rest)) for source, *rest in self._db.execute(query, (self.pipeline,))]

    def figures(self) -> dict[str, Any]:
        """Sums over all studies: attempts, losses, copies, seconds of work, largest peak of a worker."""
        query = (
            "SELECT total(attempts), total(losses), total(copies), total(seconds), max(coalesce(peak_bytes, 0)) "
            "FROM study WHERE pipeline = ?"
        )
        attempts, losses, copies, seconds, peak = self._db.execute(query, (self.pipeline,)).fetchone()
        return {
            "attempts": int(attempts),
            "workers_lost": int(losses),
            "copies": int(copies),
            "work_seconds": round(seconds, 3),
            "peak_worker_bytes": int(peak or 0),
        }
