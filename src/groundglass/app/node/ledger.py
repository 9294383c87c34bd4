"""What is to be done and what is done, in SQLite: a job per reading of a study, a delivery per destination of a job."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    key TEXT PRIMARY KEY,
    study TEXT NOT NULL,
    instances TEXT NOT NULL,
    rule TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'read', 'done', 'failed', 'superseded')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL,
    problem TEXT NOT NULL DEFAULT '',
    made REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS job_of_study ON job (study);
CREATE TABLE IF NOT EXISTS delivery (
    job TEXT NOT NULL REFERENCES job (key),
    destination TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL,
    problem TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (job, destination)
);
CREATE TABLE IF NOT EXISTS quarantined (
    file TEXT PRIMARY KEY,
    sender TEXT NOT NULL,
    problem TEXT NOT NULL,
    at REAL NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Job:
    """A study as it was at one time, to be read by a rule. `key` names its results and makes their UIDs."""

    key: str
    study: str
    instances: str
    rule: str
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """The results of a job on their way to one destination."""

    job: str
    study: str
    destination: str
    attempts: int


class Ledger:
    """The durable queue. Methods may be called from any thread; each is one transaction."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        # With FULL a transaction that was told of is on the disk, also after a power cut.
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def covers(self, study: str, instances: str) -> bool:
        """True where these very instances of the study were made a job, by whatever rule and version."""
        return bool(
            self._rows(
                "SELECT 1 FROM job WHERE study = ? AND instances = ? AND state <> 'superseded'", study, instances
            )
        )

    def add(self, job: Job, *, is_ignored: bool = False) -> bool:
        """Queue a job, in the place of those of its study that were not read yet; False where it is known."""
        now = time.time()
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            state = "done" if is_ignored else "waiting"
            made = self._db.execute(
                "INSERT INTO job (key, study, instances, rule, state, due, made) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (key) DO UPDATE SET state = excluded.state WHERE state = 'superseded'",
                (job.key, job.study, job.instances, job.rule, state, now, now),
            ).rowcount
            if made:
                self._db.execute(
                    "UPDATE job SET state = 'superseded' WHERE study = ? AND state = 'waiting' AND key <> ?",
                    (job.study, job.key),
                )
            return bool(made)

    def next_job(self) -> Job | None:
        """The job that waits longest and is due."""
        rows = self._rows(
            "SELECT key, study, instances, rule, attempts FROM job WHERE state = 'waiting' AND due <= ?"
            " ORDER BY made LIMIT 1",
            time.time(),
        )
        return Job(*rows[0]) if rows else None

    def read(self, job: Job, destinations: Iterable[str]) -> bool:
        """A job's results are there: queue their deliveries. False where the job was superseded meanwhile."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            places = list(dict.fromkeys(destinations))
            taken = self._db.execute(
                "UPDATE job SET state = ?, problem = '' WHERE key = ? AND state = 'waiting'",
                ("read" if places else "done", job.key),
            ).rowcount
            if taken:
                self._db.executemany(
                    "INSERT OR IGNORE INTO delivery (job, destination, due) VALUES (?, ?, ?)",
                    [(job.key, place, time.time()) for place in places],
                )
            return bool(taken)

    def put_off(self, job: Job, problem: str, seconds: float) -> None:
        """Try a job again after so many seconds."""
        self._do(
            "UPDATE job SET attempts = attempts + 1, problem = ?, due = ? WHERE key = ? AND state = 'waiting'",
            problem, time.time() + seconds, job.key,
        )  # fmt: skip

    def drop(self, job: Job, state: str, problem: str) -> None:
        """End a job that waits as `failed` or `superseded`."""
        self._do(
            "UPDATE job SET state = ?, problem = ?, attempts = attempts + 1 WHERE key = ? AND state = 'waiting'",
            state, problem, job.key,
        )  # fmt: skip

    def next_delivery(self, destination: str) -> Delivery | None:
        """The delivery to this destination that is due longest."""
        rows = self._rows(
            "SELECT job, study, destination, delivery.attempts FROM delivery JOIN job ON job.key = delivery.job"
            " WHERE delivery.state = 'waiting' AND delivery.destination = ? AND delivery.due <= ?"
            " ORDER BY delivery.due LIMIT 1",
            destination, time.time(),
        )  # fmt: skip
        return Delivery(*rows[0]) if rows else None

    def open_destinations(self) -> list[str]:
        """Destinations that something waits for."""
        return [row[0] for row in self._rows("SELECT DISTINCT destination FROM delivery WHERE state = 'waiting'")]

    def delivered(self, delivery: Delivery, state: str = "done", problem: str = "") -> None:
        """End a delivery as `done` or `failed`; the job's last one ends the job."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "UPDATE delivery SET state = ?, problem = ?, attempts = attempts + 1 WHERE job = ? AND destination = ?",
                (state, problem, delivery.job, delivery.destination),
            )
            self._db.execute(
                "UPDATE job SET state = CASE WHEN EXISTS (SELECT 1 FROM delivery WHERE job = key AND state = 'failed')"
                " THEN 'failed' ELSE 'done' END, problem = ?"
                " WHERE key = ? AND NOT EXISTS (SELECT 1 FROM delivery WHERE job = key AND state = 'waiting')",
                (problem, delivery.job),
            )

    def put_off_delivery(self, delivery: Delivery, problem: str, seconds: float) -> None:
        """Try a delivery again after so many seconds."""
        self._do(
            "UPDATE delivery SET attempts = attempts + 1, problem = ?, due = ? WHERE job = ? AND destination = ?",
            problem, time.time() + seconds, delivery.job, delivery.destination,
        )  # fmt: skip

    def quarantine(self, file: str, sender: str, problem: str) -> None:
        """Say why a received file was set aside."""
        self._do("INSERT INTO quarantined VALUES (?, ?, ?, ?)", file, sender, problem, time.time())

    def ended(self, study: str, moment: float) -> list[str]:
        """The keys of a study's jobs, where all ended and the last was made before `moment` (seconds since 1970)."""
        rows = self._rows("SELECT key, made, state FROM job WHERE study = ?", study)
        if any(made >= moment or state in ("waiting", "read") for _key, made, state in rows):
            return []
        return [key for key, _made, _state in rows]

    def retry(self) -> None:
        """Queue again what was given up."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            now = time.time()
            self._db.execute(
                "UPDATE delivery SET state = 'waiting', due = ?, attempts = 0 WHERE state = 'failed'", (now,)
            )
            self._db.execute(
                "UPDATE job SET state = CASE WHEN EXISTS (SELECT 1 FROM delivery WHERE job = key) THEN 'read'"
                " ELSE 'waiting' END, due = ?, attempts = 0 WHERE state = 'failed'",
                (now,),
            )

    def counts(self) -> dict[str, int]:
        """How many jobs are in which state."""
        return dict(self._rows("SELECT state, COUNT(*) FROM job GROUP BY state"))

    def _do(self, statement: str, *values: object) -> None:
        with self._lock:
            self._db.execute(statement, values)

    def _rows(self, statement: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock, closing(self._db.execute(statement, values)) as cursor:
            return cursor.fetchall()
