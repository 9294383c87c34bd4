"""`compare seg`: masks of one or many labels, as files or folders."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from groundglass.app.compare.batch import failures_of, run_all, runs_here
from groundglass.app.compare.cases import FilePair, listed, pair_files
from groundglass.app.compare.kind import Measure, Scored, Test, chosen_metrics
from groundglass.app.compare.label_names import NamedLabel
from groundglass.app.compare.mask_scores import CaseScores, MaskRules, score_case
from groundglass.app.compare.masks import is_mask_file
from groundglass.app.compare.settings import Settings
from groundglass.core import InputError
from groundglass.metrics.segmentation import METRICS, find_convention
from groundglass.metrics.statistics import Row

USUAL = ("dice", "hd95", "assd", "nsd", "avd_ml")


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Masks against masks.

    `labels` restricts and names the labels (none: those of the truths). `spacing_from` is a file, or a folder with a
    file per case, whose geometry both masks take. `convention` names the rules for empty masks and lesions, with
    the challenge's own metrics; `tolerance_mm` is that of NSD (None: the convention's).
    """

    labels: tuple[NamedLabel, ...] = ()
    spacing_from: Path | None = None
    tolerance_mm: float | None = None
    convention: str = "plain"

    @property
    def name(self) -> str:
        return "seg"

    @property
    def rules(self) -> Mapping[str, Any]:
        convention = find_convention(self.convention)
        tolerance = convention.tolerance_mm if self.tolerance_mm is None else self.tolerance_mm
        return {"convention": convention.name, "nsd tolerance": f"{tolerance:g} mm"}

    def measure(self, metric: str) -> Measure:
        known = METRICS[metric]
        return Measure(known.title, known.unit, known.higher_is_better)

    def tests(self, first: Scored, second: Scored, settings: Settings) -> Sequence[Test]:
        return ()

    def score(self, prediction: Path, truth: Path, settings: Settings) -> Scored:
        """All cases. Raises the typed errors of core where nothing can be scored, or the label sets contradict."""
        usual = USUAL if self.convention == "plain" else find_convention(self.convention).metrics
        metrics = chosen_metrics(settings.metrics, tuple(METRICS), usual)
        pairing = pair_files(prediction, truth, is_mask_file, settings)
        cases = [pair.case for pair in pairing.pairs]
        rules = MaskRules(
            self.labels,
            self._spacing_files(cases, settings),
            self.tolerance_mm,
            self.convention,
            metrics,
            threads=None if runs_here(len(cases), settings.processes) else 1,
        )
        answers = run_all(partial(score_case, rules), pairing.pairs, processes=settings.processes, title="scoring")
        failures = failures_of(cases, answers)
        scored = {pair: a for pair, a in zip(pairing.pairs, answers, strict=True) if isinstance(a, CaseScores)}
        labels = self._label_set(scored, failures, f"{prediction} and {truth}")
        rows = [row for pair, one in scored.items() if pair.case not in failures for row in _rows(pair, one, labels)]
        notes = _notes(list(scored.values()), pairing.without_truth)
        return Scored(rows, (), len(cases), pairing.missing, failures, notes)

    def _spacing_files(self, cases: Sequence[str], settings: Settings) -> Mapping[str, Path] | Path | None:
        """The file whose geometry each case takes. Raises InputError where a case has none."""
        if self.spacing_from is None or self.spacing_from.is_file():
            return self.spacing_from
        if not self.spacing_from.exists():
            raise InputError(self.spacing_from, "does not exist", "Check the path of --spacing-from.")
        found = pair_files(self.spacing_from, self.spacing_from, is_mask_file, settings).pairs
        by_case = {pair.case: pair.truth for pair in found}
        lacking = [case for case in cases if case not in by_case]
        if lacking:
            raise InputError(
                self.spacing_from, f"has no file for {listed(lacking)}", "Name a folder with a file per case."
            )
        return by_case

    def _label_set(self, scored: Mapping[FilePair, CaseScores], failures: dict[str, str], name: str) -> Collection[str]:
        """The labels to report: those given, else those of the truths.

        Without `labels`, a case whose prediction holds a label that no truth has fails (it is added to `failures`),
        and a label of the truths that no prediction has is an error, unless all predictions are empty.
        """
        if self.labels:
            return [label.name for label in self.labels]
        true = _in_order(one.truth_labels for one in scored.values())
        if find_convention(self.convention).labels == "truth":
            return true
        said = _in_order(one.prediction_labels for one in scored.values())
        if not true:
            return said
        remedy = "Name the labels to compare by --labels, for instance --labels 1=liver,2=spleen"
        for pair, one in scored.items():
            strange = [label for label in one.prediction_labels if label not in true]
            if strange:
                problem = f"predicts label {listed(strange)}, which no truth has (they have {listed(true)})"
                if len(scored) == 1:
                    raise InputError(pair.prediction or name, problem, remedy + ".")
                failures[pair.case] = f"{problem}. {remedy}."
        unseen = [label for label in true if label not in said]
        if unseen and said:
            raise InputError(name, f"label {listed(unseen)} is in the truth, but in no prediction", remedy + ".")
        return true


def _in_order(label_sets: Any) -> list[str]:
    """All labels, numbers by value."""
    found = {label for labels in label_sets for label in labels}
    return sorted(found, key=lambda label: (not label.isdigit(), int(label) if label.isdigit() else 0, label))


def _rows(pair: FilePair, scores: CaseScores, labels: Collection[str]) -> list[Row]:
    """A row per label and metric; a label that neither mask has scores what the convention says of two empty masks."""
    return [
        Row(pair.case, pair.patient, label, metric, value)
        for label in labels
        if label in scores.values or scores.absent
        for metric, value in scores.values.get(label, scores.absent).items()
    ]


def _notes(scored: Sequence[CaseScores], without_truth: Sequence[str]) -> list[str]:
    notes = []
    if without_truth:
        notes.append(f"{len(without_truth)} prediction(s) have no truth and were left out: {listed(without_truth)}")
    unknown = sum(not one.spacing_known for one in scored)
    if unknown:
        notes.append(f"{unknown} case(s) state no spacing: their distances are in pixels, not mm (see --spacing-from)")
    taken = sum(one.place_taken for one in scored)
    if taken:
        notes.append(f"{taken} case(s): only one of both masks states its place; their axes are taken to be the same")
    ignored = sorted({number for one in scored for number in one.ignored})
    if ignored:
        notes.append(
            f"label {listed([str(n) for n in ignored])} occurs, but is not among --labels: counted as background"
        )
    return notes
