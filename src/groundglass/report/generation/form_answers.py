"""Answers to a form's questions by a sequence-to-sequence model (arXiv 2403.18938): any T5 by name or local folder.

The model is what `groundglass.text.structured.ask` calls: a prompt with the question and one batch of the report in,
the answer in the item's format and its probability out. Training takes the samples of `structured.training_samples`,
in which the batches without the answer say "not reported". No weights ship: give your own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from groundglass.core import ConfigurationError
from groundglass.learn import Plan, train

_UNSEEN = -100  # what cross-entropy leaves out


@dataclass
class AnswerModel:
    """A T5 with its tokenizer. `limit`: tokens of a prompt; `longest`: tokens of an answer."""

    model: Any
    tokenizer: Any
    limit: int = 512
    longest: int = 64

    def __call__(self, prompt: str) -> tuple[str, float]:
        """The most probable answer, token by token, and the probability of the whole of it."""
        return self.answers([prompt])[0]

    def answers(self, prompts: Sequence[str], *, batch: int = 64) -> list[tuple[str, float]]:
        """The same for many prompts, `batch` at a time, those of like length together."""
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        found: dict[int, tuple[str, float]] = {}
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            found |= dict(zip(rows, self._answered([prompts[i] for i in rows]), strict=True))
        return [found[i] for i in range(len(prompts))]

    def _answered(self, prompts: list[str]) -> list[tuple[str, float]]:
        given = self.tokenizer(prompts, padding=True, truncation=True, max_length=self.limit, return_tensors="pt")
        given = {key: value.to(self.model.device) for key, value in given.items() if key != "token_type_ids"}
        self.model.eval()
        with torch.no_grad():
            said = self.model.generate(
                **given,
                max_new_tokens=self.longest,
                do_sample=False,
                num_beams=1,
                return_dict_in_generate=True,
                output_scores=True,
            )
        tokens = said.sequences[:, 1:]
        steps = torch.stack([torch.log_softmax(row.float(), dim=-1) for row in said.scores], dim=1)
        sure = steps.gather(2, tokens[:, :, None])[:, :, 0]
        sure = sure.masked_fill(tokens == self.model.config.pad_token_id, 0.0)  # what follows the end of a short answer
        texts = self.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return [(text.strip(), math.exp(float(p))) for text, p in zip(texts, sure.sum(dim=1), strict=True)]

    def count(self, text: str) -> int:
        """Tokens of a text: what `structured.ask` measures its batches by (`count=`)."""
        return len(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def save(self, folder: Path) -> None:
        """Weights and tokenizer in one folder that `load_answer_model` reads."""
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)


def load_answer_model(name: str | Path, *, limit: int = 512) -> AnswerModel:
    """A T5 of Hugging Face or of a local folder. Raises ConfigurationError when it cannot be loaded."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    try:
        return AnswerModel(AutoModelForSeq2SeqLM.from_pretrained(name), AutoTokenizer.from_pretrained(name), limit)
    except (OSError, ImportError, ValueError) as error:
        raise ConfigurationError(name, f"is no model that can be loaded ({error})", "Name a local folder.") from error


def tiny_answer_model(*, width: int = 64, layers: int = 2, seed: int = 0) -> AnswerModel:
    """A byte-level T5 with random weights: for tests and desk-scale checks, no download."""
    from transformers import ByT5Tokenizer, T5Config, T5ForConditionalGeneration

    tokenizer = ByT5Tokenizer()
    torch.manual_seed(seed)
    options: dict[str, Any] = {  # the stubs of transformers lack some of these names
        "vocab_size": len(tokenizer),
        "d_model": width,
        "d_kv": width // 4,
        "d_ff": 2 * width,
        "num_layers": layers,
        "num_heads": 4,
        "dropout_rate": 0.0,
        "decoder_start_token_id": tokenizer.pad_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    return AnswerModel(T5ForConditionalGeneration(T5Config(**options)), tokenizer)


def train_answer_model(
    answerer: AnswerModel,
    samples: Sequence[tuple[str, str]],
    *,
    folder: Path,
    steps: int,
    batch: int = 8,
    learning_rate: float = 1e-4,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> AnswerModel:
    """Train in place on (prompt, answer) pairs; AdamW, all weights."""
    plan = Plan(steps, learning_rate, weight_decay=0.0, warmup=max(1, steps // 20), checkpoint_every=steps, seed=seed)
    train(answerer.model, _Batches(answerer, samples, batch, seed), _objective, plan, folder=folder, progress=progress)
    return answerer


class _Batches:
    """Batches of padded prompts and answers, drawn anew in every round."""

    def __init__(self, owner: AnswerModel, samples: Sequence[tuple[str, str]], size: int, seed: int) -> None:
        self.owner, self.samples, self.size, self.seed, self.round = owner, list(samples), size, seed, 0

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        order = np.random.default_rng([self.seed, self.round]).permutation(len(self.samples))
        self.round += 1
        for start in range(0, len(order), self.size):
            part = [self.samples[i] for i in order[start : start + self.size]]
            options: dict[str, Any] = {"padding": True, "truncation": True, "return_tensors": "pt"}
            given = self.owner.tokenizer([p for p, _ in part], max_length=self.owner.limit, **options)
            wanted = self.owner.tokenizer([a for _, a in part], max_length=self.owner.longest, **options)
            labels = wanted["input_ids"].masked_fill(wanted["attention_mask"] == 0, _UNSEEN)
            yield {"input_ids": given["input_ids"], "attention_mask": given["attention_mask"], "labels": labels}


def _objective(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    loss: torch.Tensor = model(**batch).loss
    return loss
