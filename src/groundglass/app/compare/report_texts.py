"""Report texts of cases: a folder of .txt, report.json or DICOM SR files, one such file, or a table with a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from groundglass.app.compare.cases import files_of, patient_of, stem
from groundglass.app.compare.records import Record, keyed, read_json, read_table
from groundglass.app.compare.settings import Settings, first_group
from groundglass.core import InputError, Report
from groundglass.metrics.judge import Phrase

TEXT_COLUMNS = ("report", "text", "report_text", "generated", "prediction", "reference", "findings", "impression")


@dataclass(frozen=True)
class ReportText:
    """A report's words and, where its file has them (a JSON record), its phrases with their boxes."""

    text: str
    phrases: tuple[Phrase, ...] = ()


@dataclass(frozen=True)
class ReportPairs:
    """Candidate and reference of each case, in one order."""

    cases: Sequence[str]
    patients: Sequence[str]
    candidates: Sequence[ReportText]
    references: Sequence[ReportText]


@dataclass(frozen=True)
class ReportFile:
    """Reports by case, and the patient of each."""

    path: Path
    cases: Mapping[str, ReportText]
    patients: Mapping[str, str]


def read_reports(path: Path, settings: Settings, *, column: str | None = None) -> ReportFile:
    """Reports of a folder with a file per case, of one such file, or of a table (`column` names that of the text).

    Raises InputError for a case that occurs twice, an empty report, and a file of another kind.
    """
    if path.is_dir():
        return _files(files_of(path, _is_report), path, settings)
    if not path.exists():
        raise InputError(path, "does not exist", "Check the path.")
    if path.suffix.lower() == ".txt" or _is_report_json(path) or _is_sr(path):
        return _files({path.name: path}, path, settings)
    table = read_table(path)
    text_column = None if "phrases" in table.columns and column is None else column
    if text_column is None and "phrases" not in table.columns:
        text_column = table.column(column, TEXT_COLUMNS, "report text")
    rows = keyed(table, settings)
    cases = {case: _recorded(record, text_column) for case, (_, record) in rows.items()}
    return ReportFile(path, cases, {case: patient for case, (patient, _) in rows.items()})


def _is_report(path: Path) -> bool:
    return path.name.lower().endswith((".txt", "report.json", ".dcm"))


def _is_report_json(path: Path) -> bool:
    if path.suffix.lower() != ".json":
        return False
    content = read_json(path)
    return isinstance(content, Mapping) and "report" in content and isinstance(content["report"], Mapping)


def _is_sr(path: Path) -> bool:
    if path.suffix.lower() in (".csv", ".tsv", ".json", ".jsonl"):
        return False
    from groundglass.io.kinds import kind_of

    return kind_of(path) == "dicom"


def _files(found: Mapping[str, Path], path: Path, settings: Settings) -> ReportFile:
    cases: dict[str, ReportText] = {}
    patients: dict[str, str] = {}
    for inside, file in found.items():
        # `read` writes one folder per study, so that folder names the case of a report.json or report.txt.
        own = Path(inside)
        name = own.parent.as_posix() if own.stem == "report" and own.parent != Path() else stem(own.name)
        case = (first_group(settings.case_from, inside) if settings.case_from else None) or name
        if case in cases:
            raise InputError(path, f"has case {case} twice", "Remove one, or name cases by --case-from.")
        cases[case] = _read(file)
        patients[case] = patient_of(case, inside, settings)
    return ReportFile(path, cases, patients)


def _read(file: Path) -> ReportText:
    if file.suffix.lower() == ".json":
        from groundglass.app.inputs import study_of_report

        report = study_of_report(file).reports[0]
        return ReportText(_body(report))
    if file.suffix.lower() != ".txt":
        from groundglass.io import read_sr

        report = read_sr(file)
        return ReportText(_body(report))
    try:
        text = file.read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise InputError(file, f"is not text in UTF-8 ({error.reason})", "Save it as UTF-8.") from error
    if not text:
        raise InputError(file, "is empty", "Remove it, or fill it in.")
    return ReportText(text)


def _recorded(record: Record, column: str | None) -> ReportText:
    """A record's text, else its `phrases`: a list of {"text": ..., "boxes": [[x0, y0, x1, y1], ...]}."""
    if column is not None:
        return ReportText(record.text(column))
    try:
        phrases = tuple(
            Phrase(
                str(entry["text"]),
                tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in entry.get("boxes", ())),
            )
            for entry in record.values["phrases"]
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            record.place, "has phrases of another form", 'Write [{"text": ..., "boxes": [[x0, y0, x1, y1]]}], 0 to 1.'
        ) from error
    return ReportText(" ".join(phrase.text for phrase in phrases), phrases)


def _body(report: Report) -> str:
    """What a report says of the images: findings and impression, without technique, notices and limits."""
    said = [
        s.text for name in ("findings", "impression") if (section := report.section(name)) for s in section.sentences
    ]
    return " ".join(said)
