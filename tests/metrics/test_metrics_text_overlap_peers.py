"""BLEU, ROUGE and METEOR against sacrebleu, rouge-score and NLTK on 200 pairs, adversarial ones among them."""

from __future__ import annotations

import random
import string
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_overlap_cases import ADVERSARIAL, SENTENCES, pairs

from groundglass.core.errors import InputError
from groundglass.metrics.text_overlap import (
    coco_bleu,
    coco_scores,
    coco_text,
    meteor,
    rouge,
    rouge_stems,
    rouge_words,
    sacre_bleu,
    sentence_bleu,
)
from groundglass.metrics.text_overlap.lcs import lcs_length
from groundglass.metrics.text_overlap.mteval import mteval_words
from groundglass.metrics.text_overlap.porter import porter_stem

CANDIDATES, REFERENCES = pairs(31, 200)
TEXTS = st.one_of(
    st.sampled_from([*SENTENCES, *ADVERSARIAL]),
    st.text(max_size=60),
    st.text(alphabet="ab .,-5&'\u4e00\u2013", max_size=40),
)


def _streams(references: list[list[str]]) -> list[list[str | None]]:
    """References as sacrebleu takes them: the first of each case, the second of each, ..."""
    most = max(map(len, references))
    return [[several[i] if i < len(several) else None for several in references] for i in range(most)]


@pytest.mark.parametrize("tokeniser", ["13a", "intl", "zh", "char", "none"])
@pytest.mark.parametrize("lowercase", [False, True])
def test_corpus_bleu_equals_sacrebleu(tokeniser: Any, lowercase: bool) -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    truth = sacrebleu.corpus_bleu(CANDIDATES, _streams(REFERENCES), tokenize=tokeniser, lowercase=lowercase)
    found = sacre_bleu(CANDIDATES, REFERENCES, tokeniser=tokeniser, lowercase=lowercase)
    assert 100 * found.score == pytest.approx(truth.score, abs=1e-9)
    assert 100 * np.array(found.precisions) == pytest.approx(np.array(truth.precisions), abs=1e-9)
    assert found.brevity_penalty == pytest.approx(truth.bp, abs=1e-12)
    assert (found.candidate_length, found.reference_length) == (truth.sys_len, truth.ref_len)


@pytest.mark.parametrize(("smoothing", "value"), [("exp", None), ("floor", None), ("add-k", 2.0), ("none", None)])
@pytest.mark.parametrize("orders", [1, 4, 6])
def test_sentence_bleu_equals_sacrebleu(smoothing: Any, value: float | None, orders: int) -> None:
    metrics = pytest.importorskip("sacrebleu.metrics")
    peer = metrics.BLEU(smooth_method=smoothing, smooth_value=value, max_ngram_order=orders, effective_order=True)
    truth = [peer.sentence_score(c, r).score for c, r in zip(CANDIDATES, REFERENCES, strict=True)]
    found = sentence_bleu(CANDIDATES, REFERENCES, smoothing=smoothing, smoothing_value=value, orders=orders)
    np.testing.assert_allclose([100 * bleu.score for bleu in found], truth, rtol=0, atol=1e-9)


def test_corpus_bleu_without_smoothing_equals_nltk_on_the_same_words() -> None:
    translate = pytest.importorskip("nltk.translate.bleu_score")
    # NLTK counts one n-gram for a candidate that is too short to have any, so those are left out.
    kept = [i for i, text in enumerate(CANDIDATES) if len(mteval_words(text, "13a")) >= 4]
    candidates, references = [CANDIDATES[i] for i in kept], [REFERENCES[i] for i in kept]
    said = [mteval_words(text, "13a") for text in candidates]
    truth = [[mteval_words(text, "13a") for text in several] for several in references]
    coco = coco_bleu(candidates, references, tokenise=lambda text: " ".join(mteval_words(text, "13a"))).corpus
    for orders in (1, 2, 3, 4):
        expected = translate.corpus_bleu(truth, said, weights=(1 / orders,) * orders)
        found = sacre_bleu(candidates, references, smoothing="none", orders=orders).score
        assert found == pytest.approx(expected, abs=1e-9)
        assert coco[orders - 1] == pytest.approx(expected, abs=1e-9)


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_words_equal_sacrebleu_on_any_text(text: str) -> None:
    tokenisers = pytest.importorskip("sacrebleu.tokenizers.tokenizer_13a")
    chinese = pytest.importorskip("sacrebleu.tokenizers.tokenizer_zh")
    assert mteval_words(text, "13a") == tokenisers.Tokenizer13a()(text.rstrip()).split()
    assert mteval_words(text, "zh") == chinese.TokenizerZh()(text.rstrip()).split()


@pytest.mark.parametrize("stem", [False, True])
def test_rouge_equals_rouge_score(stem: bool) -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer")
    peer = scorer.RougeScorer(["rouge1", "rouge2", "rouge3", "rougeL"], use_stemmer=stem)
    truth = [peer.score_multi(r, c) for c, r in zip(CANDIDATES, REFERENCES, strict=True)]
    words = rouge_stems if stem else rouge_words
    found = rouge(CANDIDATES, REFERENCES, words=words, kinds=("1", "2", "3", "L"))
    for kind, scores in found.items():
        for part, values in (("precision", scores.precision), ("recall", scores.recall), ("fmeasure", scores.f1)):
            expected = [getattr(case[f"rouge{kind}"], part) for case in truth]
            np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)


