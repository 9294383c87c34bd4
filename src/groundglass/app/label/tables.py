"""Where labels go: CSV (1, 0, -1, empty), JSON lines with the words that gave each label, or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from groundglass.core import ConfigurationError

_PARQUET_ROWS = 20_000


class Writer(Protocol):
    """Takes one row: report id -> values by column, and the evidence of each value."""

    def write(self, name: str, values: dict[str, float | None], evidence: dict[str, list[dict[str, Any]]]) -> None: ...


def holds_words(out: Path | None, *, lines: bool) -> bool:
    """Whether the table that `writer_to` makes shows the words that gave each label."""
    return lines if out is None else out.suffix.lower() == ".jsonl"


@contextmanager
def writer_to(out: Path | None, columns: Sequence[str], stdout: IO[str], *, lines: bool) -> Iterator[Writer]:
    """A writer to `out` (by its suffix; whole or not at all), else to `stdout` as CSV, or as JSON lines."""
    if out is None:
        yield _Lines(stdout) if lines else _Csv(stdout, columns)
        return
    from groundglass.io import atomic_path

    suffix = out.suffix.lower()
    if suffix not in (".csv", ".jsonl", ".parquet"):
        raise ConfigurationError(out, "has no suffix of a table", "Name a file that ends in .csv, .jsonl or .parquet.")
    with atomic_path(out) as temporary:
        if suffix == ".parquet":
            with _parquet(temporary, columns) as writer:
                yield writer
            return
        with temporary.open("w", encoding="utf-8", newline="") as file:
            yield _Csv(file, columns) if suffix == ".csv" else _Lines(file)


class _Csv:
    def __init__(self, file: IO[str], columns: Sequence[str]) -> None:
        self._rows = csv.writer(file, lineterminator="\n")
        self._columns = columns
        self._rows.writerow(["report", *columns])

    def write(self, name: str, values: dict[str, float | None], evidence: dict[str, list[dict[str, Any]]]) -> None:
        cells = (values[column] for column in self._columns)
        self._rows.writerow([name, *("" if value is None else f"{value:g}" for value in cells)])


class _Lines:
    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, name: str, values: dict[str, float | None], evidence: dict[str, list[dict[str, Any]]]) -> None:
        row = {"report": name, "labels": values, "evidence": evidence}
        self._file.write(json.dumps(row, ensure_ascii=False) + "\n")


@contextmanager
def _parquet(path: Path, columns: Sequence[str]) -> Iterator[Writer]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ConfigurationError(
            "Parquet", "needs pyarrow, which is not installed", "pip install 'groundglass[tables]', or write .csv."
        ) from error
    schema = pyarrow.schema([("report", pyarrow.string()), *((column, pyarrow.float32()) for column in columns)])
    with pyarrow.parquet.ParquetWriter(path, schema) as file:
        writer = _Parquet(file, schema, pyarrow)
        yield writer
        writer.flush()


class _Parquet:
    def __init__(self, file: Any, schema: Any, pyarrow: Any) -> None:
        self._file, self._schema, self._pyarrow = file, schema, pyarrow
        self._rows: list[dict[str, Any]] = []

    def write(self, name: str, values: dict[str, float | None], evidence: dict[str, list[dict[str, Any]]]) -> None:
        self._rows.append({"report": name, **values})
        if len(self._rows) >= _PARQUET_ROWS:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self._file.write_table(self._pyarrow.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []
