"""BioViL and CXR-BERT (arXiv 2204.09817), the text side: sections that match, sentences in random order, one encoder.

Built are the pairs of findings and impression, batches without equal texts, random order and sampling of sentences
(`groundglass.text.matching`), the contrastive loss of two views, the projection head of the released model and phase II
of the recipe, masked words with radiology section matching (`groundglass.learn.section_matching`). What differs: the
encoder of the proof is a small ModernBERT with random weights and a vocabulary of its own words, both sections of a
report are wordings of one plan by a grammar, and the weight and temperature of the matching are those that a run of
minutes needs (1 and 0.1; the paper's 0.1 and 0.5 are the defaults). Entailment is asked without any further training:
is the entailed sentence nearer than the contradicting one? Not built: the image encoder, joint training, grounding and
zero-shot classification (checks 2, 4, 5 and the image half of check 1). Not run: the count of tokens against general
BERT's vocabulary, which is not at hand, and any real report.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from groundglass.classification import tiny_bert
from groundglass.learn.objectives.contrastive import contrastive
from groundglass.learn.section_matching import SectionMatcher, new_section_matcher, train_section_matching
from groundglass.metrics.detection import contrast_to_noise
from groundglass.metrics.reports.planted import random_plan, verbalise
from groundglass.metrics.reports.planted.entailment import Entailment, entailments
from groundglass.metrics.statistics import wilson
from groundglass.systems.proof import Claim, Proof
from groundglass.text.matching import SectionPair, distinct_batches, section_pairs, shuffled

ENTRY = "groundglass.text.matching; groundglass.learn.section_matching.train_section_matching"

_SEED = 74
_REPORTS = 6000
_TRIPLES = 600
_STEPS = 800


def prove(workdir: Path, data: Path | None) -> Proof:
    """Card 74's check 3 and the exact parts of check 1 that need no image, and a red row for the rest."""
    return Proof(
        74,
        (*_exactness(np.random.default_rng(_SEED)), *_pairs(), *_entailment(workdir), _unrun()),
        seeds=(_SEED,),
        notes=(
            "text side only; reports and entailment come from one grammar, whose words are those of training and test: "
            "the figures are an upper bound",
            "the encoder is reduced: 4 layers of width 96, 800 steps of 32 reports each, from random weights",
            "masked language modelling alone has no trained projection: it is judged by the better of its first token "
            "and the mean of its tokens",
        ),
    )


def _exactness(rng: np.random.Generator) -> list[Claim]:
    """The matching loss against its definition; contrast to noise against its closed form."""
    worst = 0.0
    for size in (2, 5, 17):
        first, second = rng.normal(size=(2, size, 8))
        mine = contrastive(torch.from_numpy(first), torch.from_numpy(second), temperature=0.5)
        worst = max(worst, abs(float(mine) - _by_definition(first, second, 0.5)))
    # Two regions with means 3 and 1 and standard deviations 1 and 2: |3 - 1| / sqrt(1 + 4).
    half = rng.normal(size=(200, 400))
    half = (half - half.mean()) / half.std()
    values = np.concatenate([3 + half, 1 + 2 * half])
    ratio = contrast_to_noise(values, np.arange(400)[:, None] < np.full(400, 200))
    off = abs(ratio - 2 / np.sqrt(5))
    return [
        Claim("section matching and its definition, largest difference", worst, "<= 1e-10", worst <= 1e-10),
        Claim("contrast to noise and its closed form, difference", off, "<= 1e-6", off <= 1e-6),
    ]


def _by_definition(first: np.ndarray, second: np.ndarray, temperature: float) -> float:  # type: ignore[type-arg]
    """1/2 mean of -log softmax(f.i / tau) at the own partner, both ways, term by term."""
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (first, second)]
    total = 0.0
    for ours, theirs in (unit, unit[::-1]):
        for i, vector in enumerate(ours):
            scores = [float(vector @ other) / temperature for other in theirs]
            total -= scores[i] - np.log(sum(np.exp(score) for score in scores))
    return total / (2 * len(first))


