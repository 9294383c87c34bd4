"""The challenge corpus of assertion: hand-written sentences with scope traps, and laws that every sentence obeys."""

from __future__ import annotations

from collections import Counter

import pytest
from assertion_corpus import CLASSES, corpus, decided
from hypothesis import given, settings
from hypothesis import strategies as st

from groundglass.text import read_findings


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
