"""The challenge corpus of assertion: hand-written sentences with scope traps, and laws that every sentence obeys."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundglass.text import read_findings

CORPUS = Path(__file__).parent / "data" / "assertion_challenge.txt"
CLASSES = {"P": "present", "A": "absent", "U": "uncertain", "H": "historical", "Y": "hypothetical", "O": "other person"}


class Target(NamedTuple):
    category: str
    sentence: str
    words: str
    expected: str


def corpus() -> list[Target]:
    targets = []
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            category, sentence, marks = (part.strip() for part in line.split(" | "))
            for mark in marks.split(", "):
                words, short = mark.rsplit("=", 1)
                targets.append(Target(category, sentence, words, CLASSES[short]))
    return targets


def decided(target: Target) -> set[str]:
    """The classes of the findings whose words overlap the marked ones."""
    start = target.sentence.index(target.words)
    end = start + len(target.words)
    found = set()
    for finding in read_findings(target.sentence):
        span = finding.evidence[1].span
        assert span is not None
        if span[0] < end and span[1] > start:
            found.add(finding.attribute("assertion") or finding.status)
    return found


def test_the_corpus_is_what_it_claims() -> None:
    targets = corpus()
    sentences = {t.sentence for t in targets}
    assert len(sentences) >= 600
    assert all(t.words in t.sentence for t in targets)
    counts = Counter(t.expected for t in targets)
    assert set(counts) == set(CLASSES.values())
    assert min(counts.values()) >= 15


def test_accuracy_on_the_challenge_corpus() -> None:
    targets = corpus()
    wrong = [t for t in targets if decided(t) != {t.expected}]
    assert 1 - len(wrong) / len(targets) >= 0.95, wrong[:20]


@pytest.mark.parametrize("category", sorted({t.category for t in corpus()}))
def test_no_category_is_left_behind(category: str) -> None:
    targets = [t for t in corpus() if t.category == category]
    right = sum(decided(t) == {t.expected} for t in targets)
    assert right / len(targets) >= 0.9


FINDINGS = [
    "pleural effusion",
    "pneumothorax",
    "consolidation",
    "pulmonary edema",
    "lymphadenopathy",
    "pulmonary nodule",
]


@settings(max_examples=60, deadline=None)
@given(st.permutations(FINDINGS), st.integers(2, 6), st.sampled_from(["or", "nor", "and"]))
def test_a_negated_list_of_any_length_and_order_is_absent(names: list[str], count: int, link: str) -> None:
    chosen = names[:count]
    text = f"No {', '.join(chosen[:-1])} {link} {chosen[-1]}."
    assert [f.status for f in read_findings(text)] == ["absent"] * count


@settings(max_examples=60, deadline=None)
@given(st.permutations(FINDINGS), st.sampled_from(["but", "however,", "although", "; "]))
def test_a_break_ends_negation(names: list[str], cue: str) -> None:
    first, second = read_findings(f"No {names[0]}, {cue} there is {names[1]}.")
    assert (first.status, second.status) == ("absent", "present")


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(FINDINGS), st.sampled_from(FINDINGS))
def test_sentences_do_not_leak_into_each_other(first: str, second: str) -> None:
    together = read_findings(f"No {first}. There is {second}.")
    assert [f.status for f in together] == ["absent", "present"]
