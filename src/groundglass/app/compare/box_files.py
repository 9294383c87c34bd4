"""Boxes of images from COCO JSON, CSV, JSON records, or the report.json files that `read` writes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from groundglass.app.compare.cases import files_of, listed, patient_of, stem
from groundglass.app.compare.records import Record, Table, read_json, read_table, with_case
from groundglass.app.compare.settings import Settings
from groundglass.core import InputError, UnsupportedError

LABEL_COLUMNS = ("label", "class", "category", "name", "finding")
SCORE_COLUMNS = ("score", "confidence", "probability")
_CORNERS = (
    ("x0", "y0", "x1", "y1"),
    ("x1", "y1", "x2", "y2"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
)
_SIZES = (("x", "y", "width", "height"), ("x", "y", "w", "h"))


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """`corners` are x0, y0, x1, y1 in pixels. `score` is None for a truth. `crowd` and `area` as COCO has them."""

    label: str
    corners: tuple[float, float, float, float]
    score: float | None = None
    crowd: bool = False
    area: float | None = None


@dataclass(frozen=True)
class BoxFile:
    """Boxes by case. `names` are other names by which a case may be called (COCO: image id, file name).

    `lists_cases` says that the file lists its images apart from their boxes, so that one it lacks is missing, rather
    than an image on which nothing was found.
    """

    path: Path
    cases: Mapping[str, list[LabelledBox]]
    patients: Mapping[str, str]
    lists_cases: bool
    names: Mapping[str, str] = field(default_factory=dict)


def read_boxes(path: Path, settings: Settings, *, categories: Mapping[int, str] | None = None) -> BoxFile:
    """Boxes of a file, or of a folder of report.json files.

    `categories` name the numbers of a COCO result list, which has no names of its own. Raises InputError for NaN,
    a box that ends before it starts, ids that occur twice, and references to images or categories that are not there.
    """
    if path.is_dir():
        return _reports(path, settings)
    if path.suffix.lower() == ".json":
        content = read_json(path)
        if isinstance(content, Mapping) and "annotations" in content:
            return _coco(content, path, settings)
        if isinstance(content, Mapping) and "report" in content:
            return _from_reports({stem(path.name): path}, path, settings)
        if isinstance(content, list) and (
            not content or (isinstance(content[0], Mapping) and "category_id" in content[0])
        ):
            return _coco_results(content, path, settings, categories)
    return _records(read_table(path), settings)


def coco_categories(path: Path) -> dict[int, str] | None:
    """Number -> name in a COCO file, None for another kind of file."""
    if path.is_dir() or path.suffix.lower() != ".json":
        return None
    content = read_json(path)
    if not isinstance(content, Mapping) or "categories" not in content:
        return None
    return _categories(content, path)


def _categories(content: Mapping[str, Any], path: Path) -> dict[int, str]:
    entries = _objects(content.get("categories"), path, "categories")
    found = {
        _number(entry, "id", path, f"category {place}"): str(_entry(entry, "name", path, f"category {place}"))
        for place, entry in enumerate(entries, start=1)
    }
    if len(found) != len(entries):
        raise InputError(path, "has a category id twice", "Give each category an id of its own.")
    return found


def _coco(content: Mapping[str, Any], path: Path, settings: Settings) -> BoxFile:
    images, annotations = (_objects(content.get(key), path, key) for key in ("images", "annotations"))
    names: dict[str, str] = {}
    cases: dict[str, list[LabelledBox]] = {}
    patients: dict[str, str] = {}
    files = [stem(Path(str(image.get("file_name", ""))).name) for image in images]
    by_file = len(set(files)) == len(files) and all(files)
    for image, file in zip(images, files, strict=True):
        number = str(_entry(image, "id", path, "an image"))
        case = file if by_file else number
        if number in names:
            raise InputError(path, f"has the image id {number} twice", "Give each image an id of its own.")
        names[number] = case
        inside = str(image.get("file_name") or case)
        patients[case] = str(image.get("patient_id") or patient_of(case, inside, settings))
        cases[case] = []
    categories = _categories(content, path)
    seen: set[str] = set()
    for place, entry in enumerate(annotations, start=1):
        if entry.get("id") is not None and str(entry["id"]) in seen:
            raise InputError(path, f"has the annotation id {entry['id']} twice", "Give each annotation its own id.")
        seen.add(str(entry.get("id")))
        case = _case(names, entry, path, place)
        score = entry.get("score")
        cases[case].append(_coco_box(entry, categories, path, place, score))
    for name in list(names.values()):
        names.setdefault(name, name)
    return BoxFile(path, cases, patients, lists_cases=True, names=names)


def _coco_results(content: list[Any], path: Path, settings: Settings, categories: Mapping[int, str] | None) -> BoxFile:
    if categories is None:
        raise InputError(path, "is a COCO result list, whose labels only a COCO data set names", "Give one as TRUTH.")
    cases: dict[str, list[LabelledBox]] = {}
    for place, entry in enumerate(_objects(content, path, "results"), start=1):
        case = str(_entry(entry, "image_id", path, f"entry {place}"))
        score = _entry(entry, "score", path, f"entry {place}")
        cases.setdefault(case, []).append(_coco_box(entry, categories, path, place, score))
    return BoxFile(path, cases, {case: patient_of(case, case, settings) for case in cases}, lists_cases=False)


def _objects(content: Any, path: Path, what: str) -> list[Mapping[str, Any]]:
    if not isinstance(content, list) or not all(isinstance(entry, Mapping) for entry in content):
        raise InputError(path, f"has {what} that are not a list of objects", "Export it as COCO does.")
    return content


def _number(entry: Mapping[str, Any], key: str, path: Path, what: str) -> int:
    value = _entry(entry, key, path, what)
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or number != value:
        raise InputError(path, f"{what} has {json.dumps(value)} as {key}", "Ids of categories are whole numbers.")
    return number


def _entry(entry: Mapping[str, Any], key: str, path: Path, what: str) -> Any:
    if entry.get(key) is None:
        raise InputError(path, f"{what} has no {key}", "Export it as COCO does.")
    return entry[key]


def _case(names: Mapping[str, str], entry: Mapping[str, Any], path: Path, place: int) -> str:
    number = str(_entry(entry, "image_id", path, f"annotation {place}"))
    if number not in names:
        raise InputError(path, f"annotation {place} is of image {number}, which is not listed", "List all images.")
    return names[number]


def _coco_box(
    entry: Mapping[str, Any], categories: Mapping[int, str], path: Path, place: int, score: Any
) -> LabelledBox:
    where = f"{path} entry {place}"
    number = _number(entry, "category_id", path, f"entry {place}")
    if number not in categories:
        raise InputError(where, f"has category {number}, which is not listed", "List all categories.")
    x, y, width, height = _finite(_entry(entry, "bbox", path, f"entry {place}"), 4, where)
    area = entry.get("area")
    return _checked(
        LabelledBox(
            categories[number],
            (x, y, x + width, y + height),
            None if score is None else _finite([score], 1, where)[0],
            bool(entry.get("iscrowd", 0)),
            None if area is None else _finite([area], 1, where)[0],
        ),
        where,
    )


def _finite(values: Any, count: int, where: str) -> list[float]:
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != count or not all(math.isfinite(number) for number in numbers):
        raise InputError(where, f"has {json.dumps(values)} instead of {count} finite number(s)", "Mend or remove it.")
    return numbers


def _checked(box: LabelledBox, where: str) -> LabelledBox:
    x0, y0, x1, y1 = box.corners
    if x1 < x0 or y1 < y0:
        raise InputError(where, f"has a box that ends before it starts, {box.corners}", "Swap the ends.")
    return box


def _records(table: Table, settings: Settings) -> BoxFile:
    """Rows of case, label, four numbers and perhaps a score; a row without numbers names a case without boxes."""
    lower = {column.casefold(): column for column in table.columns}
    forms = [names for names in (*_CORNERS, *_SIZES) if all(name in lower for name in names)]
    if not forms:
        raise InputError(
            table.path,
            f"has no columns for a box (it has {listed(table.columns)})",
            "Name them x0,y0,x1,y1 or x,y,width,height.",
        )
    columns = [lower[name] for name in forms[0]]
    label_column = table.find(None, LABEL_COLUMNS, "label")
    score_column = table.find(None, SCORE_COLUMNS, "score")
    cases: dict[str, list[LabelledBox]] = {}
    patients: dict[str, str] = {}
    for case, patient, record in with_case(table, settings):
        boxes = cases.setdefault(case, [])
        patients[case] = patient
        if all(_is_blank(record, column) for column in columns):
            continue
        a, b, c, d = (record.number(column) for column in columns)
        corners = (a, b, a + c, b + d) if forms[0] in _SIZES else (a, b, c, d)
        label = record.text(label_column) if label_column else "object"
        score = record.number(score_column) if score_column else None
        boxes.append(_checked(LabelledBox(label, corners, score), record.place))
    return BoxFile(table.path, cases, patients, lists_cases=False)


def _is_blank(record: Record, column: str) -> bool:
    value = record.values.get(column)
    return value is None or str(value).strip() == ""


def _reports(folder: Path, settings: Settings) -> BoxFile:
    found = files_of(folder, lambda path: path.name.endswith("report.json"))
    named = {Path(inside).parent.as_posix() if Path(inside).name == "report.json" else stem(inside): path
             for inside, path in found.items()}  # fmt: skip
    return _from_reports(named, folder, settings)


def _from_reports(files: Mapping[str, Path], path: Path, settings: Settings) -> BoxFile:
    """Boxes of the present findings of report.json files (of a flat image: rows and columns become y and x)."""
    from groundglass.app.inputs import study_of_report

    cases: dict[str, list[LabelledBox]] = {}
    patients: dict[str, str] = {}
    for case, file in files.items():
        study = study_of_report(file)
        patients[case] = study.patient_id or patient_of(case, case, settings)
        cases[case] = []
        for finding in study.reports[0].findings:
            where = finding.where
            box = where.box or (where.mask.box if where.mask is not None and not where.mask.is_empty else None)
            if box is None or finding.status != "present":
                continue
            if len(box.start) != 2:
                raise UnsupportedError(file, "has boxes in three dimensions", "Compare them as masks (compare seg).")
            corners = (float(box.start[1]), float(box.start[0]), float(box.stop[1]), float(box.stop[0]))
            cases[case].append(LabelledBox(finding.what.name, corners, finding.score))
    return BoxFile(path, cases, patients, lists_cases=True)
