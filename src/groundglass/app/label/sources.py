"""Reports one by one: text files, folders of them, rows of CSV, TSV and JSON-lines tables; never all in memory."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from groundglass.app.compare.records import find_column
from groundglass.core import InputError

TEXT_COLUMNS = ("report", "text", "report_text", "findings", "impression")
ID_COLUMNS = ("report_id", "id", "case", "case_id", "study", "study_id", "uid")
_TABLES = {".csv": ",", ".tsv": "\t"}
_TEXTS = (".txt", ".html", ".htm", ".rtf", ".hl7")


@dataclass(frozen=True, slots=True)
class Source:
    """A report yet to be read: `text`, or the `file` that holds it. `name` is its id, `problem` why it is none."""

    name: str
    text: str = ""
    file: Path | None = None
    problem: str = ""


def sources(paths: Sequence[Path], *, column: str | None = None, id_column: str | None = None) -> Iterator[Source]:
    """Reports of files and folders, in order. Raises InputError for a path that is not there or lacks a column."""
    for path in paths:
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.suffix.lower() in _TEXTS)
            if not files:
                raise InputError(path, f"holds no report ({', '.join(_TEXTS)})", "Check the folder.")
            yield from (Source(file.relative_to(path).as_posix(), file=file) for file in files)
        elif not path.is_file():
            raise InputError(path, "does not exist", "Check the path.")
        elif path.suffix.lower() in _TABLES:
            yield from _rows(path, _TABLES[path.suffix.lower()], column, id_column)
        elif path.suffix.lower() in (".jsonl", ".ndjson"):
            yield from _lines(path, column, id_column)
        else:
            yield Source(path.name, file=path)


def _rows(path: Path, delimiter: str, column: str | None, id_column: str | None) -> Iterator[Source]:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.DictReader(file, delimiter=delimiter)
        header = reader.fieldnames or ()
        text = _column(path, header, column, TEXT_COLUMNS, "--column")
        name = find_column(header, ID_COLUMNS)
        if id_column:
            name = _column(path, header, id_column, ID_COLUMNS, "--id-column")
        for number, row in enumerate(reader, start=1):
            yield _source(row.get(name) if name else None, row.get(text), f"{path.name}:{number}")


def _lines(path: Path, column: str | None, id_column: str | None) -> Iterator[Source]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            place = f"{path.name}:{number}"
            try:
                row = json.loads(line)
            except ValueError as error:
                yield Source(place, problem=f"is no JSON ({error})")
                continue
            if not isinstance(row, dict):
                yield Source(place, problem="is no JSON object")
                continue
            text = column or find_column(tuple(row), TEXT_COLUMNS)
            name = id_column or find_column(tuple(row), ID_COLUMNS)
            yield _source(row.get(name) if name else None, row.get(text) if text else None, place)


def _source(name: object, text: object, place: str) -> Source:
    called = str(name) if name not in (None, "") else place
    return Source(called, text=text) if isinstance(text, str) else Source(place, problem="has no text")


def _column(path: Path, columns: Sequence[str], wanted: str | None, names: Sequence[str], option: str) -> str:
    found = find_column(columns, (wanted,) if wanted else names)
    if found is None:
        raise InputError(
            path, f"has no column {wanted or ' or '.join(names)} (it has {', '.join(columns)})", f"Name it by {option}."
        )
    return found
