"""Findings of a report by a trained encoder: any BERT of transformers, class-wise thresholds, long reports in windows.

The recipe is that of CT-BERT-JPN (arXiv 2412.15907): an encoder with one sigmoid per label on its first token, binary
cross-entropy, AdamW at 2e-5, batches of 8, four epochs, the epoch with the lowest validation loss kept. The rate falls
by a cosine here (the one loop of `learn`), there in a line. Added are thresholds per class, chosen for F1 on the
validation part, and for reports that are longer than the encoder's limit two windows whose larger probability counts
("windows"), or every sentence by itself ("sentences"), beside the paper's cut ("truncate").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.core import ConfigurationError, InputError
from groundglass.learn import Plan, train
from groundglass.text import sentence_spans

LongReports = Literal["truncate", "windows", "sentences"]
_CARD = "report_classifier.json"


@dataclass
class ReportClassifier:
    """An encoder with its tokenizer, label names and thresholds. `limit`: tokens that the encoder reads at once."""

    model: Any
    tokenizer: Any
    labels: tuple[str, ...]
    thresholds: NDArray[np.float64]
    limit: int = 512
    long_reports: LongReports = "truncate"

    def probabilities(self, texts: Sequence[str], *, batch: int = 32) -> NDArray[np.float64]:
        """(reports, labels) in [0, 1]; of a report in windows the largest of each label."""
        found = np.zeros((len(texts), len(self.labels)))
        rows = [(i, ids) for i, text in enumerate(texts) for ids in self.pieces(text)]
        self.model.eval()
        with torch.no_grad():
            for start in range(0, len(rows), batch):
                part = rows[start : start + batch]
                logits = self.model(**self.padded([ids for _, ids in part])).logits
                for (i, _), row in zip(part, torch.sigmoid(logits).cpu().double().numpy(), strict=True):
                    found[i] = np.maximum(found[i], row)
        return found

    def predict(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """(reports, labels): probability at or above the class's threshold."""
        return self.probabilities(texts) >= self.thresholds

    def pieces(self, text: str) -> list[list[int]]:
        """Token ids of a report: its first `limit`; the first and the last `limit`; or those of every sentence."""
        room = self.limit - 2
        if self.long_reports == "sentences":
            parts = [self._ids(text[start:end])[:room] for start, end in sentence_spans(text)] or [[]]
        else:
            ids = self._ids(text)
            parts = [ids[:room]]
            if self.long_reports == "windows" and len(ids) > room:
                parts.append(ids[-room:])
        first, last = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        return [[first, *part, last] for part in parts]

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False, truncation=False, verbose=False)["input_ids"])

    def padded(self, rows: Sequence[Sequence[int]]) -> dict[str, torch.Tensor]:
        """Tensors (rows, longest) of ids and mask on the model's device."""
        longest, pad = max(map(len, rows)), self.tokenizer.pad_token_id or 0
        ids = torch.tensor([[*row, *[pad] * (longest - len(row))] for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        device = next(self.model.parameters()).device
        return {"input_ids": ids.to(device), "attention_mask": mask.to(device)}

    def save(self, folder: Path) -> None:
        """Weights, tokenizer and thresholds in one folder, whole or not at all."""
        from groundglass.io.atomic import write_json_atomic

        folder.mkdir(parents=True, exist_ok=True)
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        card = {
            "labels": self.labels,
            "thresholds": self.thresholds.tolist(),
            "limit": self.limit,
            "long_reports": self.long_reports,
        }
        write_json_atomic(folder / _CARD, card)


def load_report_classifier(folder: Path) -> ReportClassifier:
    """A classifier that `save` wrote. Raises InputError when the folder holds none."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    if not (folder / _CARD).is_file():
        raise InputError(folder, f"holds no {_CARD}", "Name a folder that `ReportClassifier.save` wrote.")
    card = json.loads((folder / _CARD).read_text(encoding="utf-8"))
    model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return ReportClassifier(
        model, tokenizer, tuple(card["labels"]), np.array(card["thresholds"]), card["limit"], card["long_reports"]
    )


def new_report_classifier(
    encoder: str | Path, labels: Sequence[str], *, limit: int = 512, long_reports: LongReports = "truncate"
) -> ReportClassifier:
    """An untrained head on an encoder: a name of Hugging Face or a local folder.

    Raises ConfigurationError when the encoder cannot be had (offline, or a tokenizer's dictionary is missing).
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(encoder)
        model = AutoModelForSequenceClassification.from_pretrained(
            encoder, num_labels=len(labels), problem_type="multi_label_classification"
        )
    except (OSError, ImportError, ValueError) as error:
        raise ConfigurationError(
            encoder, f"is no encoder that can be loaded ({error})", "Name a local folder."
        ) from error
    limit = min(limit, getattr(model.config, "max_position_embeddings", limit))
    return ReportClassifier(model, tokenizer, tuple(labels), np.full(len(labels), 0.5), limit, long_reports)


def train_report_classifier(
    classifier: ReportClassifier,
    texts: Sequence[str],
    truth: NDArray[np.bool_],
    *,
    folder: Path,
    groups: Sequence[Hashable] | None = None,
    epochs: int = 4,
    batch: int = 8,
    learning_rate: float = 2e-5,
    held_out: float = 0.2,
    class_thresholds: bool = True,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> ReportClassifier:
    """Train in place on (reports, labels) and return the classifier with the weights of its best epoch.

    Equal texts are used once. `groups` (patients) never stand on both sides of the split. The validation part sets the
    best epoch and, where `class_thresholds`, the thresholds; a class without positives there keeps 0.5.
    """
    if len(texts) != len(truth):
        raise InputError("training reports", f"{len(texts)} texts with {len(truth)} rows of labels", "Give one each.")
    first = {text: i for i, text in reversed(list(enumerate(texts)))}
    kept = sorted(first.values())
    own = [groups[i] for i in kept] if groups is not None else list(range(len(kept)))
    train_rows, val_rows = _split([kept[i] for i in range(len(kept))], own, held_out, seed)
    stream = _Batches(classifier, [texts[i] for i in train_rows], truth[train_rows], batch, seed)
    steps = epochs * len(stream)
    val_texts, val_truth = [texts[i] for i in val_rows], truth[val_rows]
    best: dict[str, Any] = {"loss": float("inf"), "weights": None}

    def validate(model: torch.nn.Module) -> dict[str, float]:
        loss = _cross_entropy(val_truth, classifier.probabilities(val_texts))
        if loss < best["loss"]:
            best.update(loss=loss, weights={k: v.detach().clone() for k, v in model.state_dict().items()})
        return {"validation loss": loss}

    plan = Plan(
        steps, learning_rate, weight_decay=0.01, warmup=max(1, steps // 20), validate_every=len(stream),
        checkpoint_every=steps, seed=seed,
    )  # fmt: skip
    train(classifier.model, stream, _objective, plan, folder=folder, validate=validate, progress=progress)
    if best["weights"] is not None:
        classifier.model.load_state_dict(best["weights"])
    if class_thresholds:
        classifier.thresholds = f1_thresholds(val_truth, classifier.probabilities(val_texts))
    return classifier


def f1_thresholds(truth: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Per column the threshold with the highest F1, midway between the scores around it; 0.5 without positives."""
    found = np.full(truth.shape[1], 0.5)
    for column in range(truth.shape[1]):
        labels, scores = truth[:, column], probabilities[:, column]
        if not labels.any():
            continue
        order = np.argsort(-scores, kind="stable")
        ranked, hits = scores[order], np.cumsum(labels[order])
        f1 = 2 * hits / (np.arange(1, len(hits) + 1) + labels.sum())
        f1[:-1][ranked[:-1] == ranked[1:]] = -1  # equal scores cannot be parted
        at = int(np.argmax(f1))
        found[column] = (ranked[at] + ranked[at + 1]) / 2 if at + 1 < len(ranked) else ranked[at] / 2
    return found


class _Batches:
    """Batches of pieces of reports, drawn anew in every epoch; a piece carries its report's labels."""

    def __init__(
        self, owner: ReportClassifier, texts: Sequence[str], truth: NDArray[np.bool_], size: int, seed: int
    ) -> None:
        self.owner, self.size, self.seed, self.epoch = owner, size, seed, 0
        self.rows = [(ids, truth[i]) for i, text in enumerate(texts) for ids in owner.pieces(text)]

    def __len__(self) -> int:
        return max(1, len(self.rows) // self.size)

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.rows))
        self.epoch += 1
        for start in range(0, len(self) * self.size, self.size):
            part = [self.rows[i] for i in order[start : start + self.size]]
            labels = torch.tensor(np.array([row for _, row in part]), dtype=torch.float32)
            yield {**self.owner.padded([ids for ids, _ in part]), "labels": labels}


def _objective(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, batch["labels"])


def _cross_entropy(truth: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> float:
    p = np.clip(probabilities, 1e-7, 1 - 1e-7)
    return float(-np.where(truth, np.log(p), np.log1p(-p)).mean())


def _split(rows: Sequence[int], groups: Iterable[Hashable], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Rows for training and for validation; a group lies on one side."""
    of = list(groups)
    names = list(dict.fromkeys(of))
    order = np.random.default_rng(seed).permutation(len(names))
    held = {names[i] for i in order[: max(1, round(share * len(names)))]}
    inside = [row for row, group in zip(rows, of, strict=True) if group not in held]
    outside = [row for row, group in zip(rows, of, strict=True) if group in held]
    if not inside or not outside:
        raise InputError("training reports", "cannot be split into two parts by their groups", "Give more reports.")
    return inside, outside
