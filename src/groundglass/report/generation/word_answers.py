"""A small T5 with random weights that reads words and the digits of numbers: for tests and desk-scale checks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from groundglass.report.generation.form_answers import AnswerModel

# In logits: most of a head's attention among some forty words.
_NEAR = 5.0
_SAME = 6.0
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def word_answer_model(
    texts: Iterable[str], *, width: int = 96, layers: int = 2, limit: int = 512, seed: int = 0
) -> AnswerModel:
    """The words of `texts` are the vocabulary; a number is its digits, so that every number can be read and said.

    With words instead of bytes (`tiny_answer_model`) a report is a tenth as long, and some thousand steps teach such a
    model to find a sentence.
    """
    from transformers import BertTokenizer, T5Config, T5ForConditionalGeneration

    split = BertTokenizer(vocab={token: number for number, token in enumerate(_SPECIAL)}).backend_tokenizer
    words = {
        word
        for text in texts
        for word, _ in split.pre_tokenizer.pre_tokenize_str(split.normalizer.normalize_str(text))
        if not any(letter.isdigit() for letter in word)
    }
    digits = [str(digit) for digit in range(10)]
    vocabulary = [*_SPECIAL, *digits, *(f"##{digit}" for digit in digits), *sorted(words)]
    tokenizer = BertTokenizer(vocab={token: number for number, token in enumerate(vocabulary)})
    torch.manual_seed(seed)
    options: dict[str, Any] = {  # the stubs of transformers lack some of these names
        "vocab_size": len(vocabulary),
        "d_model": width,
        "d_kv": width // 4,
        "d_ff": 2 * width,
        "num_layers": layers,
        "num_decoder_layers": 1,
        "num_heads": 4,
        "dropout_rate": 0.0,
        "decoder_start_token_id": tokenizer.pad_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.sep_token_id,
    }
    model = T5ForConditionalGeneration(T5Config(**options))
    _attend_to_neighbours(model)
    _attend_to_same_words(model)
    return AnswerModel(model, tokenizer, limit, longest=16)


def _attend_to_neighbours(model: Any) -> None:
    """One head of each stack starts at the word before, one of the encoder at the word after.

    A phrase is copied by the word before each word; a step of AdamW moves a bias of position by no more than the rate,
    so that from random ones such heads take thousands of steps.
    """
    encoder, decoder = (
        stack.block[0].layer[0].SelfAttention.relative_attention_bias.weight for stack in (model.encoder, model.decoder)
    )
    after = model.config.relative_attention_num_buckets // 2 + 1  # the upper half of the encoder's buckets looks ahead
    with torch.no_grad():
        encoder[1, 0] += _NEAR
        encoder[after, 1] += _NEAR
        decoder[1, 0] += _NEAR


def _attend_to_same_words(model: Any) -> None:
    """The encoder's other heads start at the same word elsewhere: what was asked for is found where it is spoken of.

    Queries are the keys, so that a word's product with itself is about `_SAME` and with another one about 0.
    """
    attention, width = model.encoder.block[0].layer[0].SelfAttention, model.config.d_kv
    rest = slice(2 * width, None)  # the first two heads look at neighbours
    with torch.no_grad():
        attention.q.weight[rest] = attention.k.weight[rest] * (_SAME / width)
        attention.relative_attention_bias.weight[0, 2:] -= _SAME  # not at itself
