"""The released files of Chest ImaGenome, as a small made-up folder in their layout."""

from __future__ import annotations

import csv
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from groundglass.core import Box, InputError, TruncatedError
from groundglass.text import graph
from groundglass.text.graph import Exam, SceneGraph
from groundglass.text.graph.planted import random_graph

BOX = Box((300, 250), (1800, 1200))


def silver(made: SceneGraph) -> dict[str, Any]:
    """A graph as the silver files have it: numbers as ids, no certainty cues, no size of the image, nulls, predicates
    as the text of a list."""
    document = graph.to_json(made)
    document |= {"patient_id": int(made.exam.patient_id), "study_id": int(made.exam.study_id), "viewpoint": None}
    document |= {"gender": "F", "age_decile": "50-60", "reason_for_exam": None}
    for row in document["attributes"]:
        del row["certainty_cues"]
    for row in document["objects"]:
        row.pop("image_height", None), row.pop("image_width", None)
    for number, row in enumerate(document["relationships"]):
        row |= {"relationship_id": f"{made.exam.study_id}|{number}", "predicate": "['No status change']"}
        row |= {"synsets": ["C0442739"], "relationship_contexts": [1.0]}
        del row["phrase_ID"]
    return json.loads(json.dumps(document))


def without_certainty(made: SceneGraph) -> SceneGraph:
    nodes = tuple(
        replace(node, phrases=tuple(replace(phrase, certainty=()) for phrase in node.phrases)) for node in made.nodes
    )
    return replace(made, nodes=nodes, reason="")


def made_graphs() -> list[SceneGraph]:
    """Two exams each of three patients; the second is compared with the first."""
    rng = np.random.default_rng(7)
    graphs: list[SceneGraph] = []
    for number in range(6):
        patient, order = number // 2, number % 2 + 1
        exam = Exam(f"i{number}", f"5{number}", f"1{patient}", order, f"2150-0{order}-01 10:00:00", "", "F", "50-60")
        made = without_certainty(random_graph(rng, exam))
        made = graph.with_boxes(made, {"left lung": BOX, "left cardiac silhouette": BOX}, (2000, 1600))
        graphs.append(graph.with_comparisons(made, graphs[-1]) if order == 2 else made)
    return graphs


def write_table(path: Path, rows: list[dict[str, Any]], delimiter: str = ",") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    graphs = made_graphs()
    folder = tmp_path / "silver_dataset"
    rows = [
        {"subject_id": g.exam.patient_id, "study_id": g.exam.study_id, "dicom_id": g.exam.image_id, "path": "p.dcm",
         "ViewPosition": "AP"}
        for g in graphs
    ]  # fmt: skip
    write_table(folder / "splits" / "train.csv", [{"": i, **row} for i, row in enumerate(rows)])
    write_table(folder / "splits" / "images_to_avoid.csv", rows[2:3])
    with zipfile.ZipFile(folder / "scene_graph.zip", "w") as archive:
        archive.writestr("scene_graph/", "")
        for g in graphs:
            archive.writestr(f"scene_graph/{g.exam.image_id}_SceneGraph.json", json.dumps(silver(g)))
    return tmp_path


def gold_folder(root: Path) -> None:
    folder = root / "gold_dataset"
    numbers = {"x1": 1, "y1": 2, "x2": 3, "y2": 4, "original_x1": 250, "original_y1": 300.0, "original_x2": 1200}
    numbers |= {"original_y2": 1800.0}
    boxes = [{"image_id": "i2.dcm", "bbox_name": name, **numbers} for name in ("left lung", "carina")]
    write_table(folder / "gold_bbox_coordinate_annotations_1000images.csv", boxes)
    label = {"image_id": "i2.dcm", "bbox": "left lung", "row_id": "52|1", "categoryID": "anatomicalfinding"}
    attributes = [
        {**label, "context": "yes", "label_name": "pleural effusion", "sentence": 'Small "layering" effusion.'},
        {**label, "context": "no", "label_name": "pneumothorax", "sentence": "No pneumothorax."},
    ]
    write_table(folder / "gold_object_attribute_with_coordinates.txt", attributes, "\t")
    pair = {"patient_id": 11, "current_image_id": "i3", "previous_image_id": "i2", "attribute": "a", "sentence": "s"}
    pair |= {"bbox_coord_original_subject": "[250, 300, 1200, 1800]", "bbox_coord_original_object": "[0, 0.4, 9.6, 20]"}
    comparisons = [
        {**pair, "bbox": "left lung", "comparison": "worsened"},
        {**pair, "bbox": "right lung", "comparison": "no change;;improved"},
    ]
    write_table(folder / "gold_object_comparison_with_coordinates.txt", comparisons, "\t")


