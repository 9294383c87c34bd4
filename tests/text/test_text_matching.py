"""Sections that belong together, batches without twins, sentences in random order."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from groundglass.core import ConfigurationError
from groundglass.text.matching import SectionPair, distinct_batches, sampled, section_pairs, shuffled

REPORT = (
    "INDICATION: Cough.\nFINDINGS: Small left effusion. No pneumothorax.\n\nIMPRESSION:\n1. Left effusion.\n2. Clear."
)


def test_the_sections_of_a_report_are_a_pair() -> None:
    (pair,) = section_pairs([REPORT])
    assert pair == SectionPair("Small left effusion. No pneumothorax.", "1. Left effusion. 2. Clear.", 0)


def test_reports_without_both_sections_give_no_pair() -> None:
    reports = ["FINDINGS: Clear lungs.", "IMPRESSION: Normal chest.", "", "FINDINGS: Clear.\nIMPRESSION: Normal chest."]
    assert list(section_pairs(reports)) == []
    (pair,) = section_pairs([*reports, "Heart size is normal.\nIMPRESSION: Normal chest."])
    assert (pair.findings, pair.report) == ("Heart size is normal.", 4)


def test_sections_of_other_languages() -> None:
    (pair,) = section_pairs(["所見：両肺に異常を認めません。\n診断：異常なし。"], language="ja", least=1)
    assert "両肺" in pair.findings and "異常なし" in pair.impression


def test_no_text_stands_twice_in_a_batch_and_none_is_lost() -> None:
    pairs = [SectionPair(f"findings {i}", "Normal chest." if i % 3 == 0 else f"impression {i}", i) for i in range(60)]
    rng = np.random.default_rng(0)
    batches = list(distinct_batches(pairs, 8, rng))
    for batch in batches:
        assert len(batch) == 8
        assert max(Counter(pair.impression for pair in batch).values()) == 1
    used = [pair.report for batch in batches for pair in batch]
    assert len(used) == len(set(used)) >= 40
    again = [[p.report for p in b] for b in distinct_batches(pairs, 8, np.random.default_rng(0))]
    assert again == [[p.report for p in b] for b in batches]


def test_all_pairs_are_used_when_all_differ() -> None:
    pairs = [SectionPair(f"findings {i}", f"impression {i}", i) for i in range(32)]
    used = [pair.report for batch in distinct_batches(pairs, 8, np.random.default_rng(1)) for pair in batch]
    assert sorted(used) == list(range(32))


def test_twins_alone_fill_no_batch() -> None:
    pairs = [SectionPair("a", "Normal.", i) for i in range(10)]
    assert list(distinct_batches(pairs, 2, np.random.default_rng(0))) == []
    with pytest.raises(ConfigurationError):
        next(distinct_batches(pairs, 1, np.random.default_rng(0)))


def test_shuffling_keeps_every_word_and_finds_every_order() -> None:
    text = "Dr. Smith was told. A 1.5 cm nodule. No effusion."
    rng = np.random.default_rng(2)
    orders = Counter(shuffled(text, rng) for _ in range(600))
    assert len(orders) == 6
    assert min(orders.values()) > 60  # 100 expected; 4 standard deviations are 37
    for order in orders:
        assert sorted(order.split()) == sorted(text.split())
    numbered = shuffled("1. Left effusion.\n2. Clear lungs.", np.random.default_rng(0))
    assert sorted(numbered.split()) == sorted(["1.", "Left", "effusion.", "2.", "Clear", "lungs."])
    assert shuffled("", rng) == "" and shuffled("no full stop", rng) == "no full stop"


def test_sampling_keeps_the_order() -> None:
    text = "First one. Second one. Third one. Fourth one."
    rng = np.random.default_rng(3)
    seen = Counter(sampled(text, rng, 2) for _ in range(600))
    assert len(seen) == 6 and min(seen.values()) > 60
    assert "Second one. First one." not in seen
    assert sampled(text, rng, 9) == text
    with pytest.raises(ConfigurationError):
        sampled(text, rng, 0)
