"""The released files of Chest ImaGenome 1.0.0, gold part: boxes, attributes and comparisons that people corrected.

    gold_dataset/gold_bbox_coordinate_annotations_1000images.csv      a row per image and place
    gold_dataset/gold_object_attribute_with_coordinates.txt           a row per place, sentence and label; tabs
    gold_dataset/gold_object_comparison_with_coordinates.txt          a row per place, sentence and label; tabs

Attributes are given for the first of a patient's two studies, comparisons for the second.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from groundglass.core import Box
from groundglass.core.errors import InputError
from groundglass.text.graph.published import table_rows
from groundglass.text.graph.scoring import Triple

_ENDS = ("original_y1", "original_x1", "original_y2", "original_x2")
_CHANGES = ("improved", "worsened", "no change")


@dataclass(frozen=True, slots=True)
class GoldComparison:
    """A place of an image compared with the same place of an earlier one; boxes in each image's own pixels.

    `changes` are improved, worsened or no change, of which a sentence may say several.
    """

    image_id: str
    previous_id: str
    patient_id: str
    place: str
    changes: tuple[str, ...]
    attribute: str
    sentence: str
    box: Box
    previous_box: Box


def gold_boxes(root: Path) -> dict[str, dict[str, Box]]:
    """Image id -> place -> box in the image's own pixels. Raises InputError for a missing file, column or number."""
    path = root / "gold_dataset" / "gold_bbox_coordinate_annotations_1000images.csv"
    found: dict[str, dict[str, Box]] = {}
    for row in table_rows(path, ("image_id", "bbox_name", *_ENDS)):
        top, left, bottom, right = (_number(path, row[name]) for name in _ENDS)
        found.setdefault(_image(row["image_id"]), {})[row["bbox_name"]] = Box((top, left), (bottom, right))
    return found


def gold_triples(root: Path) -> frozenset[Triple]:
    """(image, place, category|label, said or denied) of every row with a context of yes or no, as `triples` of a graph
    gives them."""
    path = root / "gold_dataset" / "gold_object_attribute_with_coordinates.txt"
    rows = table_rows(path, ("image_id", "bbox", "context", "categoryID", "label_name"), delimiter="\t")
    return frozenset(
        Triple(
            _image(row["image_id"]), row["bbox"], f"{row['categoryID']}|{row['label_name']}", row["context"] == "yes"
        )
        for row in rows
        if row["context"] in ("yes", "no")
    )


def gold_comparisons(root: Path) -> tuple[GoldComparison, ...]:
    """Every row of the comparisons: several places of one image, and several sentences of one place, all stay.

    Raises InputError for a missing file or column, an unknown change and boxes that are no list of four numbers.
    """
    path = root / "gold_dataset" / "gold_object_comparison_with_coordinates.txt"
    ids, said = ("current_image_id", "previous_image_id", "patient_id"), ("bbox", "comparison", "attribute", "sentence")
    ends = ("bbox_coord_original_subject", "bbox_coord_original_object")
    return tuple(
        GoldComparison(
            _image(row[ids[0]]),
            _image(row[ids[1]]),
            row[ids[2]],
            row["bbox"],
            _changes(path, row["comparison"]),
            row["attribute"],
            row["sentence"],
            *(_listed_box(path, row[name]) for name in ends),
        )
        for row in table_rows(path, (*ids, *said, *ends), delimiter="\t")
    )


def _image(name: str) -> str:
    return name.removesuffix(".dcm")


def _changes(path: Path, text: str) -> tuple[str, ...]:
    changes = tuple(part.strip() for part in text.split(";;"))
    if not set(changes) <= set(_CHANGES):
        raise InputError(path, f"says {text!r} of a comparison", f"Known are {', '.join(_CHANGES)}.")
    return changes


def _listed_box(path: Path, text: str) -> Box:
    """The box of a list [x1, y1, x2, y2] that is written as text."""
    try:
        left, top, right, bottom = (round(float(number)) for number in ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError) as error:
        raise InputError(path, f"has the box {text!r}", "Expected a list of four numbers.") from error
    return Box((top, left), (bottom, right))


def _number(path: Path, text: str) -> int:
    try:
        return round(float(text))
    except ValueError as error:
        raise InputError(path, f"has the coordinate {text!r}", "Expected a number.") from error
