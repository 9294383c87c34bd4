"""Reports to scene graphs: simulated studies with known triples, what each rule is worth, the last word."""

from __future__ import annotations

import pytest

from groundglass.systems.s76_chest_imagenome import gold, simulated_studies, without_default_anatomy
from groundglass.text import graph, read_report
from groundglass.text.graph import Exam, Triple

F = "anatomicalfinding"


def test_simulated_studies_give_their_triples() -> None:
    ours: set[Triple] = set()
    theirs: set[Triple] = set()
    for plan, text, key in simulated_studies(300):
        ours |= graph.triples(graph.propagated(graph.scene_graph(read_report(text), Exam(key, key))))
        theirs |= gold(plan, key)
    scores = graph.triple_scores(ours, theirs)
    assert scores.f1 >= 0.95


def test_negation_upward_and_no_default_anatomy_cost_what_the_card_says() -> None:
    full: set[Triple] = set()
    upward: set[Triple] = set()
    placeless: set[Triple] = set()
    theirs: set[Triple] = set()
    tree = graph.place_tree()
    for plan, text, key in simulated_studies(150, absent=6):
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
    report = read_report(
        "INDICATION: Pneumonia?\nFINDINGS: Evaluate for pneumothorax. History of lung cancer. Follow-up CT."
    )
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
