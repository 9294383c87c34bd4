"""A small T5 with random weights that reads words and the digits of numbers: for tests and desk-scale checks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from groundglass.report.generation.form_answers import AnswerModel

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
    return AnswerModel(T5ForConditionalGeneration(T5Config(**options)), tokenizer, limit, longest=16)
