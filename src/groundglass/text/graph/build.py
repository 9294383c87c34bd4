"""Report to scene graph: each finding goes to its places, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from groundglass.core import Finding, Report, ontology
from groundglass.text.graph.attributes import attribute_of, cues_of
from groundglass.text.graph.places import place_tree, places_of_finding
from groundglass.text.graph.scene import CUES, Exam, PlaceNode, PlacePhrase, SceneGraph, SceneObject, phrase_number

_UNSEEN = frozenset({"indication", "technique", "comparison"})


def scene_graph(report: Report, exam: Exam) -> SceneGraph:
    """The graph of what a report states of the patient now, before propagation and comparison.

    Left out are recommendations, what is historical, hypothetical or another person's, and what only indication,
    technique or comparison name. A sentence in which a place has two findings keeps both, with the cues of both.
    """
    known = {finding.id: finding for finding in report.findings}
    said: dict[str, dict[str, PlacePhrase]] = {}
    number = 0
    reason = ""
    for section in report.sections:
        if section.name == "indication":
            reason = " ".join(sentence.text.strip() for sentence in section.sentences)
        for sentence in section.sentences:
            number += 1
            if section.name in _UNSEEN:
                continue
            for finding in _stated(known, sentence.findings):
                phrase = _phrase(finding, exam, number, " ".join(sentence.text.split()), section.name)
                for place in places_of_finding(finding):
                    here = said.setdefault(place, {})
                    here[phrase.id] = merged(here[phrase.id], phrase) if phrase.id in here else phrase
    return SceneGraph(exam, ordered(said), tuple(SceneObject(place) for place in _in_order(said)), (), reason)


def ordered(said: Mapping[str, Mapping[str, PlacePhrase]]) -> tuple[PlaceNode, ...]:
    """Nodes in the order of the tree, phrases in that of the report."""
    return tuple(
        PlaceNode(place, tuple(sorted(said[place].values(), key=lambda phrase: (phrase_number(phrase.id), phrase.id))))
        for place in _in_order(said)
    )


def merged(first: PlacePhrase, second: PlacePhrase) -> PlacePhrase:
    """One phrase with the attributes and cues of both."""
    return PlacePhrase(
        first.id,
        first.text,
        first.section,
        _union(first.attributes, second.attributes),
        *(_union(first.cues(kind), second.cues(kind)) for kind in CUES),
    )


def _union(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*first, *second}))


def _in_order(places: Iterable[str]) -> list[str]:
    return sorted(places, key=lambda place: (place_tree().rank(place), place))


def _stated(known: Mapping[str, Finding], ids: tuple[str, ...]) -> list[Finding]:
    found = [known.get(finding_id) for finding_id in ids]
    return [f for f in found if f is not None and f.attribute("assertion") is None and not _is_advice(f)]


def _is_advice(finding: Finding) -> bool:
    entry = ontology().find(finding.what.name)
    return entry is not None and entry.kind == "procedure"


def _phrase(finding: Finding, exam: Exam, number: int, text: str, section: str) -> PlacePhrase:
    kept = finding.evidence[0].detail if finding.evidence else ""
    cues = cues_of(finding)
    return PlacePhrase(
        kept or f"{exam.study_id}|{number}",
        text,
        section,
        (attribute_of(finding),),
        *(tuple(sorted(cues.get(kind, ()))) for kind in CUES),
    )
