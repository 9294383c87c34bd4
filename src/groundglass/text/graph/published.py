"""The released files of Chest ImaGenome 1.0.0 (PhysioNet, credentialed), silver part: scene graphs, splits, boxes.

    silver_dataset/scene_graph.zip            scene_graph/<image id>_SceneGraph.json, or unpacked beside it
    silver_dataset/splits/{train,valid,test}.csv, images_to_avoid.csv
                                              subject_id, study_id, dicom_id, path, ViewPosition

The files are not ours to pass on; the folder is the user's. The gold tables are read by
`groundglass.text.graph.published_gold`.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from groundglass.core import Box
from groundglass.core.errors import InputError, TruncatedError, UnsafeInputError
from groundglass.text.graph.document import from_json
from groundglass.text.graph.places import boxed_places
from groundglass.text.graph.scene import SceneGraph

_SUFFIX = "_SceneGraph.json"
# The largest graphs of the release are some hundred kB.
_LARGEST = 32 << 20
Split = Literal["train", "valid", "test"]


@dataclass(frozen=True, slots=True)
class PublishedImage:
    """A row of a split: ids as text; `path` is that of the DICOM file in MIMIC-CXR."""

    image_id: str
    study_id: str
    patient_id: str
    viewpoint: str
    path: str


def published_split(root: Path, split: Split, *, without: Collection[str] = ()) -> tuple[PublishedImage, ...]:
    """The images of a split in the file's order.

    Every image of a patient with an image to avoid (the 500 of the gold part) is left out, and so are the patients of
    `without`: those of MS-CXR, say, where that is the test set. Raises InputError when a file or column is missing.
    """
    folder = root / "silver_dataset" / "splits"
    left_out = {row.patient_id for row in _images(folder / "images_to_avoid.csv")} | set(without)
    return tuple(row for row in _images(folder / f"{split}.csv") if row.patient_id not in left_out)


def published_graphs(
    root: Path, *, ids: Collection[str] | None = None, skipped: Callable[[InputError], None] | None = None
) -> Iterator[SceneGraph]:
    """The silver graphs, of the images in `ids` (None: of all) in the order of the archive.

    A place that has no entry is not normal, only unsaid. A graph that cannot be read raises its InputError, or is
    handed to `skipped` and left out. Raises InputError when there is neither archive nor folder, and for ids that have
    no graph, after all others.
    """
    missing = None if ids is None else set(ids)
    with ExitStack() as stack:
        for image_id, read in _members(root, stack):
            if missing is not None and image_id not in missing:
                continue
            if missing is not None:
                missing.remove(image_id)
            try:
                yield _graph(image_id, read())
            except InputError as error:
                if skipped is None:
                    raise
                skipped(error)
    if missing:
        raise InputError(", ".join(sorted(missing)[:5]), f"and {len(missing)} in all have no graph", "Check the ids.")


def trusted_boxes(graph: SceneGraph) -> dict[str, Box]:
    """Boxes, in the image's own pixels, of those of the 29 trusted places that the graph has; others also occur in the
    files, some with boxes of no known quality. A box without area is left out."""
    trusted = frozenset(boxed_places())
    boxes = {held.place: held.box for held in graph.objects if held.place in trusted and held.box is not None}
    return {place: box for place, box in boxes.items() if min(box.shape) > 0}


def table_rows(path: Path, columns: Collection[str], *, delimiter: str = ",") -> Iterator[dict[str, str]]:
    """Rows of a table by column. Raises InputError when the file or one of `columns` is missing."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, delimiter=delimiter)
            absent = sorted(set(columns) - set(rows.fieldnames or ()))
            if absent:
                raise InputError(path, f"lacks the columns {', '.join(absent)}", "Take the file as it was released.")
            yield from rows
    except FileNotFoundError as error:
        raise InputError(path, "is not there", "Give the folder that holds silver_dataset and gold_dataset.") from error


def _images(path: Path) -> Iterator[PublishedImage]:
    columns = ("dicom_id", "study_id", "subject_id", "ViewPosition", "path")
    for row in table_rows(path, columns):
        yield PublishedImage(*(row[name] for name in columns))


def _members(root: Path, stack: ExitStack) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """(image id, how to read its graph) from the archive, or from the folder that it was unpacked to."""
    archive, folder = root / "silver_dataset" / "scene_graph.zip", root / "silver_dataset" / "scene_graph"
    if archive.exists():
        try:
            opened = stack.enter_context(zipfile.ZipFile(archive))
        except zipfile.BadZipFile as error:
            raise TruncatedError(archive, f"is a damaged archive ({error})", "Copy it again.") from error
        for entry in opened.infolist():
            if entry.filename.endswith(_SUFFIX):
                yield _id_of(entry.filename.rpartition("/")[2]), partial(_member, opened, entry)
    elif folder.is_dir():
        for path in sorted(folder.rglob(f"*{_SUFFIX}")):
            yield _id_of(path.name), path.read_bytes
    else:
        raise InputError(archive, "is not there", "Give the folder that holds silver_dataset and gold_dataset.")


def _id_of(name: str) -> str:
    return name.removesuffix(_SUFFIX)


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.file_size > _LARGEST:
        raise UnsafeInputError(entry.filename, f"unpacks to {entry.file_size} bytes", "A graph is far smaller.")
    try:
        return archive.read(entry)
    except zipfile.BadZipFile as error:
        raise TruncatedError(entry.filename, f"is damaged ({error})", "Copy the archive again.") from error


def _graph(image_id: str, text: bytes) -> SceneGraph:
    try:
        return from_json(json.loads(text))
    except (ValueError, AttributeError) as error:
        raise InputError(image_id, f"has no readable graph ({error})", "Copy the archive again.") from error
    except InputError as error:
        raise InputError(image_id, str(error), "Skip it.") from error
