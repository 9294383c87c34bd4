"""Numbers of a label map and their names, from the files in which tools keep them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundglass.app.compare.records import read_json, read_table
from groundglass.core import ConfigurationError, InputError

_INLINE = re.compile(r"\d+(=[^,=]+)?(,\d+(=[^,=]+)?)*")
_ITK_SNAP = re.compile(r"^\s*\d+(\s+\d+){3}\s+[\d.]+\s+\d+\s+\d+\s+\".*\"\s*$", re.MULTILINE)
_NUMBERS = ("value", "label", "number", "index", "id")
_NAMES = ("name", "label_name", "structure", "description")


@dataclass(frozen=True, slots=True)
class NamedLabel:
    """A name and the numbers in the label map that mean it (several: a region, such as a whole tumour)."""

    name: str
    numbers: tuple[int, ...]


def read_labels(option: str) -> tuple[NamedLabel, ...]:
    """What `--labels` names, in file order and without background (0).

    A file: CSV or JSON (`1,liver` with the columns value and name; `{"1": "liver"}`; `{"liver": 1}`), nnU-Net's
    dataset.json (regions too), or ITK-SNAP's label descriptions; else `1,2` or `1=liver,2=spleen` as it stands.
    Raises ConfigurationError for anything else, InputError for a number or a name that occurs twice.
    """
    path = Path(option)
    if not path.exists():
        if not _INLINE.fullmatch(option):
            raise ConfigurationError(
                f"--labels {option}", "is neither a file nor numbers", "Give a file, or for instance 1=liver,2=spleen."
            )
        parts = (part.partition("=") for part in option.split(","))
        return _checked([NamedLabel(name.strip() or number, (int(number),)) for number, _, name in parts], option)
    if path.suffix.lower() == ".json":
        return _checked(_from_json(read_json(path), path), path)
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if _ITK_SNAP.search(text):
        return _checked(_from_itk_snap(text), path)
    table = read_table(path)
    number = table.column(None, _NUMBERS, "label numbers")
    name = table.column(None, _NAMES, "names")
    return _checked([NamedLabel(r.text(name), (_whole(r.number(number), r.place),)) for r in table.records], path)


def _from_json(content: Any, path: Path) -> list[NamedLabel]:
    if isinstance(content, Mapping) and "labels" in content:
        content = content["labels"]
    if isinstance(content, list):
        table = read_table(path) if all(isinstance(entry, Mapping) for entry in content) else None
        if table is None:
            raise InputError(path, "is not a list of objects with value and name", "See `compare` in the manual.")
        number, name = table.column(None, _NUMBERS, "label numbers"), table.column(None, _NAMES, "names")
        return [NamedLabel(r.text(name), (_whole(r.number(number), r.place),)) for r in table.records]
    if not isinstance(content, Mapping) or not content:
        raise InputError(path, "names no labels", 'Write for instance {"1": "liver"}.')
    if all(str(key).isdigit() for key in content):
        return [NamedLabel(_name(value, path), (int(key),)) for key, value in content.items()]
    return [NamedLabel(str(key), _numbers(value, path)) for key, value in content.items()]


def _name(value: Any, path: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InputError(path, f"has {json.dumps(value)} for a name", 'Write for instance {"1": "liver"}.')
    return value.strip()


def _numbers(value: Any, path: Path) -> tuple[int, ...]:
    several = value if isinstance(value, list) else [value]
    return tuple(_whole(number, path) for number in several)


def _whole(number: Any, place: object) -> int:
    try:
        whole = int(number)
    except (TypeError, ValueError):
        whole = -1
    if whole < 0 or whole != float(number):
        raise InputError(place, f"has {number!r} for a label number", "Label numbers are whole, from 0.")
    return whole


def _from_itk_snap(text: str) -> list[NamedLabel]:
    """Lines `number red green blue alpha visible mesh "name"`; # begins a comment."""
    rows = [shlex.split(line, comments=True) for line in text.splitlines()]
    return [NamedLabel(row[-1], (int(row[0]),)) for row in rows if len(row) == 8]


def _checked(labels: list[NamedLabel], place: object) -> tuple[NamedLabel, ...]:
    kept = [label for label in labels if label.numbers != (0,)]
    names: list[object] = [label.name for label in kept]
    numbers: list[object] = [label.numbers for label in kept]
    for values, what in ((names, "name"), (numbers, "number")):
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise InputError(place, f"has the {what} {twice} twice", "Each label needs one of its own.")
    if not kept:
        raise InputError(place, "names no label other than background", "Name those to be compared.")
    return tuple(kept)
