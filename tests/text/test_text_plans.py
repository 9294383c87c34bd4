"""Shapes of sentences: what is remembered for one sentence holds for every other of its shape."""

from __future__ import annotations

import random

from assertion_corpus import corpus

from groundglass.core import ontology
from groundglass.text.lexicon import lexicon
from groundglass.text.plans import plan_of
from groundglass.text.statement import statements
from groundglass.text.tokens import tokens


def plain_findings() -> list[str]:
    """Names of findings that stand for each other."""
    names = ["consolidation", "emphysema", "pneumothorax", "pleural effusion", "pneumonia", "calcified granuloma"]
    assert all(name in ontology() for name in names)
    return names


def test_reading_is_the_same_with_and_without_memory() -> None:
    words = lexicon("en")
    sentences = sorted({target.sentence for target in corpus()})
    cold = {}
    for sentence in sentences:
        words.plans.clear()
        cold[sentence] = statements(sentence, words)
    words.plans.clear()
    for seed in range(2):
        random.Random(seed).shuffle(sentences)
        for sentence in sentences:
            assert statements(sentence, words) == cold[sentence]


def test_other_findings_and_numbers_take_the_same_way() -> None:
    """Every way of the corpus to speak of one finding, said of others: warm and cold answers agree."""
    words = lexicon("en")
    names = plain_findings()
    frames = {t.sentence.replace(n, "{}") for t in corpus() for n in names if n in t.sentence}
    assert len(frames) > 40
    words.plans.clear()
    warm = {
        frame.format(*[name] * 9): statements(frame.format(*[name] * 9), words)
        for frame in sorted(frames)
        for name in names
    }
    for sentence, found in warm.items():
        words.plans.clear()
        assert statements(sentence, words) == found, sentence


def test_shapes_part_what_rules_tell_apart() -> None:
    words = lexicon("en")

    def plan(sentence: str) -> object:
        return plan_of(tokens(sentence, words), sentence, words)

    assert plan("No consolidation, 4 mm.") is plan("No emphysema, 9 mm.")
    assert plan("No consolidation.") is plan("No pneumothorax.")  # the usual place is found when the plan is filled in
    for one, other in (
        ("Enlarged calcification.", "Enlarged consolidation."),  # a name that is an adjective
        ("Effusion, consolidation not seen.", "Effusion; consolidation not seen."),
        ("Pneumonia.", "Pneumonia?"),
        ("No consolidation.", "No finding."),
    ):
        assert plan(one) is not plan(other), (one, other)
