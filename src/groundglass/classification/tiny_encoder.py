"""A small ModernBERT with random weights and a vocabulary of its own: for tests and desk-scale checks, no download."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def tiny_bert(
    folder: Path,
    texts: Iterable[str],
    *,
    width: int = 64,
    layers: int = 4,
    heads: int = 4,
    words: int = 3000,
    window: int = 8,
    limit: int = 512,
    seed: int = 0,
) -> Path:
    """Write an encoder of some hundred thousand random weights with the commonest words and all characters of `texts`.

    ModernBERT (arXiv 2412.13663), since its narrow `window` of attention in two layers of three learns what stands
    beside what ("effusion" and its "no") in hundreds of steps, where a plain BERT needs its pre-training.
    """
    import torch
    from transformers import BertTokenizer, ModernBertConfig, ModernBertModel

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = _vocabulary(texts, words)
    numbered = {token: number for number, token in enumerate(vocabulary)}
    BertTokenizer(vocab=numbered, strip_accents=False).save_pretrained(folder)
    torch.manual_seed(seed)
    # The stubs of transformers lack half of these names.
    options: dict[str, Any] = {
        "vocab_size": len(vocabulary),
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "max_position_embeddings": limit,
        "local_attention": window,
        "global_attn_every_n_layers": 3,
        "classifier_pooling": "mean",
        "pad_token_id": 0,
        "cls_token_id": 2,
        "bos_token_id": 2,
        "sep_token_id": 3,
        "eos_token_id": 3,
    }
    ModernBertModel(ModernBertConfig(**options)).save_pretrained(folder)
    return folder


def _vocabulary(texts: Iterable[str], words: int) -> list[str]:
    from transformers import BertTokenizer

    probe = {token: number for number, token in enumerate(_SPECIAL)}
    split = BertTokenizer(vocab=probe, strip_accents=False).backend_tokenizer
    counts: Counter[str] = Counter()
    letters: set[str] = set()
    for text in texts:
        parts = [word for word, _ in split.pre_tokenizer.pre_tokenize_str(split.normalizer.normalize_str(text))]
        counts.update(parts)
        letters.update(letter for part in parts for letter in part)
    vocabulary = [*_SPECIAL, *sorted(letters), *(f"##{letter}" for letter in sorted(letters))]
    known = set(vocabulary)
    return vocabulary + [word for word, _ in counts.most_common(words) if word not in known]
