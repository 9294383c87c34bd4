"""Reports by the similarity of their words to an encoder (`--encoder`): BERTScore."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from groundglass.app.compare.report_texts import ReportPairs
from groundglass.core import ConfigurationError
from groundglass.metrics.statistics import Row

if TYPE_CHECKING:
    from groundglass.metrics.text_overlap import BertScorer

ENCODED = ("bertscore_precision", "bertscore_recall", "bertscore")


@dataclass(frozen=True, slots=True)
class Encoder:
    """`where` is a folder or a name on the model hub; `layer` the hidden states taken (0 = embeddings, -1 = last)."""

    where: str
    layer: int = -1

    @property
    def name(self) -> str:
        """For the record."""
        return f"{self.where}, {'last layer' if self.layer == -1 else f'layer {self.layer}'}, not rescaled"


def encoder_scores(pairs: ReportPairs, encoder: Encoder | None, metrics: Sequence[str]) -> list[Row]:
    """A row per report and metric. Raises ConfigurationError where there is no encoder, or it cannot be loaded."""
    asked = [metric for metric in metrics if metric in ENCODED]
    if not asked:
        return []
    if encoder is None:
        raise ConfigurationError(f"--metrics {asked[0]}", "needs an encoder", "Name it by --encoder.")
    found = _scorer(encoder).score(
        [report.text for report in pairs.candidates], [report.text for report in pairs.references]
    )
    values = {"bertscore_precision": found.precision, "bertscore_recall": found.recall, "bertscore": found.f1}
    return [
        Row(case, patient, "encoder", metric, float(values[metric][n]))
        for metric in asked
        for n, (case, patient) in enumerate(zip(pairs.cases, pairs.patients, strict=True))
    ]


@lru_cache(maxsize=1)
def _scorer(encoder: Encoder) -> BertScorer:
    """Loaded once for both predictions."""
    from groundglass.metrics.text_overlap import BertScorer

    return BertScorer(encoder.where, layer=encoder.layer)
