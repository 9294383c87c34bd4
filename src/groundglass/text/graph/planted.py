"""Scene graphs made at random, for proofs and tests: valid, in canonical order, and without any meaning."""

from __future__ import annotations

import numpy as np

from groundglass.text.graph.attributes import labels
from groundglass.text.graph.places import UNKNOWN, place_tree
from groundglass.text.graph.scene import Exam, PlaceNode, PlacePhrase, SceneGraph, SceneObject

_COMPARED = ("improved", "worsened", "no change")
_CUES = {
    "temporal": ("acute", "chronic", "subacute"),
    "severity": ("trace", "small", "mild", "moderate", "severe"),
    "texture": ("solid", "linear", "spiculated", "diffuse"),
    "certainty": ("probable", "possible"),
}


def random_graph(rng: np.random.Generator, exam: Exam) -> SceneGraph:
    """A graph of random places, sentences, attributes and cues, in the order that every graph has; no relations."""
    names = [*place_tree().places, UNKNOWN]
    chosen = sorted(rng.choice(len(names), size=int(rng.integers(1, 8)), replace=False))
    sentences = [
        (f"{exam.study_id}|{i + 1}", f"Sentence {i}.", "findings" if i < 4 else "impression") for i in range(6)
    ]
    nodes = []
    for place in (names[index] for index in chosen):
        used = sorted(rng.choice(6, size=int(rng.integers(1, 4)), replace=False))
        nodes.append(PlaceNode(place, tuple(_random_phrase(rng, *sentences[i]) for i in used)))
    objects = tuple(SceneObject(node.place) for node in nodes)
    return SceneGraph(exam, tuple(nodes), objects, (), "Cough." if rng.random() < 0.5 else "")


def _random_phrase(rng: np.random.Generator, phrase_id: str, text: str, section: str) -> PlacePhrase:
    attributes = set()
    for index in rng.choice(len(labels()), size=int(rng.integers(1, 4)), replace=False):
        category, label = labels()[index]
        polarity = "yes" if rng.random() < 0.7 else "no"
        known = f"{category}|{polarity}|{label}"
        attributes.add("nlp|yes|normal" if known == "nlp|no|abnormal" else known)
    cues = {
        kind: tuple(f"{kind}|yes|{value}" for value in sorted(v for v in values if rng.random() < 0.2))
        for kind, values in _CUES.items()
    }
    compared = tuple(f"comparison|yes|{value}" for value in sorted(_COMPARED) if rng.random() < 0.2)
    return PlacePhrase(phrase_id, text, section, tuple(sorted(attributes)), compared, **cues)
