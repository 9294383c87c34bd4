"""Relations between a place and the same place of the exam before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from groundglass.core.errors import InputError
from groundglass.text.graph.scene import Relation, SceneGraph


def with_comparisons(graph: SceneGraph, previous: SceneGraph) -> SceneGraph:
    """The graph with a relation for each phrase that compares a place which `previous` has, too.

    A place that the exam before lacks gets none: its comparison stays a cue. Raises InputError when `previous` is of
    another patient or is not earlier.
    """
    _check_order(graph, previous)
    relations = tuple(
        Relation(
            node.place,
            phrase.comparison,
            phrase.id,
            phrase.text,
            phrase.attributes,
            graph.object_id(node.place),
            previous.object_id(node.place),
        )
        for node in graph.nodes
        if node.place in previous.places
        for phrase in node.phrases
        if phrase.comparison
    )
    return replace(graph, relations=relations)


def check_sequence(graphs: Iterable[SceneGraph]) -> tuple[SceneGraph, ...]:
    """One patient's graphs in time order. Raises InputError when a relation leads to an object that is not there."""
    given = sorted(graphs, key=lambda graph: graph.exam.order)
    known: dict[str, SceneGraph] = {}
    for index, graph in enumerate(given):
        if index:
            _check_order(graph, given[index - 1])
        for relation in graph.relations:
            if relation.place not in graph.places or relation.subject_id != graph.object_id(relation.place):
                raise InputError(relation.subject_id, "is not a place of its own image", "Make the graph again.")
            if relation.object_id not in known:
                raise InputError(relation.object_id, "is in no earlier exam", "Give the exam that it is compared with.")
        known.update({graph.object_id(place): graph for place in graph.places})
    return tuple(given)


def _check_order(graph: SceneGraph, previous: SceneGraph) -> None:
    now, before = graph.exam, previous.exam
    if now.patient_id != before.patient_id:
        raise InputError(
            before.image_id, f"is of patient {before.patient_id!r}, not {now.patient_id!r}", "Pair one's own."
        )
    if before.order >= now.order or (now.date and before.date and before.date > now.date):
        raise InputError(before.image_id, f"is not earlier than {now.image_id}", "Give exams in time order.")
