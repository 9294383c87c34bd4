"""`compare reports`: words and labels shared with the reference, and what judges say of truth and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from groundglass.app.compare.cases import pair_cases, stem
from groundglass.app.compare.clinical import label_figures, label_pairs, label_tests
from groundglass.app.compare.encoder import Encoder, encoder_scores
from groundglass.app.compare.judges import Choice
from groundglass.app.compare.judging import JUDGED, disagreement, error_agreement, judge_all
from groundglass.app.compare.kind import Measure, Scored, Test, chosen_metrics
from groundglass.app.compare.report_texts import ReportPairs, ReportText, read_reports
from groundglass.app.compare.settings import Settings
from groundglass.app.compare.stated import stated_scores
from groundglass.app.compare.words import word_scores

MEASURES = {
    "bleu-1": Measure("BLEU-1"),
    "bleu-2": Measure("BLEU-2"),
    "bleu-3": Measure("BLEU-3"),
    "bleu-4": Measure("BLEU-4"),
    "rouge-1": Measure("ROUGE-1 F1"),
    "rouge-2": Measure("ROUGE-2 F1"),
    "rouge-l": Measure("ROUGE-L (COCO)"),
    "meteor": Measure("METEOR (exact, stem)"),
    "cider-d": Measure("CIDEr-D"),
    "bertscore_precision": Measure("BERTScore precision"),
    "bertscore_recall": Measure("BERTScore recall"),
    "bertscore": Measure("BERTScore F1"),
    "graph_entity_f1": Measure("entity F1"),
    "graph_relation_f1": Measure("relation F1"),
    "graph_f1": Measure("graph F1 (mean of entity and relation)"),
    "lunguage_f1": Measure("LunguageScore (character n-grams)"),
    "label_f1_micro": Measure("clinical F1, micro"),
    "label_f1_macro": Measure("clinical F1, macro"),
    "label_f1": Measure("clinical F1"),
    "radfact_precision": Measure("RadFact logical precision"),
    "radfact_recall": Measure("RadFact logical recall"),
    "radfact_f1": Measure("RadFact logical F1"),
    "grounding_precision": Measure("RadFact grounding precision"),
    "grounding_recall": Measure("RadFact grounding recall"),
    "spatial_precision": Measure("RadFact spatial precision"),
    "spatial_recall": Measure("RadFact spatial recall"),
    "errors_significant": Measure("CheXprompt significant errors", higher_is_better=False),
    "errors_all": Measure("CheXprompt errors", higher_is_better=False),
    "green": Measure("GREEN"),
}
USUAL = (
    "bleu-1", "bleu-4", "rouge-l", "meteor", "cider-d", "graph_f1", "lunguage_f1", "label_f1_micro", "label_f1_macro",
    *JUDGED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reports:
    """Reports against reference reports: by words, `encoder`, `label_sets` and `judges`. `column` holds the text."""

    judges: tuple[Choice, ...] = ()
    column: str | None = None
    label_sets: tuple[str, ...] = ("chexpert14",)
    encoder: Encoder | None = None

    @property
    def name(self) -> str:
        return "reports"

    @property
    def rules(self) -> Mapping[str, Any]:
        rules = {"words": "Penn Treebank, as the COCO caption scripts", "labels": ", ".join(self.label_sets)}
        if self.encoder:
            rules["encoder"] = self.encoder.name
        if self.judges:
            rules["judges"] = ", ".join(choice.name for choice in self.judges)
        return rules

    def measure(self, metric: str) -> Measure:
        return MEASURES[metric]

    def tests(self, first: Scored, second: Scored, settings: Settings) -> Sequence[Test]:
        """Differences of clinical F1; what single reports have is tested by `run`."""
        wanted = self._metrics(settings)
        theirs = {labelled.set_name: labelled for labelled in second.material}
        return [
            test
            for labelled in first.material
            if labelled.set_name in theirs
            for test in label_tests(labelled, theirs[labelled.set_name], wanted, settings)
        ]

    def score(self, prediction: Path, truth: Path, settings: Settings) -> Scored:
        """All cases. Raises the typed errors of core."""
        metrics = self._metrics(settings)
        said, real = (read_reports(path, settings, column=self.column) for path in (prediction, truth))
        if len(real.cases) == 1 and list(said.cases) == [stem(prediction.name)]:  # two files, whatever their names
            said = replace(said, cases=dict(zip(real.cases, said.cases.values(), strict=True)))
        cases, missing, extra = pair_cases(said.cases, real.cases, prediction, truth, settings)
        texts = {case: said.cases.get(case, ReportText("")) for case in cases}
        pairs = ReportPairs(
            cases, [real.patients[c] for c in cases], [texts[c] for c in cases], [real.cases[c] for c in cases]
        )
        encoded = encoder_scores(pairs, self.encoder, metrics)
        rows, figures = word_scores(pairs, metrics, settings)
        rows += encoded
        found, failures = stated_scores(pairs, metrics, settings)
        rows += found
        labelled, broken = label_pairs(pairs, self.label_sets, metrics, settings)
        failures |= broken
        figures += [figure for each in labelled for figure in label_figures(each, metrics, settings)]
        notes = [f"{len(extra)} predicted report(s) have no reference and were left out"] if extra else []
        verdicts = [judge_all(pairs, choice, metrics, settings) for choice in self.judges if set(metrics) & set(JUDGED)]
        for one in verdicts:
            rows += one.rows
            failures |= one.failures
            notes += one.notes
        more: dict[str, Any] = {"judges": [one.usage for one in verdicts]}
        if len(verdicts) == 2:
            names = self.judges[0].name, self.judges[1].name
            rows += disagreement(verdicts[0].rows, verdicts[1].rows, names)
            if agreement := error_agreement(verdicts[0], verdicts[1], names, cases):
                more["disagreement"] = agreement
        return Scored(rows, figures, len(cases), tuple(missing), failures, tuple(notes), more, labelled)

    def _metrics(self, settings: Settings) -> tuple[str, ...]:
        usual = (*USUAL, "bertscore") if self.encoder else USUAL
        return chosen_metrics(settings.metrics, tuple(MEASURES), usual)
