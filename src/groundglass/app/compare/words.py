"""Reports by the words that they share with the reference, per report and over the corpus."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from groundglass.app.compare.kind import Figure
from groundglass.app.compare.report_texts import ReportPairs
from groundglass.app.compare.resampling import intervals_of_sums
from groundglass.app.compare.settings import Settings
from groundglass.metrics.statistics import Row
from groundglass.metrics.text_overlap import coco_scores, coco_text, meteor, rouge
from groundglass.metrics.text_overlap.bleu import BleuCounts, bleu_counts, coco_bleu_of
from groundglass.metrics.text_overlap.ngrams import count_ngrams

WORD_METRICS = ("bleu-1", "bleu-2", "bleu-3", "bleu-4", "rouge-1", "rouge-2", "rouge-l", "meteor", "cider-d")


def word_scores(pairs: ReportPairs, metrics: Sequence[str], settings: Settings) -> tuple[list[Row], list[Figure]]:
    """A row per report and metric, and BLEU of the corpus with its interval (which is no mean over reports)."""
    asked = [metric for metric in metrics if metric in WORD_METRICS]
    if not asked:
        return [], []
    candidates = [report.text for report in pairs.candidates]
    references = [report.text for report in pairs.references]
    coco = coco_scores(candidates, references)
    values: dict[str, NDArray[np.float64]] = {f"bleu-{n}": coco.bleu.cases[:, n - 1] for n in (1, 2, 3, 4)}
    values |= {"rouge-l": coco.rouge_l_cases, "cider-d": coco.cider_d.cases}
    if "meteor" in asked:
        values["meteor"] = meteor(candidates, references).cases
    if wanted := [metric[-1] for metric in asked if metric in ("rouge-1", "rouge-2")]:
        values |= {f"rouge-{kind}": score.f1 for kind, score in rouge(candidates, references, kinds=wanted).items()}
    rows = [
        Row(case, patient, "words", metric, float(values[metric][n]))
        for metric in asked
        for n, (case, patient) in enumerate(zip(pairs.cases, pairs.patients, strict=True))
    ]
    orders = [int(metric[-1]) for metric in asked if metric.startswith("bleu")]
    return rows, _corpus_bleu(candidates, references, pairs.patients, orders, settings) if orders else []


def _corpus_bleu(
    candidates: Sequence[str],
    references: Sequence[str],
    patients: Sequence[str],
    orders: Sequence[int],
    settings: Settings,
) -> list[Figure]:
    """BLEU of all reports together: its counts are sums over reports, so a resample is a sum over patients."""
    documents = [coco_text(text).split() for text in (*candidates, *references)]
    counts = bleu_counts(count_ngrams(documents, max(orders)), np.arange(len(references)))
    table = np.column_stack([counts.matches, counts.totals, counts.candidate_length, counts.reference_length])
    found = intervals_of_sums(_bleu, table.astype(np.float64), patients, settings)
    return [
        Figure("words", f"bleu-{order}", one.estimate, one.low, one.high, len(candidates), len(set(patients)))
        for order in orders
        for one in [found[order - 1]]
    ]


def _bleu(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corpus BLEU (R, orders) of R corpora by their summed counts."""
    orders = (sums.shape[1] - 2) // 2
    whole = np.rint(sums).astype(np.int64)
    return coco_bleu_of(BleuCounts(whole[:, :orders], whole[:, orders:-2], whole[:, -2], whole[:, -1])).cases