@given(TEXTS, TEXTS)
@settings(max_examples=150, deadline=None)
def test_rouge_equals_rouge_score_on_any_text(said: str, truth: str) -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer")
    expected = scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True).score(truth, said)
    found = rouge([said], [truth], words=rouge_stems)
    for kind in ("1", "2", "L"):
        assert found[kind].f1[0] == pytest.approx(expected[f"rouge{kind}"].fmeasure, abs=1e-12)


class _NoWordNet:
    def synsets(self, word: str) -> list[Any]:
        return []


def test_meteor_equals_nltk_without_synonyms() -> None:
    peer = pytest.importorskip("nltk.translate.meteor_score")
    said = [coco_text(text).split() for text in CANDIDATES]
    truth = [[coco_text(text).split() for text in several] for several in REFERENCES]
    expected = [peer.meteor_score(r, c, wordnet=_NoWordNet()) for c, r in zip(said, truth, strict=True)]
    found = meteor(CANDIDATES, REFERENCES)
    np.testing.assert_allclose(found.cases, expected, rtol=0, atol=1e-12)
    assert found.name == "METEOR (exact, stem)"
    assert found.mean == pytest.approx(np.mean(expected), abs=1e-12)


def test_meteor_synonyms_equal_nltk_with_the_same_table() -> None:
    peer = pytest.importorskip("nltk.translate.meteor_score")
    # Words that are their own stems, because NLTK looks up stems.
    table = {"heart": ["cardiac", "pump"], "clear": ["clean", "well"], "no": ["without"]}

    class Lemma:
        def __init__(self, word: str) -> None:
            self.word = word

        def name(self) -> str:
            return self.word

    class Synset:
        def __init__(self, words: list[str]) -> None:
            self.words = words

        def lemmas(self) -> list[Lemma]:
            return [Lemma(word) for word in self.words]

    class Table:
        def synsets(self, word: str) -> list[Synset]:
            return [Synset(table[word])] if word in table else []

    rng = random.Random(0)
    words = [*table, *(word for several in table.values() for word in several), "lung", "lungs"]
    assert all(porter_stem(word) == word for word in words[:-1])
    said = [" ".join(rng.choices(words, k=rng.randint(1, 9))) for _ in range(200)]
    truth = [" ".join(rng.choices(words, k=rng.randint(1, 9))) for _ in range(200)]
    expected = [peer.meteor_score([r.split()], c.split(), wordnet=Table()) for c, r in zip(said, truth, strict=True)]
    np.testing.assert_allclose(meteor(said, truth, synonyms=table).cases, expected, rtol=0, atol=1e-12)


def test_stems_equal_nltk() -> None:
    peer = pytest.importorskip("nltk.stem.porter").PorterStemmer()
    rng = random.Random(1)
    endings = "ational tional enci izer abli alli fulli logi ization alism icate ful ness ement ion ed ing eed ies y ll"
    words = {word for text in SENTENCES for word in rouge_words(text)} | {"sky", "skies", "dying", "news", "y", "yyy"}
    for _ in range(3000):
        root = "".join(rng.choices("aeiouy" + string.ascii_lowercase, k=rng.randint(0, 5)))
        words.add(root + rng.choice(endings.split()) + rng.choice(["", *endings.split()]))
    assert {word: porter_stem(word) for word in words} == {word: peer.stem(word) for word in words}


@given(st.lists(st.integers(0, 4), max_size=80), st.lists(st.integers(0, 4), max_size=80))
@settings(max_examples=150, deadline=None)
def test_common_subsequence_equals_the_table(first: list[int], second: list[int]) -> None:
    row = [0] * (len(second) + 1)
    for a in first:
        last = row
        row = [0]
        for j, b in enumerate(second):
            row.append(last[j] + 1 if a == b else max(row[j], last[j + 1]))
    assert lcs_length(first, second) == row[-1]


@pytest.mark.parametrize("score", [coco_scores, sacre_bleu, rouge, meteor])
def test_bad_input_is_named(score: Any) -> None:
    with pytest.raises(InputError, match="2 for 1"):
        score(["a"], ["a", "b"])
    with pytest.raises(InputError, match="none"):
        score([], [])
    with pytest.raises(InputError, match="candidate 1: is float"):
        score(["a", float("nan")], ["a", "b"])
    with pytest.raises(InputError, match="reference of case 0: is NoneType"):
        score(["a"], [None])
    with pytest.raises(InputError, match="case 0: has no reference"):
        score(["a"], [[]])
    with pytest.raises(InputError, match="one string"):
        score("a", "a")


def test_unknown_choices_are_named() -> None:
    with pytest.raises(InputError, match="Give one of 13a"):
        sacre_bleu(["a"], ["a"], tokeniser="ja-mecab")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Give one of exp"):
        sacre_bleu(["a"], ["a"], smoothing="laplace")  # type: ignore[arg-type]
    with pytest.raises(InputError, match='"L"'):
        rouge(["a"], ["a"], kinds=("W",))
