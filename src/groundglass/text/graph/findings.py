"""Scene graph to findings: the report that the graph is a view of."""

from __future__ import annotations

from dataclasses import replace

from groundglass.core import Attribute, Evidence, Finding, Location, Report, Section, Sentence
from groundglass.core.finding import Status
from groundglass.text.graph.attributes import NORMAL, is_known, parts, term_of
from groundglass.text.graph.places import place_tree, places_of_finding
from groundglass.text.graph.scene import PlacePhrase, SceneGraph, phrase_number

_CHANGES = {"worsened": "increased", "improved": "decreased", "no change": "unchanged"}
_KEPT = frozenset({"new", "resolved"})
_COMPARED_BY = {"new": "worsened", "resolved": "improved"}
_DIRECT = {"severity": "severity", "texture": "texture", "certainty": "certainty"}


def report_of(graph: SceneGraph) -> Report:
    """Sentences and findings of a graph: one finding per place, phrase and attribute.

    Cues belong to the phrase, so every finding of it carries them. Where place or label cannot be told from the
    finding itself, the attributes `place` and `graph label` keep them: `scene_graph` gives the same graph again.
    """
    findings: list[Finding] = []
    texts: dict[str, tuple[str, str]] = {}
    ids: dict[str, list[str]] = {}
    for node in graph.nodes:
        for phrase in node.phrases:
            texts[phrase.id] = (phrase.section, phrase.text)
            for attribute in phrase.attributes:
                finding = _finding(f"f{len(findings) + 1}", node.place, phrase, attribute)
                findings.append(finding)
                ids.setdefault(phrase.id, []).append(finding.id)
    sections: list[Section] = []
    if graph.reason:
        sections.append(Section("indication", (Sentence(graph.reason),)))
    for phrase_id in sorted(texts, key=lambda key: (phrase_number(key), key)):
        name, text = texts[phrase_id]
        sentence = Sentence(text, tuple(ids[phrase_id]))
        if sections and sections[-1].name == name:
            sections[-1] = Section(name, (*sections[-1].sentences, sentence))
        else:
            sections.append(Section(name, (sentence,)))
    return Report(tuple(sections), tuple(findings))


def _finding(finding_id: str, place: str, phrase: PlacePhrase, attribute: str) -> Finding:
    category, asserted, label = parts(attribute)
    status: Status = "present" if asserted else "absent"
    if attribute == NORMAL:
        label, status = "abnormal", "absent"
    elif asserted and phrase.certainty:
        status = "uncertain"
    known = is_known(category, label)
    tree = place_tree()
    finding = Finding(
        finding_id,
        term_of(category, label),
        status,
        tree.places[place].location if place in tree.places else Location(),
        (*_cue_attributes(phrase), *(() if known else (Attribute("graph label", f"{category}|{label}"),))),
        evidence=(Evidence("sentence", phrase.section, detail=phrase.id),),
    )
    if places_of_finding(finding) == (place,):
        return finding
    return replace(finding, attributes=(*finding.attributes, Attribute("place", place)))


def _cue_attributes(phrase: PlacePhrase) -> tuple[Attribute, ...]:
    found: list[Attribute] = []
    values = {kind: [parts(cue)[2] for cue in phrase.cues(kind)] for kind in ("comparison", "temporal", *_DIRECT)}
    kept = [value for value in values["temporal"] if value in _KEPT]
    found += [Attribute("change", value) for value in kept]
    said = {_COMPARED_BY[value] for value in kept}
    found += [Attribute("change", _CHANGES.get(v, v)) for v in values["comparison"] if v not in said]
    found += [Attribute("chronicity", value) for value in values["temporal"] if value not in _KEPT]
    found += [Attribute(name, value) for kind, name in _DIRECT.items() for value in values[kind]]
    return tuple(found)
