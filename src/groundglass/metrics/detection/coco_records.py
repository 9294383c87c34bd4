"""COCO's records (as read from JSON) as sets of boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from groundglass.core import InputError
from groundglass.metrics.detection.boxes import BoxSet

_SHOWN = 5


def read_coco(truth: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> tuple[BoxSet, BoxSet]:
    """(truths, detections) from an annotation document and a list of results ({image_id, category_id, bbox, score}).

    Raises InputError for a record without its fields, ids given twice, and images or categories that the document does
    not list.
    """
    images, categories = _ids(truth, "images"), _ids(truth, "categories")
    annotations = list(truth.get("annotations", ()))
    given = [record["id"] for record in annotations if "id" in record]
    if len(set(given)) != len(given):
        raise InputError("annotations", "have an id twice", "Number them anew.")
    _listed(annotations, images, categories, "annotations", ("image_id", "category_id", "bbox"))
    _listed(results, images, categories, "results", ("image_id", "category_id", "bbox", "score"))
    boxes = BoxSet.of_xywh(
        _column(annotations, "image_id"),
        _column(annotations, "category_id"),
        [record["bbox"] for record in annotations],
        crowd=[bool(record.get("iscrowd", 0)) for record in annotations],
        area=[record.get("area", record["bbox"][2] * record["bbox"][3]) for record in annotations],
    )
    found = BoxSet.of_xywh(
        _column(results, "image_id"),
        _column(results, "category_id"),
        [record["bbox"] for record in results],
        scores=[record["score"] for record in results],
    )
    return boxes, found


def _ids(document: Mapping[str, Any], name: str) -> set[Any]:
    if name not in document:
        raise InputError("COCO document", f"has no {name}", "Give the whole annotation document.")
    ids = [record["id"] for record in document[name]]
    if len(set(ids)) != len(ids):
        raise InputError(name, "have an id twice", "Number them anew.")
    return set(ids)


def _listed(
    records: Sequence[Mapping[str, Any]], images: set[Any], categories: set[Any], name: str, fields: tuple[str, ...]
) -> None:
    for place, record in enumerate(records):
        lacking = [field for field in fields if field not in record]
        if lacking or len(record["bbox"]) != 4:
            raise InputError(
                f"{name}[{place}]", f"lacks {', '.join(lacking) or 'four numbers in bbox'}", "Complete it."
            )
    for field, known in (("image_id", images), ("category_id", categories)):
        strange = sorted({str(record[field]) for record in records if record[field] not in known})
        if strange:
            raise InputError(
                name,
                f"name {field} {', '.join(strange[:_SHOWN])}, which the document does not list",
                "Add or drop them.",
            )


def _column(records: Sequence[Mapping[str, Any]], field: str) -> np.ndarray:
    return np.array([record[field] for record in records]) if records else np.zeros(0, dtype=np.int64)
