"""Tables (CSV, TSV, JSON) of predictions and truths: columns found by name, values checked one by one."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundglass.app.compare.cases import listed, patient_of
from groundglass.app.compare.settings import Settings
from groundglass.core import InputError

CASE_COLUMNS = (
    "case",
    "case_id",
    "image_id",
    "image",
    "study_id",
    "study",
    "file_name",
    "filename",
    "file",
    "id",
    "uid",
)
PATIENT_COLUMNS = ("patient", "patient_id", "subject", "subject_id", "participant_id")


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its values by column (text from CSV, anything from JSON) and where it stands, for messages."""

    values: Mapping[str, Any]
    place: str

    def text(self, column: str) -> str:
        """The value as text without outer spaces. Raises InputError where it is missing or empty."""
        value = self.values.get(column)
        if value is None or not str(value).strip():
            raise InputError(self.place, f"has no {column}", "Fill it in, or remove the row.")
        return str(value).strip()

    def number(self, column: str) -> float:
        """The value as a finite number. Raises InputError for NaN, infinity, text and an empty cell."""
        value = self.values.get(column)
        try:
            number = float(str(value).strip()) if not isinstance(value, bool) else float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            said = "nothing" if value is None or str(value).strip() == "" else repr(value)
            raise InputError(
                self.place, f"has {said} as {column}, which is no finite number", "Give a number, or remove the row."
            )
        return number


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file; `columns` in file order."""

    path: Path
    columns: tuple[str, ...]
    records: tuple[Record, ...]

    def column(self, wanted: str | None, known: Sequence[str], what: str) -> str:
        """The column called `wanted`, else the first of `known` that is there (case is ignored).

        Raises InputError naming the columns that there are.
        """
        names = [wanted] if wanted else list(known)
        found = find_column(self.columns, names)
        if found is not None:
            return found
        raise InputError(
            self.path,
            f"has no column {' or '.join(names)} with the {what} (it has {listed(self.columns)})",
            "Rename a column, or name it by the option.",
        )

    def find(self, wanted: str | None, known: Sequence[str], what: str) -> str | None:
        """As `column`, but None where no known name is there; a wanted one must be."""
        if wanted:
            return self.column(wanted, known, what)
        return find_column(self.columns, known)


def find_column(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """The first of `names` that is a column, as it is spelt there; case and outer spaces are ignored."""
    by_name = {column.strip().casefold(): column for column in columns}
    return next((by_name[name.casefold()] for name in names if name.casefold() in by_name), None)


def read_table(path: Path) -> Table:
    """CSV, TSV (by its suffix, or by tabs in the first line), a JSON list of objects, or JSON lines.

    A JSON object of objects is read as case -> record. Raises InputError for a file that is none of these, that has
    no rows, or a column name twice.
    """
    if not path.is_file():
        raise InputError(path, "is not a file" if path.exists() else "does not exist", "Check the path.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(path, f"is not text in UTF-8 ({error.reason})", "Save it as UTF-8.") from error
    if text.lstrip()[:1] in ("[", "{"):
        records = [Record(values, f"{path} entry {n}") for n, values in enumerate(_objects(path, text), start=1)]
        columns = tuple(dict.fromkeys(column for record in records for column in record.values))
    else:
        columns, records = _delimited(path, text)
    if not records:
        raise InputError(path, "has no rows", "Give a table with a header line and rows, or a JSON list of objects.")
    return Table(path, columns, tuple(records))


def read_json(path: Path) -> Any:
    """The content of a JSON file. Raises InputError where it is none."""
    if not path.is_file():
        raise InputError(path, "is not a file" if path.exists() else "does not exist", "Check the path.")
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise InputError(path, f"is not JSON ({error})", "Export it again.") from error


def keyed(table: Table, settings: Settings) -> dict[str, tuple[str, Record]]:
    """Case id -> (patient, record) of a table with a row per case. Raises InputError for a case that occurs twice."""
    found: dict[str, tuple[str, Record]] = {}
    for case, patient, record in with_case(table, settings):
        if case in found:
            raise InputError(
                table.path, f"has case {case} twice ({found[case][1].place} and {record.place})", "Remove one of them."
            )
        found[case] = (patient, record)
    return found


def with_case(table: Table, settings: Settings) -> Iterator[tuple[str, str, Record]]:
    """(case id, patient, record) of each row."""
    case_column = table.column(settings.case_column, CASE_COLUMNS, "case id")
    patient_column = table.find(settings.patient_column, PATIENT_COLUMNS, "patient id")
    for record in table.records:
        case = record.text(case_column)
        patient = record.text(patient_column) if patient_column else patient_of(case, case, settings)
        yield case, patient, record


def _objects(path: Path, text: str) -> list[Mapping[str, Any]]:
    try:
        content = json.loads(text)
    except ValueError as error:
        try:
            content = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            raise InputError(path, f"is neither JSON nor a table ({error})", "Export it again.") from error
    if isinstance(content, dict) and content and all(isinstance(value, dict) for value in content.values()):
        content = [{"case": case, **value} for case, value in content.items()]
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        raise InputError(path, "is not a JSON list of objects", "Write one object per case.")
    return content


def _delimited(path: Path, text: str) -> tuple[tuple[str, ...], list[Record]]:
    first = text.split("\n", 1)[0]
    delimiter = "\t" if path.suffix == ".tsv" or "\t" in first else ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    columns = tuple(name.strip() for name in next(reader, []))
    twice = [name for name in columns if columns.count(name) > 1]
    if twice:
        raise InputError(path, f"has the column {twice[0]!r} twice", "Rename one of them.")
    records = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            raise InputError(
                f"{path} line {reader.line_num}",
                f"has {len(cells)} cells, the header {len(columns)}",
                "Quote cells that hold the separator.",
            )
        records.append(Record(dict(zip(columns, cells, strict=True)), f"{path} line {reader.line_num}"))
    return columns, records
