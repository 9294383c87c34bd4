"""Against the COCO caption scripts: figures of `data/text_overlap_golden.json` come from pycocoevalcap 1.2 on Java 17.

The file holds 200 synthetic pairs (ordinary, adversarial, empty) and lines that try the tokeniser; each text was
tokenised so that no text sees the next one's first letter (see `ptb.py`).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from text_overlap_cases import pairs

from groundglass.metrics.text_overlap import (
    cider,
    cider_d,
    coco_bleu,
    coco_rouge_l,
    coco_scores,
    coco_text,
    copied_share,
    distinct,
    ptb_tokens,
)


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "data" / "text_overlap_golden.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def texts(golden: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    table = [text for text, _ in golden["texts"]]
    return [table[i] for i in golden["candidates"]], [[table[i] for i in several] for several in golden["references"]]


def test_words_equal_the_stanford_tokeniser(golden: dict[str, Any]) -> None:
    assert len(golden["texts"]) > 400
    assert {text: coco_text(text) for text, _ in golden["texts"]} == dict(golden["texts"])


def test_table_equals_pycocoevalcap(golden: dict[str, Any], texts: tuple[list[str], list[list[str]]]) -> None:
    assert len(texts[0]) == 200
    scores = coco_scores(*texts)
    np.testing.assert_allclose(scores.bleu.corpus, golden["bleu"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(scores.bleu.cases, golden["bleu_cases"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(scores.rouge_l_cases, golden["rouge_l_cases"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(scores.cider_d.cases, golden["cider_cases"], rtol=0, atol=1e-9)
    assert scores.rouge_l == pytest.approx(golden["rouge_l"], abs=1e-9)
    assert scores.cider_d.mean == pytest.approx(golden["cider"], abs=1e-9)


def test_single_scores_equal_the_table(texts: tuple[list[str], list[list[str]]]) -> None:
    scores = coco_scores(*texts)
    assert coco_bleu(*texts).corpus == scores.bleu.corpus
    assert (coco_rouge_l(*texts) == scores.rouge_l_cases).all()
    np.testing.assert_allclose(cider_d(*texts).cases, scores.cider_d.cases, rtol=0, atol=1e-12)


def test_a_report_against_itself_is_the_maximum_and_an_empty_one_zero() -> None:
    reports = sorted({text for text in pairs(5, 60)[0] if len(coco_text(text).split()) >= 4})
    same = coco_scores(reports, reports)
    assert same.bleu.corpus == pytest.approx((1, 1, 1, 1), abs=1e-6)
    assert same.rouge_l == 1
    np.testing.assert_allclose(same.cider_d.cases, 10, atol=1e-9)
    nothing = coco_scores([""] * len(reports), reports)
    assert max(nothing.bleu.corpus) < 1e-6
    assert nothing.rouge_l == 0
    assert nothing.cider_d.mean == 0


def test_empty_against_empty_follows_each_script() -> None:
    scores = coco_scores(["", "the heart"], ["", "the heart"])
    assert scores.rouge_l_cases[0] == 1  # one empty word in common
    assert scores.bleu.cases[0].max() < 1e-6
    assert scores.cider_d.cases[0] == 0


def _plain_cider(candidates: list[str], references: list[list[str]], corpus: list[list[str]]) -> list[float]:
    """CIDEr from its definition, with dictionaries."""

    def grams(text: str, n: int) -> Counter[tuple[str, ...]]:
        words = text.split()
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    scores = np.zeros(len(candidates))
    for n in range(1, 5):
        held = Counter(g for texts in corpus for g in {g for text in texts for g in grams(text, n)})

        def vector(text: str, n: int = n, held: Counter[tuple[str, ...]] = held) -> dict[tuple[str, ...], float]:
            return {g: k * math.log(len(corpus) / max(1, held[g])) for g, k in grams(text, n).items()}

        for case, (said, truth) in enumerate(zip(candidates, references, strict=True)):
            for text in truth:
                a, b = vector(said), vector(text)
                norm = math.hypot(*a.values()) * math.hypot(*b.values())
                scores[case] += 10 / 4 / len(truth) * sum(v * b.get(g, 0) for g, v in a.items()) / (norm or 1)
    return scores.tolist()


def test_cider_equals_its_definition_on_its_own_and_on_another_corpus() -> None:
    candidates, references = pairs(21, 60)
    said = [coco_text(text) for text in candidates]
    truth = [[coco_text(text) for text in several] for several in references]
    np.testing.assert_allclose(cider(candidates, references).cases, _plain_cider(said, truth, truth), atol=1e-9)
    _, others = pairs(22, 90)
    corpus = [[coco_text(text) for text in several] for several in others]
    found = cider(candidates, references, idf_from=others)
    np.testing.assert_allclose(found.cases, _plain_cider(said, truth, corpus), atol=1e-9)


def test_idf_of_the_own_references_given_explicitly_changes_nothing() -> None:
    candidates, references = pairs(23, 40)
    given = cider_d(candidates, references, idf_from=references)
    np.testing.assert_allclose(given.cases, cider_d(candidates, references).cases, atol=1e-12)


def test_one_case_has_no_idf() -> None:
    assert cider_d(["no effusion"], ["no effusion"]).mean == 0


def test_vocabulary_too_large_for_one_integer_is_renumbered() -> None:
    words = [f"w{i}" for i in range(40_000)]
    long = " ".join(words)
    scores = coco_scores([long, "w1 w2 w3 w4"], [long, "w1 w2 w4 w3"], tokenise=str)
    assert scores.bleu.cases[0] == pytest.approx([1, 1, 1, 1], abs=1e-6)
    assert scores.bleu.cases[1, :2] == pytest.approx([1, (1 / 3) ** 0.5], abs=1e-6)


def test_a_very_long_text_without_blanks_ends() -> None:
    assert len(ptb_tokens("a,b." * 1500)) > 1000


def test_diversity() -> None:
    assert distinct(["a b a b", "a b"], 2, tokenise=str) == pytest.approx(2 / 4)
    assert distinct(["a b c"], 1, tokenise=str) == 1
    assert math.isnan(distinct(["a"], 2))
    assert copied_share(["No effusion.", "A mass."], ["no effusion"]) == 0.5
