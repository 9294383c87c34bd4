"""A scene graph as RDF (N-Triples)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

from groundglass.text.graph.attributes import parts
from groundglass.text.graph.scene import CUES, SceneGraph

BASE = "urn:groundglass:scene:"


def to_triples(graph: SceneGraph) -> str:
    """One line per triple: image has place; place has statement; statement has attribute, polarity, phrase and cues."""
    return "".join(f"{subject} <{BASE}{predicate}> {held} .\n" for subject, predicate, held in _rows(graph))


def _rows(graph: SceneGraph) -> Iterator[tuple[str, str, str]]:
    image = _node(graph.exam.image_id)
    yield image, "study", _text(graph.exam.study_id)
    for held in graph.objects:
        place = _node(graph.object_id(held.place))
        yield image, "hasPlace", place
        yield place, "name", _text(held.place)
        if held.box is not None:
            (y1, x1), (y2, x2) = held.box.start, held.box.stop
            yield place, "box", _text(f"{x1} {y1} {x2} {y2}")
    for node in graph.nodes:
        for phrase in node.phrases:
            for attribute in phrase.attributes:
                category, asserted, label = parts(attribute)
                statement = _node(f"{graph.object_id(node.place)}#{phrase.id}#{category}#{label}#{asserted}")
                yield _node(graph.object_id(node.place)), "hasStatement", statement
                yield statement, "category", _text(category)
                yield statement, "label", _text(label)
                yield statement, "asserted", _text("true" if asserted else "false")
                yield statement, "phrase", _text(phrase.text)
                for kind in CUES:
                    for cue in phrase.cues(kind):
                        yield statement, kind, _text(parts(cue)[2])
    for relation in graph.relations:
        for change in relation.changes:
            yield _node(relation.subject_id), quote(parts(change)[2]), _node(relation.object_id)


def _node(name: str) -> str:
    return f"<{BASE}{quote(name, safe='')}>"


def _text(value: str) -> str:
    # Strings of N-Triples are escaped as those of JSON are.
    return json.dumps(value)
