"""Labelled points of cases from CSV, JSON records, VerSe centroid files, or DICOM SR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundglass.app.compare.box_files import LABEL_COLUMNS, SCORE_COLUMNS
from groundglass.app.compare.cases import files_of, patient_of, stem
from groundglass.app.compare.records import Record, Table, read_json, read_table, with_case
from groundglass.app.compare.settings import Settings
from groundglass.core import InputError

_AXES = ("x", "y", "z")


@dataclass(frozen=True, slots=True)
class LabelledPoint:
    """`place` has two or three coordinates, in the unit of its file. `score` is None for a truth."""

    label: str
    place: tuple[float, ...]
    score: float | None = None


@dataclass(frozen=True)
class PointFile:
    """Points by case, and the patient of each. `direction` is that of VerSe files ("PIR"), else empty.

    `lists_cases` says that a case that is not there is missing, rather than one in which nothing was found.
    """

    path: Path
    cases: Mapping[str, list[LabelledPoint]]
    patients: Mapping[str, str]
    lists_cases: bool
    direction: Mapping[str, str]

    @property
    def axes(self) -> int:
        """How many coordinates the points have. Raises InputError where they differ."""
        counts = {len(point.place) for points in self.cases.values() for point in points}
        if len(counts) > 1:
            raise InputError(self.path, "has points of two and of three coordinates", "Give all of them alike.")
        return counts.pop() if counts else 0


def read_points(path: Path, settings: Settings) -> PointFile:
    """Points of a table of all cases, of one case's file, or of a folder with a file per case.

    Raises InputError for NaN, a missing coordinate, a case that occurs twice and a file of another kind.
    """
    if path.is_dir():
        found = files_of(path, lambda file: file.name.lower().endswith((".json", ".csv", ".dcm")))
        return _folder(found, path, settings)
    if not path.exists():
        raise InputError(path, "does not exist", "Check the path.")
    if _is_own_case(path):
        return _folder({path.name: path}, path, settings)
    table = read_table(path)
    cases: dict[str, list[LabelledPoint]] = {}
    patients: dict[str, str] = {}
    read = _reader(table)
    for case, patient, record in with_case(table, settings):
        patients[case] = patient
        points = cases.setdefault(case, [])
        if point := read(record):
            points.append(point)
    return PointFile(path, cases, patients, lists_cases=False, direction={})


def _is_own_case(path: Path) -> bool:
    """True for a DICOM SR and a VerSe centroid file: they hold one case, which their name tells."""
    if path.suffix.lower() == ".json":
        return _is_verse(read_json(path))
    from groundglass.io.kinds import kind_of

    return kind_of(path) == "dicom"


def _folder(found: Mapping[str, Path], path: Path, settings: Settings) -> PointFile:
    from groundglass.app.compare.settings import first_group

    cases: dict[str, list[LabelledPoint]] = {}
    patients: dict[str, str] = {}
    direction: dict[str, str] = {}
    for inside, file in found.items():
        case = (first_group(settings.case_from, inside) if settings.case_from else None) or stem(Path(inside).name)
        if case in cases:
            raise InputError(path, f"has case {case} twice", "Remove one, or name cases by --case-from.")
        cases[case], direction[case] = _one_case(file)
        patients[case] = patient_of(case, inside, settings)
    return PointFile(path, cases, patients, lists_cases=True, direction=direction)


def _one_case(file: Path) -> tuple[list[LabelledPoint], str]:
    if file.suffix.lower() not in (".json", ".csv"):
        return _structured_report(file), ""
    if file.suffix.lower() == ".json":
        content = read_json(file)
        if _is_verse(content):
            return _verse(content, file)
        if content == []:
            return [], ""
    table = read_table(file)
    read = _reader(table)
    return [point for record in table.records if (point := read(record))], ""


def _reader(table: Table) -> Any:
    """Record -> its point, or None for a row without coordinates (a case in which there is nothing)."""
    lower = {column.casefold(): column for column in table.columns}
    axes = [lower[axis] for axis in _AXES if axis in lower]
    if len(axes) < 2:
        table.column("x", (), "first coordinate")
        table.column("y", (), "second coordinate")
    label_column = table.find(None, LABEL_COLUMNS, "label")
    score_column = table.find(None, SCORE_COLUMNS, "score")

    def read(record: Record) -> LabelledPoint | None:
        if all(str(record.values.get(axis) or "").strip() == "" and record.values.get(axis) != 0 for axis in axes):
            return None
        place = tuple(record.number(axis) for axis in axes)
        label = record.text(label_column) if label_column else "object"
        return LabelledPoint(label, place, record.number(score_column) if score_column else None)

    return read


def _is_verse(content: Any) -> bool:
    return isinstance(content, list) and bool(content) and isinstance(content[0], dict) and "direction" in content[0]


def _verse(content: list[Any], file: Path) -> tuple[list[LabelledPoint], str]:
    """VerSe's centroids: [{"direction": ["P", "I", "R"]}, {"label": 16, "X": ..., "Y": ..., "Z": ...}, ...]."""
    direction = content[0]["direction"]
    if not isinstance(direction, list) or not all(isinstance(axis, str) for axis in direction):
        raise InputError(file, "has a direction that is no list of letters", 'Write for instance ["P", "I", "R"].')
    points = []
    for number, entry in enumerate(content[1:], start=2):
        if not isinstance(entry, dict):
            raise InputError(f"{file} entry {number}", "is not an object", "Write label, X, Y and Z of each point.")
        if "label" in entry:
            record = Record({key.lower(): value for key, value in entry.items()}, f"{file} entry {number}")
            points.append(LabelledPoint(record.text("label"), tuple(record.number(axis) for axis in _AXES)))
    return points, "".join(direction)


def _structured_report(file: Path) -> list[LabelledPoint]:
    """The single points of a DICOM SR's present findings: RAS mm in a volume, column and row on a flat image."""
    from groundglass.io import read_sr

    points = []
    for finding in read_sr(file).findings:
        lines = [line for measurement in finding.measurements for line in measurement.geometry]
        for line in (*finding.where.points, *lines):
            if len(line.points) == 1 and finding.status == "present":
                place = line.points[0]
                place = place if len(place) == 3 else place[::-1]
                points.append(LabelledPoint(finding.what.name, tuple(map(float, place)), finding.score))
    return points
