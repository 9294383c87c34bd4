"""What holds in a place holds above it, what is denied there is denied within it; then one label per place."""

from __future__ import annotations

from dataclasses import replace

from groundglass.text.graph.attributes import NORMAL, parts
from groundglass.text.graph.build import merged, ordered
from groundglass.text.graph.places import place_tree
from groundglass.text.graph.scene import PlacePhrase, SceneGraph, SceneObject, phrase_number


def propagated(graph: SceneGraph) -> SceneGraph:
    """Positives to every place above, denials (and "normal") to every place within; phrases keep their ids.

    Contradictions stay side by side, each with its phrase; `image_level` decides between them.
    """
    tree = place_tree()
    said: dict[str, dict[str, PlacePhrase]] = {n.place: {p.id: p for p in n.phrases} for n in graph.nodes}
    for node in graph.nodes:
        for phrase in node.phrases:
            up = tuple(a for a in phrase.attributes if goes_up(a))
            down = tuple(a for a in phrase.attributes if not goes_up(a))
            for targets, attributes in ((tree.ancestors(node.place), up), (tree.descendants(node.place), down)):
                if attributes:
                    for place in targets:
                        _add(said, place, replace(phrase, attributes=attributes))
    nodes = ordered(said)
    known = {held.place: held for held in graph.objects}
    objects = [known.pop(node.place, SceneObject(node.place)) for node in nodes]
    return replace(graph, nodes=nodes, objects=(*objects, *known.values()))


def goes_up(attribute: str) -> bool:
    """Whether an attribute of a place also holds for the places above it."""
    return attribute != NORMAL and parts(attribute)[1]


def _add(said: dict[str, dict[str, PlacePhrase]], place: str, phrase: PlacePhrase) -> None:
    here = said.setdefault(place, {})
    here[phrase.id] = merged(here[phrase.id], phrase) if phrase.id in here else phrase


def image_level(graph: SceneGraph) -> dict[tuple[str, str, str], bool]:
    """(place, category, label) -> asserted or denied; the impression, then the last sentence, has the last word.

    A sentence that says both of one place asserts it. "Normal" is the denial of "abnormal".
    """
    found: dict[tuple[str, str, str], tuple[tuple[bool, int, bool], bool]] = {}
    for node in graph.nodes:
        for phrase in node.phrases:
            for attribute in phrase.attributes:
                category, asserted, label = parts(attribute)
                if attribute == NORMAL:
                    asserted, label = False, "abnormal"
                key = (node.place, category, label)
                weight = (phrase.section == "impression", phrase_number(phrase.id), asserted)
                if key not in found or weight > found[key][0]:
                    found[key] = (weight, asserted)
    return {key: asserted for key, (_, asserted) in found.items()}
