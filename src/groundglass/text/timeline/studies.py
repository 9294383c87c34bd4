"""A patient's reports with their dates: a folder of text files, or a table."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from groundglass.core.errors import InputError
from groundglass.text.plain import decode_report, plain
from groundglass.text.structured.answer import date_in

TEXTS = (".txt", ".html", ".htm", ".rtf", ".hl7")
DATE_COLUMNS = ("date", "study_date", "studydate", "exam_date", "report_date", "studydatetime")
TEXT_COLUMNS = ("report", "text", "report_text", "findings")
ID_COLUMNS = ("study_id", "study", "report_id", "id", "accession")

_HEADER = re.compile(
    r"^[ \t]*(?:exam(?:ination)?[ \t]+date|date[ \t]+of[ \t]+(?:exam(?:ination)?|study|service)|study[ \t]+date|date)"
    r"[ \t]*:[ \t]*([^\r\n]{4,40})",
    re.IGNORECASE | re.MULTILINE,
)
_SLASHES = re.compile(r"\b(\d{1,2})[/.](\d{1,2})[/.](\d{4})\b")
_IN_NAME = re.compile(r"(?<!\d)(\d{4})[-_.]?(\d{2})[-_.]?(\d{2})(?!\d)")


@dataclass(frozen=True, slots=True)
class DatedReport:
    """A report with the id of its study and its date (YYYY-MM-DD)."""

    study_id: str
    date: str
    text: str


def read_folder(path: Path) -> tuple[DatedReport, ...]:
    """The reports of a folder of one patient, or of a CSV table, in time order (equal dates by name).

    The date stands in a header line ("Date: 2024-03-12"), else in the file's name (2024-03-12, 20240312); a table has
    the columns date and report, and may have study_id. Raises InputError when there is no report, a report has no date
    or one that can be read in two ways (03/04/2024), or an id comes twice.
    """
    if path.is_dir():
        files = sorted(
            p for p in path.rglob("*") if p.suffix.lower() in (*TEXTS, ".csv") and not p.name.startswith(".")
        )
        found = [report for file in files for report in _read(file, file.relative_to(path).with_suffix("").as_posix())]
    elif path.is_file():
        found = list(_read(path, path.stem))
    else:
        raise InputError(path, "does not exist", "Give a folder of reports or a CSV table.")
    if not found:
        raise InputError(path, f"holds no report ({', '.join((*TEXTS, '.csv'))})", "Check the folder.")
    ids = [report.study_id for report in found]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise InputError(path, f"has the study {twice[0]!r} twice", "Give every report an id of its own.")
    return tuple(sorted(found, key=lambda report: (report.date, report.study_id)))


def date_of_report(text: str, name: str) -> str:
    """The date of a report's header line, else of its name. Raises InputError when there is none or it is ambiguous."""
    header = _HEADER.search(text[:4000])
    for said in (header[1] if header else "", name):
        if slashes := _SLASHES.search(said):
            return _unambiguous(int(slashes[1]), int(slashes[2]), int(slashes[3]), name)
        if day := date_in(said) or _date_in_name(said):
            return day
    raise InputError(name, "has no date", "Write a line `Date: YYYY-MM-DD`, or name the file by its date.")


def _unambiguous(first: int, second: int, year: int, name: str) -> str:
    if first <= 12 and second <= 12 and first != second:
        raise InputError(
            name, f"has the date {first}/{second}/{year}, which two readers read in two ways", "Write YYYY-MM-DD."
        )
    day, month = (first, second) if second <= 12 else (second, first)
    try:
        return date(year, month, day).isoformat()
    except ValueError as error:
        raise InputError(name, f"has no possible date ({first}/{second}/{year})", "Write YYYY-MM-DD.") from error


def _date_in_name(name: str) -> str | None:
    for match in _IN_NAME.finditer(name):
        try:
            return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
        except ValueError:
            continue
    return None


def _read(file: Path, name: str) -> Iterator[DatedReport]:
    try:
        text = decode_report(file.read_bytes(), str(file))
    except OSError as error:
        raise InputError(file, f"cannot be read ({error.strerror})", "Check the path.") from error
    if file.suffix.lower() != ".csv":
        yield DatedReport(name, date_of_report(plain(text), name), text)
        return
    table = csv.DictReader(text.splitlines(keepends=True))
    columns = {(column or "").strip().casefold(): column for column in table.fieldnames or ()}
    day, body, study = (
        next((columns[c] for c in names if c in columns), None) for names in (DATE_COLUMNS, TEXT_COLUMNS, ID_COLUMNS)
    )
    if day is None or body is None:
        raise InputError(
            file, "has no column for date and report", f"Name them {DATE_COLUMNS[0]} and {TEXT_COLUMNS[0]}."
        )
    for number, row in enumerate(table, start=1):
        label = (row.get(study) or "").strip() if study else ""
        label = label or f"{name}:{number}"
        yield DatedReport(label, date_of_report(f"Date: {row[day]}", label), row[body] or "")
