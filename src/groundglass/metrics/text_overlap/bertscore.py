"""BERTScore (T. Zhang, V. Kishore, F. Wu, K. Q. Weinberger, Y. Artzi, ICLR 2020, arXiv 1904.09675), any encoder.

Each word piece is matched with the most similar piece of the other text (cosine of hidden states); precision is the
mean over the candidate's pieces, recall over the reference's, weighted by idf if asked. As in the reference
implementation, the start and end pieces weigh nothing but may be matched with, an empty text scores 0, and the idf of a
piece is log((R + 1) / (references that hold it + 1)). Padding is never matched, so no score depends on its batch.
"""

from __future__ import annotations

import csv
import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.text_overlap.pairs import checked_pairs

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BertBaseline:
    """Scores of unrelated text with an encoder and layer, for the rescaling (x - b) / (1 - b)."""

    precision: float
    recall: float
    f1: float

    @classmethod
    def read(cls, path: str | os.PathLike[str], layer: int) -> BertBaseline:
        """The row of a layer in a baseline file of the reference implementation (LAYER, P, R, F).

        Raises InputError when the file or the row cannot be read.
        """
        try:
            with Path(path).open(newline="", encoding="utf-8") as file:
                rows = {int(row["LAYER"]): row for row in csv.DictReader(file)}
            row = rows[layer]
            return cls(float(row["P"]), float(row["R"]), float(row["F"]))
        except (OSError, KeyError, ValueError) as error:
            raise InputError(path, f"has no baseline of layer {layer}", "Columns LAYER,P,R,F are needed.") from error


@dataclass(frozen=True, slots=True, eq=False)
class BertScore:
    """Precision, recall and F1 of N cases (N,), and by which encoder, layer and weighting."""

    name: str
    precision: Floats
    recall: Floats
    f1: Floats


class BertScorer:
    """An encoder, loaded once. `layer` is the index into the hidden states (0 = embeddings, -1 = last)."""

    def __init__(self, encoder: str | os.PathLike[str], *, layer: int = -1, device: str = "cpu") -> None:
        """`encoder`: a transformers name or a local folder. Raises ConfigurationError when it cannot be used."""
        from transformers import AutoModel, AutoTokenizer

        path = os.fspath(encoder)
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(path)
            self._model: Any = AutoModel.from_pretrained(path).eval().to(device)
        except (OSError, ValueError) as error:
            raise ConfigurationError(path, "cannot be loaded as a text encoder", f"It says: {error}") from error
        config = self._model.config
        states = int(config.num_hidden_layers) + 1
        if not -states <= layer < states:
            raise ConfigurationError(path, f"has no layer {layer}", f"Give 0 to {states - 1}, or -1 for the last.")
        self._layer, self._device = layer % states, device
        byte_pieces = config.model_type in ("roberta", "gpt2")
        self._prefix = " " if byte_pieces else ""  # the first word is a piece as any other
        positions = int(getattr(config, "max_position_embeddings", 1 << 30)) - (2 if byte_pieces else 0)
        self._longest = min(int(self._tokenizer.model_max_length), positions)
        self.name = f"{Path(path).name}, layer {self._layer}"

    def score(
        self,
        candidates: Sequence[str],
        references: Sequence[str | Sequence[str]],
        *,
        idf: bool = False,
        baseline: BertBaseline | None = None,
        batch_size: int = 64,
    ) -> BertScore:
        """BERTScore of N cases; of several references the highest precision, recall and F1, each on its own.

        Texts longer than the encoder takes are cut. Raises InputError as `checked_pairs`.
        """
        said, truth = checked_pairs(candidates, references)
        pieces = {text: self._pieces(text) for text in {*said, *(text for texts in truth for text in texts)}}
        weights = self._weights([pieces[text] for texts in truth for text in texts], idf)
        rows = np.zeros((len(said), 3))
        order = sorted(range(len(said)), key=lambda case: len(pieces[said[case]]))
        for start in range(0, len(order), batch_size):
            cases = order[start : start + batch_size]
            states = self._states(
                {text: pieces[text] for case in cases for text in (said[case], *truth[case])}, batch_size
            )
            for case in cases:
                left = states[said[case]], weights(pieces[said[case]])
                rows[case] = np.max([_matched(*left, states[o], weights(pieces[o])) for o in truth[case]], axis=0)
        if baseline is not None:
            floor = np.array([baseline.precision, baseline.recall, baseline.f1])
            rows = (rows - floor) / (1 - floor)
        name = f"BERTScore ({self.name}{', idf' if idf else ''}{', rescaled' if baseline else ''})"
        return BertScore(name, rows[:, 0], rows[:, 1], rows[:, 2])

    def _pieces(self, text: str) -> tuple[int, ...]:
        stripped = text.strip()
        encoded = self._tokenizer(
            self._prefix + stripped if stripped else "", truncation=True, max_length=self._longest
        )
        return tuple(encoded["input_ids"])

    def _weights(self, references: Sequence[tuple[int, ...]], idf: bool) -> Callable[[tuple[int, ...]], Floats]:
        """Weight of each piece of a text: 1 or its idf, and 0 for the start and end pieces."""
        held = Counter(piece for text in references for piece in set(text)) if idf else Counter[int]()
        silent = {self._tokenizer.cls_token_id, self._tokenizer.sep_token_id}

        def weights(text: tuple[int, ...]) -> Floats:
            found = [0.0 if piece in silent else math.log((len(references) + 1) / (held[piece] + 1)) for piece in text]
            return np.array(found) if idf else np.array([0.0 if piece in silent else 1.0 for piece in text])

        return weights

    def _states(self, pieces: dict[str, tuple[int, ...]], batch_size: int) -> dict[str, Floats]:
        """Unit hidden states (pieces, width) of each text."""
        import torch

        texts = sorted(pieces, key=lambda text: len(pieces[text]))
        states: dict[str, Floats] = {}
        for start in range(0, len(texts), batch_size):
            batch = texts[start : start + batch_size]
            longest = max(len(pieces[text]) for text in batch)
            ids = torch.full((len(batch), longest), self._tokenizer.pad_token_id or 0)
            mask = torch.zeros_like(ids)
            for row, text in enumerate(batch):
                ids[row, : len(pieces[text])] = torch.tensor(pieces[text], dtype=torch.long)
                mask[row, : len(pieces[text])] = 1
            with torch.inference_mode():
                output = self._model(
                    input_ids=ids.to(self._device), attention_mask=mask.to(self._device), output_hidden_states=True
                )
            found = torch.nn.functional.normalize(output.hidden_states[self._layer].double(), dim=-1).cpu().numpy()
            states.update({text: found[row, : len(pieces[text])] for row, text in enumerate(batch)})
        return states


def _matched(left: Floats, left_weight: Floats, right: Floats, right_weight: Floats) -> tuple[float, float, float]:
    """Precision, recall and F1 of greedy matching; 0 where no piece has a weight."""
    if not left_weight.any() or not right_weight.any():
        return 0.0, 0.0, 0.0
    similarity = left @ right.T
    precision = float(similarity.max(axis=1) @ left_weight / left_weight.sum())
    recall = float(similarity.max(axis=0) @ right_weight / right_weight.sum())
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0
