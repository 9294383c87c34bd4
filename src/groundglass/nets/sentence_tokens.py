"""Sentences as the token vectors of a frozen encoder: any BERT-like model of transformers, by name or local folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from groundglass.core.errors import ConfigurationError


class Tokens(NamedTuple):
    """Vectors (B, T, D) and `padding` (B, T), True where a row has no token."""

    vectors: torch.Tensor
    padding: torch.Tensor

    def pooled(self) -> Tokens:
        """Every sentence as one token, the mean of its own (B, 1, D): what attention to tokens is compared with."""
        there = (~self.padding)[..., None].to(self.vectors)
        mean = (self.vectors * there).sum(dim=1, keepdim=True) / there.sum(dim=1, keepdim=True)
        return Tokens(mean, torch.zeros_like(self.padding[:, :1]))


class SentenceEncoder:
    """Reads sentences of up to `limit` tokens; its weights stay as they were loaded."""

    def __init__(self, name: str | Path, *, limit: int = 512) -> None:
        """Raises ConfigurationError when there is no such model."""
        from transformers import AutoModel, AutoTokenizer

        try:
            self._tokenizer = AutoTokenizer.from_pretrained(name)
            self._model = AutoModel.from_pretrained(name).requires_grad_(False).eval()
        except (OSError, ImportError, ValueError) as error:
            raise ConfigurationError(
                name, f"is no text encoder that can be loaded ({error})", "Name a local folder or a hub model."
            ) from error
        self.limit = limit
        self.width = int(self._model.config.hidden_size)

    def tokens(self, sentences: Sequence[str]) -> Tokens:
        """The last hidden state of each sentence's tokens, padded to the longest."""
        given = self._tokenizer(
            list(sentences), padding=True, truncation=True, max_length=self.limit, return_tensors="pt"
        )
        with torch.inference_mode():
            hidden = self._model(input_ids=given["input_ids"], attention_mask=given["attention_mask"])
        return Tokens(hidden.last_hidden_state.clone(), given["attention_mask"] == 0)
