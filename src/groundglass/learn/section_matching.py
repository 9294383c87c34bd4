"""Phase II of CXR-BERT (arXiv 2204.09817): masked words and radiology section matching on one encoder.

Loss = masked language modelling of both sections + `weight` x the contrastive loss of their projected first tokens, on
batches without equal texts, with the sentences of every section in random order. 15 % of the tokens are predicted: of
those 80 % are masked, 10 % another token, 10 % kept (BERT, arXiv 1810.04805).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from groundglass.core.errors import ConfigurationError
from groundglass.learn.loop import train
from groundglass.learn.objectives.contrastive import contrastive
from groundglass.learn.plan import Plan
from groundglass.nets.projection_head import ProjectionHead
from groundglass.text.matching import SectionPair, distinct_batches, shuffled

_UNSEEN = -100  # what cross-entropy leaves out
MASKED, REPLACED = 0.8, 0.1
"""Shares of the tokens to be predicted that are masked and replaced; the others stay."""


@dataclass
class SectionMatcher:
    """A masked language model of transformers with its tokenizer and the head that compares sections."""

    model: Any
    tokenizer: Any
    head: ProjectionHead
    limit: int = 512

    def vectors(self, texts: Sequence[str], *, batch: int = 64) -> torch.Tensor:
        """(texts, size), each of length 1: the projected first token, in evaluation mode."""
        found = []
        self.model.eval()
        self.head.eval()
        with torch.no_grad():
            for start in range(0, len(texts), batch):
                given = self.tokens(texts[start : start + batch])
                hidden = self.model(**given, output_hidden_states=True).hidden_states[-1]
                found.append(torch.nn.functional.normalize(self.head(hidden[:, 0]), dim=1))
        return torch.cat(found)

    def tokens(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        """`input_ids` and `attention_mask` (texts, longest)."""
        made = self.tokenizer(list(texts), padding=True, truncation=True, max_length=self.limit, return_tensors="pt")
        return {name: made[name] for name in ("input_ids", "attention_mask")}


def new_section_matcher(encoder: str | Path, *, size: int = 128, limit: int = 512, seed: int = 0) -> SectionMatcher:
    """A BERT by name or local folder with an untrained head. Raises ConfigurationError when it cannot be loaded."""
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    torch.manual_seed(seed)
    try:
        tokenizer, model = AutoTokenizer.from_pretrained(encoder), AutoModelForMaskedLM.from_pretrained(encoder)
    except (OSError, ImportError, ValueError) as error:
        raise ConfigurationError(
            encoder, f"is no encoder that can be loaded ({error})", "Name a local folder."
        ) from error
    return SectionMatcher(model, tokenizer, ProjectionHead(model.config.hidden_size, size), limit)


def train_section_matching(
    matcher: SectionMatcher,
    pairs: Sequence[SectionPair],
    *,
    folder: Path,
    steps: int,
    batch: int = 32,
    learning_rate: float = 2e-5,
    weight: float = 0.1,
    temperature: float = 0.5,
    shuffle: bool = True,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> SectionMatcher:
    """Train in place. `weight` 0 is masked language modelling alone. The paper's weight and temperature are the
    defaults. Raises ConfigurationError when the pairs fill no batch."""
    stream = _Batches(matcher, pairs, batch, shuffle, seed)
    whole = torch.nn.ModuleDict({"model": matcher.model, "head": matcher.head})

    def objective(model: torch.nn.Module, given: dict[str, torch.Tensor]) -> torch.Tensor:
        parts: Any = model
        seen = {name: given[name] for name in ("input_ids", "attention_mask", "labels")}
        said = parts["model"](**seen, output_hidden_states=weight > 0)
        loss: torch.Tensor = said.loss
        if weight > 0:
            first, second = parts["head"](said.hidden_states[-1][:, 0]).chunk(2)
            loss = loss + weight * contrastive(first, second, temperature=temperature)
        return loss

    plan = Plan(steps, learning_rate, weight_decay=0.01, warmup=max(1, steps // 20), checkpoint_every=steps, seed=seed)
    train(whole, stream, objective, plan, folder=folder, progress=progress)
    return matcher


def masked(
    ids: torch.Tensor, special: torch.Tensor, tokenizer: Any, rng: np.random.Generator, *, share: float = 0.15
) -> tuple[torch.Tensor, torch.Tensor]:
    """(ids to read, labels) of (N, T) ids; `special` (N, T) marks what is never predicted; other labels are -100."""
    draw = torch.from_numpy(rng.random(ids.shape))
    chosen = (draw < share) & ~special
    how = torch.from_numpy(rng.random(ids.shape))
    others = torch.from_numpy(rng.integers(0, len(tokenizer), ids.shape))
    read = torch.where(chosen & (how < MASKED), torch.full_like(ids, tokenizer.mask_token_id), ids)
    read = torch.where(chosen & (how >= MASKED) & (how < MASKED + REPLACED), others, read)
    return read, torch.where(chosen, ids, torch.full_like(ids, _UNSEEN))


class _Batches:
    """Findings of a batch, then its impressions, masked; drawn anew in every round."""

    def __init__(
        self, owner: SectionMatcher, pairs: Sequence[SectionPair], size: int, shuffle: bool, seed: int
    ) -> None:
        self.owner, self.pairs, self.size, self.shuffle = owner, list(pairs), size, shuffle
        self.seed, self.round = seed, 0

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        rng = np.random.default_rng([self.seed, self.round])
        self.round += 1
        empty = True
        for chosen in distinct_batches(self.pairs, self.size, rng):
            empty = False
            texts = [pair.findings for pair in chosen] + [pair.impression for pair in chosen]
            given = self.owner.tokens([shuffled(text, rng) for text in texts] if self.shuffle else texts)
            ids = given["input_ids"]
            special = torch.isin(ids, torch.tensor(self.owner.tokenizer.all_special_ids))
            read, labels = masked(ids, special, self.owner.tokenizer, rng)
            yield {"input_ids": read, "attention_mask": given["attention_mask"], "labels": labels}
        if empty:
            raise ConfigurationError(
                f"{len(self.pairs)} pairs", f"fill no batch of {self.size} different texts", "Use a smaller batch."
            )
