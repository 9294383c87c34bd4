"""Scene graphs: the place tree, the published layout, graph to findings and back, relations, boxes."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources

import networkx
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from groundglass.core import Box, GeometryError, InputError
from groundglass.text import graph, read_report
from groundglass.text.graph import Exam, PlaceNode, PlacePhrase, SceneGraph, SceneObject
from groundglass.text.graph.planted import random_graph


def tree() -> networkx.DiGraph:
    """The place tree, read from the data file by another way."""
    file = resources.files("groundglass.text.graph") / "data" / "places.json"
    found = networkx.DiGraph()
    for row in json.loads(file.read_text())["places"]:
        found.add_node(row["name"])
        if row["parent"]:
            found.add_edge(row["parent"], row["name"])
    return found


@pytest.mark.parametrize("count", [300, pytest.param(2000, marks=pytest.mark.slow)])
def test_graphs_validate_and_survive_findings_and_json(count: int) -> None:
    rng = np.random.default_rng(76)
    file = resources.files("groundglass.text.graph") / "data" / "scene_graph.schema.json"
    schema = json.loads(file.read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    before = None
    for number in range(count):
        exam = Exam(f"img{number}", f"s{number}", f"p{number // 2}", number % 2 + 1, f"2024-01-0{number % 2 + 1}")
        made = random_graph(rng, exam)
        if before is not None and number % 2:
            made = graph.with_comparisons(made, before)
            assert graph.check_sequence([made, before]) == (before, made)
        document = json.loads(json.dumps(graph.to_json(made)))
        validator.validate(document)
        assert graph.from_json(document) == made
        again = graph.scene_graph(graph.report_of(made), exam)
        if made.relations:
            assert before is not None
            again = graph.with_comparisons(again, before)
        assert again == made
        before = made


def test_foreign_labels_survive_too() -> None:
    phrase = PlacePhrase("s|1", "A skin fold.", "findings", ("technicalassessment|yes|skin fold",))
    made = SceneGraph(Exam("i", "s"), (PlaceNode("lungs", (phrase,)),), (SceneObject("lungs"),))
    assert graph.scene_graph(graph.report_of(made), made.exam) == made


def test_propagation_is_the_closure_of_the_tree() -> None:
    rng = np.random.default_rng(5)
    places = tree()
    assert set(places) == set(graph.place_tree().places)
    for name in places:
        assert set(graph.place_tree().ancestors(name)) == networkx.ancestors(places, name)
        assert set(graph.place_tree().descendants(name)) == networkx.descendants(places, name)
    for number in range(100):
        made = random_graph(rng, Exam(f"img{number}", "s"))
        expected = set()
        for triple in graph.triples(made, by_sentence=True):
            denied = not triple.asserted or triple.label == "nlp|normal"
            related = networkx.descendants if denied else networkx.ancestors
            near = related(places, triple.place) if triple.place in places else set()
            expected |= {triple._replace(place=place) for place in {triple.place, *near}}
        spread = graph.propagated(made)
        assert graph.triples(spread, by_sentence=True) == expected
        assert graph.triples(graph.propagated(spread), by_sentence=True) == expected


def test_the_published_places() -> None:
    assert len(graph.boxed_places()) == 29
    assert {"left lung", "svc", "cavoatrial junction", "right hilar structures"} <= set(graph.boxed_places())


def test_a_relation_needs_the_exam_before() -> None:
    first = graph.scene_graph(read_report("Left pleural effusion."), Exam("a", "s1", "p", 1, "2024-01-01"))
    second = graph.scene_graph(
        read_report("Left pleural effusion has increased. New right pneumothorax."),
        Exam("b", "s2", "p", 2, "2024-01-05"),
    )
    linked = graph.with_comparisons(second, first)
    (relation,) = linked.relations
    assert (relation.subject_id, relation.object_id) == ("b_left costophrenic angle", "a_left costophrenic angle")
    assert relation.changes == ("comparison|yes|worsened",)
    assert graph.check_sequence([first, linked]) == (first, linked)
    with pytest.raises(InputError, match="is in no earlier exam"):
        graph.check_sequence([linked])
    with pytest.raises(InputError, match="is of patient"):
        graph.with_comparisons(second, replace(first, exam=replace(first.exam, patient_id="other")))
    with pytest.raises(InputError, match="is not earlier"):
        graph.with_comparisons(first, second)


def test_lists_of_unequal_length_and_unknown_places_are_refused() -> None:
    document = graph.to_json(graph.scene_graph(read_report("Left pleural effusion."), Exam("a", "s")))
    for change in ("severity_cues", "phrase_IDs"):
        broken = json.loads(json.dumps(document))
        broken["attributes"][0][change] = []
        with pytest.raises(InputError, match=change):
            graph.from_json(broken)
    broken = json.loads(json.dumps(document))
    broken["attributes"][0]["bbox_name"] = "left toe"
    with pytest.raises(InputError, match="is not a place"):
        graph.from_json(broken)
    with pytest.raises(InputError, match="lacks or misplaces"):
        graph.from_json({"image_id": "a"})


def test_boxes_come_in_by_their_door() -> None:
    made = graph.scene_graph(read_report("Left pleural effusion."), Exam("a", "s"))
    boxed = graph.with_boxes(made, {"left lung": Box((100, 300), (400, 500))}, (1000, 500))
    document = graph.to_json(boxed)
    (row,) = [row for row in document["objects"] if row["bbox_name"] == "left lung"]
    assert [row[f"original_{name}"] for name in ("x1", "y1", "x2", "y2")] == [300, 100, 500, 400]
    assert [row[name] for name in ("x1", "y1", "x2", "y2")] == [123, 22, 168, 90]
    assert graph.from_json(document) == boxed
    with pytest.raises(GeometryError):
        graph.with_boxes(made, {"left lung": Box((0, 0), (400, 501))}, (1000, 500))
    with pytest.raises(InputError):
        graph.with_boxes(made, {"toe": Box((0, 0), (4, 5))}, (10, 10))
