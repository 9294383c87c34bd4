"""The table of the COCO caption scripts in one pass: BLEU-1 to 4, ROUGE-L and CIDEr-D on the same words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.metrics.text_overlap.bleu import CocoBleu, bleu_counts, coco_bleu_of, owners
from groundglass.metrics.text_overlap.consensus import Cider, cider_d_of, tf_idf
from groundglass.metrics.text_overlap.ngrams import count_ngrams
from groundglass.metrics.text_overlap.pairs import checked_pairs
from groundglass.metrics.text_overlap.ptb import coco_text
from groundglass.metrics.text_overlap.rouge_n_l import coco_rouge_l_of


@dataclass(frozen=True, slots=True, eq=False)
class CocoScores:
    """BLEU-1 to 4, ROUGE-L in [0, 1] and CIDEr-D in [0, 10], of the corpus and of N cases; lengths in words (N,)."""

    bleu: CocoBleu
    rouge_l: float
    rouge_l_cases: NDArray[np.float64]
    cider_d: Cider
    candidate_length: NDArray[np.int64]
    reference_length: NDArray[np.int64]


def coco_scores(
    candidates: Sequence[str],
    references: Sequence[str | Sequence[str]],
    *,
    tokenise: Callable[[str], str] = coco_text,
) -> CocoScores:
    """All scores of N cases. METEOR is not among them: see `meteor`. Raises InputError as `checked_pairs`."""
    said, truth = checked_pairs(candidates, references)
    owner = owners(truth)
    texts = [tokenise(text) for text in said] + [tokenise(text) for several in truth for text in several]
    grams = count_ngrams([text.split() for text in texts], 4)
    counts = bleu_counts(grams, owner)
    rouge_l = coco_rouge_l_of(texts, owner)
    weights = tf_idf(grams, len(said) + np.arange(len(owner)), owner)
    return CocoScores(
        coco_bleu_of(counts),
        float(rouge_l.mean()),
        rouge_l,
        cider_d_of(weights, owner),
        counts.candidate_length,
        counts.reference_length,
    )