def test_silver_graphs_are_those_that_were_written(root: Path) -> None:
    read = list(graph.published_graphs(root))
    for got, made in zip(read, made_graphs(), strict=True):
        assert got.exam == made.exam
        assert got.nodes == made.nodes
        assert [held.box for held in got.objects] == [held.box for held in made.objects]
        stripped = tuple(replace(relation, phrase_id="") for relation in made.relations)
        assert got.relations == stripped
    assert any(g.relations for g in read)
    assert graph.check_sequence(read[:2]) == tuple(read[:2])


def test_only_trusted_places_give_boxes_and_unsaid_is_not_normal(root: Path) -> None:
    got = next(graph.published_graphs(root))
    assert graph.trusted_boxes(got) == {"left lung": BOX}
    unsaid = next(place for place in graph.boxed_places() if got.node(place) is None)
    assert not [triple for triple in graph.triples(got) if triple.place == unsaid]


def test_gold_patients_leave_the_split_with_all_their_images(root: Path) -> None:
    rows = graph.published_split(root, "train")
    assert [row.image_id for row in rows] == ["i0", "i1", "i4", "i5"]
    assert [row.image_id for row in graph.published_split(root, "train", without=["10"])] == ["i4", "i5"]
    assert rows[0] == graph.PublishedImage("i0", "50", "10", "AP", "p.dcm")


def test_chosen_ids_folder_instead_of_archive_and_bad_files(root: Path) -> None:
    assert [g.exam.image_id for g in graph.published_graphs(root, ids=["i5", "i1"])] == ["i1", "i5"]
    with pytest.raises(InputError, match="nowhere"):
        list(graph.published_graphs(root, ids=["i1", "nowhere"]))
    with zipfile.ZipFile(root / "silver_dataset" / "scene_graph.zip") as archive:
        archive.extractall(root / "silver_dataset")
    (root / "silver_dataset" / "scene_graph.zip").unlink()
    assert len(list(graph.published_graphs(root))) == 6
    (root / "silver_dataset" / "scene_graph" / "i2_SceneGraph.json").write_text('{"image_id": "i2"')
    with pytest.raises(InputError, match="i2"):
        list(graph.published_graphs(root))
    skipped: list[InputError] = []
    assert len(list(graph.published_graphs(root, skipped=skipped.append))) == 5
    assert len(skipped) == 1
    (root / "silver_dataset" / "scene_graph.zip").write_bytes(b"no archive")
    with pytest.raises(TruncatedError, match="damaged"):
        list(graph.published_graphs(root))


def test_gold_tables(root: Path) -> None:
    gold_folder(root)
    assert graph.gold_boxes(root) == {"i2": {"left lung": BOX, "carina": BOX}}
    assert graph.gold_triples(root) == {
        ("i2", "left lung", "anatomicalfinding|pleural effusion", True),
        ("i2", "left lung", "anatomicalfinding|pneumothorax", False),
    }
    first, second = graph.gold_comparisons(root)
    assert (first.place, first.changes, first.image_id, first.previous_id) == ("left lung", ("worsened",), "i3", "i2")
    assert (first.box, first.previous_box) == (BOX, Box((0, 0), (20, 10)))
    assert second.changes == ("no change", "improved")


def test_gold_tables_with_faults_are_refused(root: Path) -> None:
    with pytest.raises(InputError, match="is not there"):
        graph.gold_boxes(root)
    gold_folder(root)
    path = root / "gold_dataset" / "gold_object_comparison_with_coordinates.txt"
    text = path.read_text()
    for old, new, message in (
        ("worsened", "larger", "larger"),
        ("[250, 300, 1200, 1800]", "[250, 300]", "250"),
        ("previous_image_id", "prior", "previous_image_id"),
    ):
        path.write_text(text.replace(old, new))
        with pytest.raises(InputError, match=message):
            graph.gold_comparisons(root)
