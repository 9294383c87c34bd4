"""BERTScore on a small BERT with random weights, made here, against the definition written out in a few lines."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from text_overlap_cases import SENTENCES, pairs

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.text_overlap import BertBaseline, BertScorer, rouge_words


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertModel, BertTokenizerFast

    path = tmp_path_factory.mktemp("tiny-bert")
    words = sorted({word for text in SENTENCES for word in rouge_words(text)})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *".,:()-", "##s", "##ed"]
    (path / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(str(path / "vocab.txt"), model_max_length=64).save_pretrained(path)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=48,
        max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(path)
    return path


def _plain(folder: Path, layer: int, said: str, truth: str, corpus: list[str] | None) -> list[float]:
    """BERTScore of one pair from its definition, one text at a time."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()

    def pieces(text: str) -> list[int]:
        return tokenizer(text.strip(), truncation=True, max_length=64)["input_ids"]

    def states(ids: list[int]) -> Any:
        with torch.no_grad():
            found = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[layer][0].double()
        return found / found.norm(dim=1, keepdim=True)

    def weights(ids: list[int]) -> Any:
        held = [set(pieces(text)) for text in corpus] if corpus is not None else []
        idf = [math.log((len(held) + 1) / (sum(i in text for text in held) + 1)) if held else 1.0 for i in ids]
        return torch.tensor([0.0 if i in (2, 3) else w for i, w in zip(ids, idf, strict=True)], dtype=torch.double)

    a, b = pieces(said), pieces(truth)
    if len(a) == 2 or len(b) == 2:
        return [0.0, 0.0, 0.0]
    table = states(a) @ states(b).T
    precision = float((table.max(1).values * weights(a)).sum() / weights(a).sum())
    recall = float((table.max(0).values * weights(b)).sum() / weights(b).sum())
    return [precision, recall, 2 * precision * recall / (precision + recall)]


@pytest.mark.parametrize(("layer", "idf"), [(-1, False), (2, True), (0, False)])
def test_scores_equal_the_definition(folder: Path, layer: int, idf: bool) -> None:
    said, several = pairs(41, 24)
    truth = [texts[0] for texts in several]
    found = BertScorer(folder, layer=layer).score(said, truth, idf=idf, batch_size=5)
    expected = [_plain(folder, layer, a, b, truth if idf else None) for a, b in zip(said, truth, strict=True)]
    np.testing.assert_allclose(np.stack([found.precision, found.recall, found.f1], 1), expected, rtol=0, atol=1e-6)
    assert found.name == f"BERTScore ({folder.name}, layer {layer % 4}{', idf' if idf else ''})"


def test_batches_do_not_matter_and_a_text_equals_itself(folder: Path) -> None:
    scorer = BertScorer(folder)
    texts = list(SENTENCES)
    one, many = scorer.score(texts, texts[::-1], batch_size=1), scorer.score(texts, texts[::-1], batch_size=16)
    np.testing.assert_allclose(one.f1, many.f1, atol=1e-6)
    np.testing.assert_allclose(scorer.score(texts, texts).f1, 1, atol=1e-6)


def test_several_references_count_each_at_its_best(folder: Path) -> None:
    scorer = BertScorer(folder)
    said, first, second = SENTENCES[0], SENTENCES[1], SENTENCES[2]
    both = scorer.score([said], [[first, second]])
    single = scorer.score([said, said], [first, second])
    assert both.precision[0] == pytest.approx(single.precision.max())
    assert both.recall[0] == pytest.approx(single.recall.max())
    assert both.f1[0] == pytest.approx(single.f1.max())


def test_empty_and_overlong_texts(folder: Path) -> None:
    found = BertScorer(folder).score(["", "the heart", "heart " * 500], ["the heart", "  ", "heart " * 500])
    assert found.f1.tolist() == pytest.approx([0, 0, 1], abs=1e-6)


def test_baseline_rescales(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "b.tsv").write_text("LAYER,P,R,F\n0,0.1,0.2,0.3\n3,0.5,0.4,0.6\n", encoding="utf-8")
    baseline = BertBaseline.read(tmp_path / "b.tsv", 3)
    scorer = BertScorer(folder)
    raw, scaled = (scorer.score([SENTENCES[0]], [SENTENCES[3]], baseline=b) for b in (None, baseline))
    assert scaled.precision[0] == pytest.approx((raw.precision[0] - 0.5) / 0.5)
    assert scaled.recall[0] == pytest.approx((raw.recall[0] - 0.4) / 0.6)
    assert scaled.f1[0] == pytest.approx((raw.f1[0] - 0.6) / 0.4)
    with pytest.raises(InputError, match="no baseline of layer 9"):
        BertBaseline.read(tmp_path / "b.tsv", 9)


def test_what_cannot_be_loaded_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        BertScorer(tmp_path / "nothing")
    with pytest.raises(ConfigurationError, match="no layer 9"):
        BertScorer(folder, layer=9)
