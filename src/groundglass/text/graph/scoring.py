"""(place, attribute, polarity) triples of graphs, and how many of a reference a candidate has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from groundglass.text.graph.attributes import parts
from groundglass.text.graph.scene import SceneGraph


class Triple(NamedTuple):
    """One statement of one graph; `key` is the image, or the phrase where sentences are compared."""

    key: str
    place: str
    label: str
    asserted: bool


class TripleScores(NamedTuple):
    """Precision, recall and F1 of a set of triples; 1 when both sets are empty."""

    precision: float
    recall: float
    f1: float


def triples(graph: SceneGraph, *, by_sentence: bool = False) -> frozenset[Triple]:
    """The graph's triples, of the image or of each sentence."""
    found = set()
    for node in graph.nodes:
        for phrase in node.phrases:
            for attribute in phrase.attributes:
                category, asserted, label = parts(attribute)
                key = phrase.id if by_sentence else graph.exam.image_id
                found.add(Triple(key, node.place, f"{category}|{label}", asserted))
    return frozenset(found)


def triple_scores(candidate: Iterable[Triple], reference: Iterable[Triple]) -> TripleScores:
    """Micro-averaged scores over all triples given (of one graph or of many)."""
    ours, theirs = frozenset(candidate), frozenset(reference)
    if not ours and not theirs:
        return TripleScores(1.0, 1.0, 1.0)
    hits = len(ours & theirs)
    precision = hits / len(ours) if ours else 0.0
    recall = hits / len(theirs) if theirs else 0.0
    return TripleScores(precision, recall, 2 * hits / (len(ours) + len(theirs)))
