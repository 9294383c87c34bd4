"""A scene graph in the published JSON layout, and back. The schema lies in `data/scene_graph.schema.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundglass.core import Box
from groundglass.core.errors import InputError
from groundglass.text.graph.attributes import code_of, parts
from groundglass.text.graph.boxes import small_box
from groundglass.text.graph.places import place_tree
from groundglass.text.graph.scene import CUES, Exam, PlaceNode, PlacePhrase, Relation, SceneGraph, SceneObject

_PREDICATES = {"improved": "improved", "worsened": "worsened", "no change": "no change"}


def to_json(graph: SceneGraph) -> dict[str, Any]:
    """The graph as a JSON-ready dict. Codes are "scheme:code" of DICOM's terms where the data set has UMLS CUIs."""
    exam = graph.exam
    return {
        "image_id": exam.image_id,
        "viewpoint": exam.viewpoint,
        "patient_id": exam.patient_id,
        "study_id": exam.study_id,
        "gender": exam.gender,
        "age_decile": exam.age_decile,
        "reason_for_exam": graph.reason,
        "StudyOrder": exam.order,
        "StudyDateTime": exam.date,
        "objects": [_object(graph, held) for held in graph.objects],
        "attributes": [_attributes(graph, node) for node in graph.nodes],
        "relationships": [_relation(relation) for relation in graph.relations],
    }


def from_json(data: Mapping[str, Any]) -> SceneGraph:
    """The graph of a JSON document. Raises InputError when lists differ in length, or a place is not known."""
    try:
        exam = Exam(
            str(data["image_id"]),
            str(data["study_id"]),
            _text(data["patient_id"]),
            int(data["StudyOrder"]),
            _text(data["StudyDateTime"]),
            _text(data["viewpoint"]),
            _text(data["gender"]),
            _text(data["age_decile"]),
        )
        nodes = tuple(_node(row) for row in data["attributes"])
        objects = tuple(_read_object(row) for row in data["objects"])
        relations = tuple(_read_relation(row) for row in data["relationships"])
        reason = _text(data["reason_for_exam"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("scene graph", f"lacks or misplaces {error}", "Give the layout of Chest ImaGenome.") from error
    return SceneGraph(exam, nodes, objects, relations, reason)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _object(graph: SceneGraph, held: SceneObject) -> dict[str, Any]:
    row: dict[str, Any] = {
        "object_id": graph.object_id(held.place),
        "bbox_name": held.place,
        "name": held.place.capitalize(),
        "synsets": _codes(held.place),
    }
    if held.box is not None and held.shape is not None:
        x1, y1, x2, y2 = small_box(held.box, held.shape)
        (top, left), (bottom, right) = held.box.start, held.box.stop
        row |= {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "width": x2 - x1, "height": y2 - y1}
        row |= {"original_x1": left, "original_y1": top, "original_x2": right, "original_y2": bottom}
        row |= {"original_width": right - left, "original_height": bottom - top}
        row |= {"image_height": held.shape[0], "image_width": held.shape[1]}
    return row


def _codes(place: str) -> list[str]:
    known = place_tree().places.get(place)
    anatomy = known.location.anatomy if known else None
    return [f"{anatomy.scheme}:{anatomy.code}"] if anatomy else []


def _attributes(graph: SceneGraph, node: PlaceNode) -> dict[str, Any]:
    return {
        node.place: True,
        "bbox_name": node.place,
        "name": node.place.capitalize(),
        "synsets": _codes(node.place),
        "object_id": graph.object_id(node.place),
        "attributes": [list(phrase.attributes) for phrase in node.phrases],
        "attributes_ids": [[code_of(a) for a in phrase.attributes] for phrase in node.phrases],
        "phrases": [phrase.text for phrase in node.phrases],
        "phrase_IDs": [phrase.id for phrase in node.phrases],
        "sections": [phrase.section for phrase in node.phrases],
        **{f"{kind}_cues": [list(phrase.cues(kind)) for phrase in node.phrases] for kind in CUES},
    }


def _relation(relation: Relation) -> dict[str, Any]:
    return {
        "relationship_names": list(relation.changes),
        "predicate": "; ".join(parts(change)[2] for change in relation.changes),
        "bbox_name": relation.place,
        "subject_id": relation.subject_id,
        "object_id": relation.object_id,
        "phrase": relation.phrase,
        "phrase_ID": relation.phrase_id,
        "attributes": list(relation.attributes),
    }


def _node(row: Mapping[str, Any]) -> PlaceNode:
    place = _place(row["bbox_name"])
    texts = row["phrases"]
    # Published files have no certainty cues; every other list must go with the phrases.
    lists = {name: row[name] for name in ("attributes", "phrase_IDs", "sections", *(f"{k}_cues" for k in CUES[:4]))}
    lists["certainty_cues"] = row.get("certainty_cues", [[] for _ in texts])
    wrong = [name for name, held in lists.items() if len(held) != len(texts)]
    if wrong:
        raise InputError(place, f"has {len(texts)} phrases but other counts of {', '.join(wrong)}", "Mend the graph.")
    phrases = []
    for index, text in enumerate(texts):
        attributes = tuple(map(str, lists["attributes"][index]))
        cues = [tuple(map(str, lists[f"{kind}_cues"][index])) for kind in CUES]
        for each in (*attributes, *(cue for group in cues for cue in group)):
            parts(each)
        phrases.append(PlacePhrase(lists["phrase_IDs"][index], text, lists["sections"][index], attributes, *cues))
    return PlaceNode(place, tuple(phrases))


def _place(name: str) -> str:
    if name not in place_tree():
        raise InputError(name, "is not a place of the tree", "See text/graph/data/places.json.")
    return name


def _read_object(row: Mapping[str, Any]) -> SceneObject:
    place = _place(row["bbox_name"])
    if "original_x1" not in row:
        return SceneObject(place)
    start = (int(row["original_y1"]), int(row["original_x1"]))
    stop = (int(row["original_y2"]), int(row["original_x2"]))
    shape = (int(row["image_height"]), int(row["image_width"])) if "image_height" in row else None
    return SceneObject(place, Box(start, stop), shape)


def _read_relation(row: Mapping[str, Any]) -> Relation:
    place = row.get("bbox_name") or str(row["subject_id"]).rpartition("_")[2]
    changes = tuple(map(str, row["relationship_names"]))
    for change in changes:
        if parts(change)[2] not in _PREDICATES:
            raise InputError(change, "is not a comparison", f"Use one of {', '.join(_PREDICATES)}.")
    return Relation(
        _place(place),
        changes,
        str(row.get("phrase_ID", "")),
        str(row["phrase"]),
        tuple(map(str, row["attributes"])),
        str(row["subject_id"]),
        str(row["object_id"]),
    )
