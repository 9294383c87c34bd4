"""Reports to scene graphs: simulated studies with known triples, what each rule is worth, the last word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from groundglass.core import Finding, Location
from groundglass.metrics.reports.planted import ReportPlan, random_plan, verbalise
from groundglass.text import graph, read_report
from groundglass.text.graph import Exam, SceneGraph, Triple

F = "anatomicalfinding"
GOLD = {
    "pleural effusion": (f"{F}|pleural effusion", "{side} costophrenic angle"),
    "pneumothorax": (f"{F}|pneumothorax", "{side} lung"),
    "consolidation": (f"{F}|consolidation", "{side} {zone}"),
    "atelectasis": (f"{F}|atelectasis", "{side} lower lung zone"),
    "pulmonary edema": (f"{F}|pulmonary edema/hazy opacity", "{both} lung"),
    "cardiomegaly": (f"{F}|enlarged cardiac silhouette", "cardiac silhouette"),
    "pulmonary nodule": (f"{F}|mass/nodule (not otherwise specified)", "{side} {zone}"),
    "emphysema": ("disease|copd/emphysema", "{both} lung"),
    "rib fracture": (f"{F}|rib fracture", "{side} ribs"),
    "clavicle fracture": (f"{F}|clavicle fracture", "{side} clavicle"),
    "hilar lymphadenopathy": (f"{F}|enlarged hilum", "{side} hilar structures"),
    "pulmonary fibrosis": (f"{F}|pleural/parenchymal scarring", "{both} lung"),
    "subcutaneous emphysema": (f"{F}|subcutaneous air", "{side} chest wall"),
    "pericardial effusion": ("disease|pericardial effusion", "cardiac silhouette"),
    "hiatal hernia": (f"{F}|hernia", "mediastinum"),
    "bronchiectasis": (f"{F}|bronchiectasis", "{side} {zone}"),
    "vertebral compression fracture": (f"{F}|spinal fracture", "spine"),
    "pulmonary congestion": (f"{F}|vascular congestion", "{both} lung"),
    "mediastinal widening": (f"{F}|mediastinal widening", "mediastinum"),
    "pneumoperitoneum": (f"{F}|sub-diaphragmatic air", "abdomen"),
    "pneumomediastinum": (f"{F}|pneumomediastinum", "mediastinum"),
    "cavity": (f"{F}|lung lesion", "{side} {zone}"),
}
"""Label and place of each planted kind, written by hand; "{side}" is the planted side, or both where it is denied."""
WHEN_DENIED = {"consolidation": "lung", "pulmonary nodule": "lung", "bronchiectasis": "lung", "cavity": "lung"}
WHEN_DENIED |= {"atelectasis": "lung"}
ZONES = {"upper lobe": "upper lung zone", "lower lobe": "lower lung zone"}


def gold(plan: ReportPlan, key: str) -> set[Triple]:
    """Triples of a plan, spread over the tree."""
    found = set()
    tree = graph.place_tree()
    for finding in plan.present:
        label, pattern = GOLD[finding.kind.name]
        zone = ZONES.get(finding.place or "", "")
        for both in ("left", "right"):
            place = pattern.format(side=finding.side, zone=zone, both=both)
            found |= {Triple(key, name, label, True) for name in (place, *tree.ancestors(place))}
    for kind in plan.absent:
        label, pattern = GOLD[kind.name]
        for side in ("left", "right"):
            place = (
                f"{side} {WHEN_DENIED[kind.name]}" if kind.name in WHEN_DENIED else pattern.format(side=side, both=side)
            )
            found |= {Triple(key, name, label, False) for name in (place, *tree.descendants(place))}
    return found


def studies(count: int, *, absent: int = 3) -> list[tuple[ReportPlan, str, str]]:
    rng = np.random.default_rng(61)
    plans = [random_plan(rng, present=5, absent=absent) for _ in range(count)]
    return [(plan, verbalise(plan, rng), f"img{index}") for index, plan in enumerate(plans)]


def without_default_anatomy(report_text: str, key: str) -> SceneGraph:
    """The graph when a place must be named: what the sentence does not say is nowhere."""
    report = read_report(report_text)
    sentences = {i: s.text.casefold() for section in report.sections for s in section.sentences for i in s.findings}
    findings = tuple(_unplaced(finding, sentences[finding.id]) for finding in report.findings)
    return graph.scene_graph(replace(report, findings=findings), Exam(key, key))


def _unplaced(finding: Finding, sentence: str) -> Finding:
    named = ("lobe", "base", "hilar", "hiat", "rib", "clavic", "pulmonary", "lung", "mediasti", "vertebra", "cardiac")
    if any(word in sentence for word in named) or finding.where.anatomy is None:
        return finding
    return replace(finding, where=Location(side=finding.where.side))


def test_simulated_studies_give_their_triples() -> None:
    ours, theirs = set(), set()
    for plan, text, key in studies(1000):
        ours |= graph.triples(graph.propagated(graph.scene_graph(read_report(text), Exam(key, key))))
        theirs |= gold(plan, key)
    scores = graph.triple_scores(ours, theirs)
    assert scores.f1 >= 0.95


def test_negation_upward_and_no_default_anatomy_cost_what_the_card_says() -> None:
    full, upward, placeless, theirs = set(), set(), set(), set()
    tree = graph.place_tree()
    for plan, text, key in studies(150, absent=6):
        made = graph.scene_graph(read_report(text), Exam(key, key))
        full |= graph.triples(graph.propagated(made))
        denied = {t for t in graph.triples(made) if not t.asserted}
        # Denials that travel as findings do: to the places above, not to those within.
        upward |= {t._replace(place=place) for t in denied for place in (t.place, *tree.ancestors(t.place))}
        placeless |= graph.triples(graph.propagated(without_default_anatomy(text, key)))
        theirs |= gold(plan, key)
    scores = graph.triple_scores(full, theirs)
    assert graph.triple_scores(placeless, theirs).recall <= scores.recall - 0.10
    assert graph.triple_scores({t for t in full if t.asserted} | upward, theirs).precision <= scores.precision - 0.10


@pytest.mark.parametrize(
    ("text", "place", "attribute"),
    [
        ("Pulmonary edema.", "left lung", f"{F}|yes|pulmonary edema/hazy opacity"),
        ("Cardiomegaly.", "cardiac silhouette", f"{F}|yes|enlarged cardiac silhouette"),
        ("No pneumothorax.", "right lung", f"{F}|no|pneumothorax"),
        ("Bilateral pleural effusions.", "right costophrenic angle", f"{F}|yes|pleural effusion"),
        ("Consolidation in the lower lobe.", "lungs", f"{F}|yes|consolidation"),
        ("Right middle lobe atelectasis.", "right mid lung zone", f"{F}|yes|atelectasis"),
        ("Endotracheal tube 4 cm above the carina.", "carina", "tubesandlines|yes|endotracheal tube"),
        ("Possible pneumonia at the left base.", "left lower lung zone", "disease|yes|pneumonia"),
    ],
)
def test_where_findings_go(text: str, place: str, attribute: str) -> None:
    node = graph.scene_graph(read_report(text), Exam("i", "s")).node(place)
    assert node is not None
    assert attribute in node.phrases[0].attributes


def test_cues_stand_with_their_phrase() -> None:
    made = graph.scene_graph(read_report("Possible small left effusion. Stable acute rib fracture."), Exam("i", "s"))
    node = made.node("left costophrenic angle")
    assert node is not None
    assert node.phrases[0].severity == ("severity|yes|small",)
    assert node.phrases[0].certainty == ("certainty|yes|possible",)
    bones = made.node("bones")
    assert bones is not None
    assert bones.phrases[0].comparison == ("comparison|yes|no change",)
    assert bones.phrases[0].temporal == ("temporal|yes|acute",)


def test_what_is_not_stated_now_is_left_out() -> None:
    report = read_report("INDICATION: Pneumonia?\nFINDINGS: Evaluate for pneumothorax. History of lung cancer.")
    made = graph.scene_graph(report, Exam("i", "s"))
    assert made.nodes == ()
    assert made.reason == "Pneumonia?"


def test_the_impression_has_the_last_word() -> None:
    text = "FINDINGS: Left pleural effusion. No left pleural effusion.\nIMPRESSION: Left pleural effusion."
    made = graph.scene_graph(read_report(text), Exam("i", "s"))
    key = ("left costophrenic angle", F, "pleural effusion")
    assert graph.image_level(made)[key] is True
    node = made.node("left costophrenic angle")
    assert node is not None
    assert len(node.phrases) == 3
    short = graph.scene_graph(read_report("Left pleural effusion. No left pleural effusion."), Exam("i", "s"))
    assert graph.image_level(short)[key] is False


def test_rdf_has_a_statement_for_each_triple() -> None:
    made = graph.scene_graph(read_report("Small left effusion. No pneumothorax."), Exam("i", "s"))
    lines = graph.to_triples(made).splitlines()
    assert sum("hasStatement" in line for line in lines) == len(graph.triples(made))
    assert all(line.endswith(" .") for line in lines)
