"""A T5 of words and digits: every number can be read and said, the same seed gives the same model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from groundglass.report.generation.form_answers import load_answer_model, train_answer_model
from groundglass.report.generation.word_answers import word_answer_model

SAMPLES = [
    ("question: How long is the spleen? context: The spleen measures 158 mm.", "158"),
    ("question: How large is the liver? context: Hepatomegaly.", "enlarged"),
    ("question: How large is the liver? context: The spleen measures 158 mm.", "not reported"),
]
TEXTS = [text for sample in SAMPLES for text in sample]


def test_numbers_are_their_digits() -> None:
    tokenizer = word_answer_model(TEXTS, width=16, layers=1).tokenizer
    assert tokenizer.tokenize("measures 9407 mm.") == ["measures", "9", "##4", "##0", "##7", "mm", "."]
    ids = tokenizer("9407")["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == "9407"
    assert tokenizer.unk_token_id in tokenizer("cholecystectomy")["input_ids"]


def test_the_seed_decides_the_weights() -> None:
    first, again, other = (word_answer_model(TEXTS, width=16, layers=1, seed=seed) for seed in (1, 1, 2))
    same = [torch.equal(a, b) for a, b in zip(first.model.parameters(), again.model.parameters(), strict=True)]
    assert all(same)
    assert not torch.equal(next(first.model.parameters()), next(other.model.parameters()))


def test_a_head_of_the_first_layer_reads_the_word_before() -> None:
    model = word_answer_model(TEXTS, width=16, layers=1).model
    for stack, two_way in ((model.encoder, True), (model.decoder, False)):
        bias = stack.block[0].layer[0].SelfAttention.compute_bias(6, 6)[0, :, 3]
        assert bias[0, :4].argmax() == 2
        if two_way:
            assert bias[1].argmax() == 4


def test_other_heads_of_the_encoder_read_the_same_word_elsewhere() -> None:
    reader = word_answer_model(TEXTS, seed=4)
    reader.model.set_attn_implementation("eager")
    sentence = reader.tokenizer("how large is the spleen how long is the liver", return_tensors="pt")
    with torch.no_grad():
        weights = reader.model.encoder(**sentence, output_attentions=True).attentions[0][0, 2:]
    words = sentence["input_ids"][0].tolist()
    for word in {word for word in words if words.count(word) == 2}:
        one, other = (place for place, held in enumerate(words) if held == word)
        assert (weights[:, one].argmax(-1) == other).all() and (weights[:, other].argmax(-1) == one).all()


def test_it_learns_three_answers_and_keeps_them_in_its_folder(tmp_path: Path) -> None:
    model = word_answer_model(TEXTS, width=32, layers=1, limit=64, seed=3)
    train_answer_model(model, SAMPLES, folder=tmp_path / "run", steps=150, batch=3, learning_rate=5e-3)
    assert [model(prompt)[0] for prompt, _ in SAMPLES] == [answer for _, answer in SAMPLES]
    prompts = [prompt for prompt, _ in SAMPLES]
    for (text, p), (alone, p_alone) in zip(model.answers(prompts, batch=2), map(model, prompts), strict=True):
        assert text == alone
        assert p == pytest.approx(p_alone, rel=1e-4)
    model.save(tmp_path / "model")
    again = load_answer_model(tmp_path / "model", limit=64)
    assert [again(prompt)[0] for prompt, _ in SAMPLES] == [answer for _, answer in SAMPLES]
