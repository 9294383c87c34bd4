"""Every question that a judge was asked and what it said: same input, same answer, and an audit.

One SQLite file, safe for several threads and processes. The key of an entry is a hash of model, options, prompt and
input, so the address of the server does not matter; the first answer under a key stays. No credential is ever part of
an entry. Questions that ended without a usable answer are kept beside them, for reading only: they are asked again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundglass.core.errors import InputError

_MEMORY = ":memory:"
_WAIT = 60.0  # seconds for another process's write
_TABLES = """
create table if not exists transcripts (
    key text primary key, model text not null, prompt text not null, prompt_hash text not null, request text not null,
    reply text not null, input_tokens integer not null, output_tokens integer not null, requests integer not null,
    seconds real not null, at text not null
);
create table if not exists failures (
    number integer primary key, key text not null, model text not null, prompt text not null, prompt_hash text not null,
    request text not null, problem text not null, reply text not null, at text not null
);
"""
_COLUMNS = "key, model, prompt, prompt_hash, request, reply, input_tokens, output_tokens, requests, seconds, at"


@dataclass(frozen=True, slots=True)
class Transcript:
    """One answered question. `request` is the JSON of model, options and messages; `at` is UTC, ISO 8601."""

    key: str
    model: str
    prompt: str
    prompt_hash: str
    request: str
    reply: str
    input_tokens: int = 0
    output_tokens: int = 0
    requests: int = 1
    seconds: float = 0.0
    at: str = ""


@dataclass(frozen=True, slots=True)
class FailedQuestion:
    """One question without a usable answer: what was wrong, and the last reply (empty when there was none)."""

    key: str
    model: str
    prompt: str
    prompt_hash: str
    request: str
    problem: str
    reply: str
    at: str


def request_key(prompt_hash: str, request: Mapping[str, Any]) -> tuple[str, str]:
    """(key, canonical JSON of the request)."""
    text = json.dumps(request, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{prompt_hash}\n{text}".encode()).hexdigest(), text


class TranscriptStore:
    """The file at `path`, made for its owner only when it does not exist; ":memory:" is a store without a file.

    Raises InputError when the file cannot be used as a store.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path != Path(_MEMORY):
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))  # reports are for their owner's eyes
            self._base = sqlite3.connect(self.path, timeout=_WAIT, check_same_thread=False)
            with self._writing() as cursor:
                cursor.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise InputError(
                path, f"cannot be used as a transcript store ({error})", "Name a file of its own."
            ) from error

    def get(self, key: str) -> Transcript | None:
        """The entry under a key, or None."""
        with (
            self._lock,
            closing(self._base.execute(f"select {_COLUMNS} from transcripts where key = ?", (key,))) as found,
        ):
            row = found.fetchone()
        return None if row is None else Transcript(*row)

    def put(self, entry: Transcript) -> Transcript:
        """Keep an entry, unless there is one under its key; returns the one that is kept."""
        row = tuple(getattr(entry, column) for column in _COLUMNS.split(", "))
        with self._writing() as cursor:
            cursor.execute(f"insert or ignore into transcripts ({_COLUMNS}) values (?,?,?,?,?,?,?,?,?,?,?)", row)
        return self.get(entry.key) or entry

    def put_failure(self, failed: FailedQuestion) -> None:
        """Keep a question that got no usable answer."""
        row = tuple(getattr(failed, name) for name in FailedQuestion.__slots__)
        with self._writing() as cursor:
            cursor.execute(
                "insert into failures (key, model, prompt, prompt_hash, request, problem, reply, at)"
                " values (?,?,?,?,?,?,?,?)",
                row,
            )

    def entries(self) -> Iterator[Transcript]:
        """All answered questions, in the order of their time."""
        with self._lock, closing(self._base.execute(f"select {_COLUMNS} from transcripts order by at, key")) as found:
            rows = found.fetchall()
        yield from (Transcript(*row) for row in rows)

    def failed(self) -> Iterator[FailedQuestion]:
        """All questions that ended without a usable answer, in the order of their time."""
        columns = ", ".join(FailedQuestion.__slots__)
        with self._lock, closing(self._base.execute(f"select {columns} from failures order by number")) as found:
            rows = found.fetchall()
        yield from (FailedQuestion(*row) for row in rows)

    def close(self) -> None:
        """Close the file. The store cannot be used any more."""
        with self._lock:
            self._base.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Cursor]:
        with self._lock, self._base, closing(self._base.cursor()) as cursor:
            yield cursor