def _pairs() -> list[Claim]:
    """Sections, batches and sentences of written-out reports against the plans that they were written from."""
    rng = np.random.default_rng([_SEED, 1])
    made = _wordings(300, rng)
    reports = [f"INDICATION: Cough.\nFINDINGS:\n{p.findings}\nIMPRESSION: {p.impression}\n" for p in made]
    read = list(section_pairs(reports))
    wrong = sum(one[:2] != other[:2] for one, other in zip(read, made, strict=True))
    # Every third impression is the same sentence, as it is in archives.
    common = [p._replace(impression="No acute process.") if i % 3 == 0 else p for i, p in enumerate(made)]
    twins = 0
    for batch in distinct_batches(common, 32, rng):
        twins += len(batch) - len({pair.impression for pair in batch})
    lost = sum(sorted(shuffled(p.findings, rng).split()) != sorted(p.findings.split()) for p in made)
    return [
        Claim("pairs whose sections are read wrongly", float(wrong), "0", wrong == 0, simulated=True),
        Claim("texts that stand twice in a batch", float(twins), "0", twins == 0, simulated=True),
        Claim("texts that lose a word in another order", float(lost), "0", lost == 0, simulated=True),
    ]


def _wordings(count: int, rng: np.random.Generator) -> list[SectionPair]:
    plans = [random_plan(rng, present=3, absent=2) for _ in range(count)]
    return [SectionPair(verbalise(plan, rng), verbalise(plan, rng), i) for i, plan in enumerate(plans)]


def _entailment(workdir: Path) -> list[Claim]:
    rng = np.random.default_rng([_SEED, 2])
    pairs = _wordings(_REPORTS, rng)
    asked = list(entailments(rng, _TRIPLES))
    words_only, matched = (_trained(workdir / name, pairs, weight) for name, weight in (("words", 0.0), ("both", 1.0)))
    ours = _answers(matched.vectors(_sentences(asked)))
    pooled = {name: _answers(vectors) for name, vectors in _unprojected(words_only, _sentences(asked)).items()}
    best = max(pooled, key=lambda name: pooled[name].mean())
    score, baseline = float(ours.mean()), float(pooled[best].mean())
    interval = wilson(int(ours.sum()), len(ours))
    kinds = np.array([triple.by for triple in asked])
    detail: dict[str, float | int | str] = {
        **{f"matching, {kind}": float(ours[kinds == kind].mean()) for kind in ("negation", "side")},
        **{f"words only, {kind}": float(pooled[best][kinds == kind].mean()) for kind in ("negation", "side")},
        "words only, judged by": best,
        "triples": _TRIPLES,
    }
    gain = score - baseline
    return [
        Claim(
            "entailment: matching and shuffling above masked words alone, accuracy",
            gain,
            ">= 0.05",
            gain >= 0.05,
            baseline=baseline,
            simulated=True,
            detail={"accuracy": score, "low": interval.low, "high": interval.high, **detail},
        )
    ]


def _trained(folder: Path, pairs: Sequence[SectionPair], weight: float) -> SectionMatcher:
    texts = [text for pair in pairs for text in pair[:2]]
    encoder = tiny_bert(folder / "encoder", texts, width=96, words=2000, limit=256, seed=_SEED)
    matcher = new_section_matcher(encoder, size=64, limit=256, seed=_SEED)
    return train_section_matching(
        matcher,
        pairs,
        folder=folder / "run",
        steps=_STEPS,
        learning_rate=1e-3,
        weight=weight,
        temperature=0.1,
        shuffle=weight > 0,
        seed=_SEED,
    )


def _sentences(asked: Sequence[Entailment]) -> list[str]:
    return [text for triple in asked for text in triple[:3]]


def _answers(vectors: torch.Tensor) -> np.ndarray:  # type: ignore[type-arg]
    """For each triple whether the entailed sentence is nearer than the contradicting one."""
    premise, entailed, contradicted = vectors.reshape(-1, 3, vectors.shape[1]).unbind(1)
    return np.asarray((premise * entailed).sum(1) > (premise * contradicted).sum(1))


def _unprojected(matcher: SectionMatcher, texts: Sequence[str]) -> dict[str, torch.Tensor]:
    """First token and mean of all tokens of the last layer, each of length 1."""
    given = matcher.tokens(texts)
    matcher.model.eval()
    with torch.no_grad():
        hidden = matcher.model(**given, output_hidden_states=True).hidden_states[-1]
    held = given["attention_mask"][..., None]
    found = {"first token": hidden[:, 0], "mean of tokens": (hidden * held).sum(1) / held.sum(1)}
    return {name: torch.nn.functional.normalize(vectors, dim=1) for name, vectors in found.items()}


def _unrun() -> Claim:
    """A red row for what is not built, so that the record does not read as if all of the system were."""
    required = "5 (no image encoder: checks 1 by half, 2, 4 and 5; check 3 without the count of tokens)"
    return Claim("checks of the card that are run in full", 0.0, required, False)
