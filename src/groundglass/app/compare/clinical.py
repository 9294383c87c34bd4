"""Reports by the labels that they carry (CheXpert's, NIH's): clinical F1 of all cases together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from groundglass.app.compare.batch import Failure, run_all
from groundglass.app.compare.kind import Figure, Test
from groundglass.app.compare.report_texts import ReportPairs
from groundglass.app.compare.resampling import intervals_of_sums
from groundglass.app.compare.settings import Settings
from groundglass.core import ConfigurationError
from groundglass.metrics.reports.label_f1 import CHEXPERT_5

Floats = NDArray[np.float64]
LABELLED = ("label_f1_micro", "label_f1_macro", "label_f1")
_PARTS = {"chexpert5": ("chexpert14", CHEXPERT_5)}


@dataclass(frozen=True)
class Labelled:
    """Cases by one label set. `counts` (N, 3, L): whether both, the candidate, the reference say yes to a label."""

    set_name: str
    labels: tuple[str, ...]
    cases: tuple[str, ...]
    patients: tuple[str, ...]
    counts: Floats


def checked_label_sets(names: Sequence[str]) -> tuple[str, ...]:
    """Each name once. Raises ConfigurationError naming the sets that there are."""
    from groundglass.text import label_sets

    known = sorted({*label_sets(), *_PARTS})
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ConfigurationError(
            f"--labels {unknown[0] if unknown else ''}", "is not a label set", f"Use some of {', '.join(known)}."
        )
    return tuple(dict.fromkeys(names))


def label_pairs(
    pairs: ReportPairs, sets: Sequence[str], metrics: Sequence[str], settings: Settings
) -> tuple[list[Labelled], dict[str, str]]:
    """Every set's labels of the cases, and the cases that broke the reader with the reason."""
    if not set(metrics) & set(LABELLED):
        return [], {}
    texts = [(a.text, b.text) for a, b in zip(pairs.candidates, pairs.references, strict=True)]
    answers = run_all(partial(_counts, tuple(sets)), texts, processes=settings.processes, title="labelling")
    ids = zip(pairs.cases, pairs.patients, answers, strict=True)
    read = [(case, patient, answer) for case, patient, answer in ids if not isinstance(answer, Failure)]
    failures = {
        case: answer.reason for case, answer in zip(pairs.cases, answers, strict=True) if isinstance(answer, Failure)
    }
    if not read:
        return [], failures
    cases, patients, counts = zip(*read, strict=True)
    found = [
        Labelled(name, _labels_of(name), cases, patients, np.stack([each[n] for each in counts]))
        for n, name in enumerate(sets)
    ]
    return found, failures


def label_figures(labelled: Labelled, metrics: Sequence[str], settings: Settings) -> list[Figure]:
    """Micro and macro F1 of a set, and F1 of each of its labels, with intervals over patients."""
    found = intervals_of_sums(_f1_of(labelled.counts), _flat(labelled.counts), labelled.patients, settings)
    counts = (len(labelled.cases), len(set(labelled.patients)))
    true = labelled.counts[:, 2].sum(axis=0).astype(int)
    notes = [f"{len(labelled.labels)} labels, {np.count_nonzero(true)} in the truth"] * 2
    notes += [f"{number} positive" for number in true]
    return [
        Figure(label, metric, one.estimate, one.low, one.high, *counts, note)
        for (label, metric), one, note in zip(_lines(labelled), found, notes, strict=True)
        if metric in metrics
    ]


def label_tests(first: Labelled, second: Labelled, metrics: Sequence[str], settings: Settings) -> list[Test]:
    """Differences over the cases that both have, with intervals from the same resamples (there is no p value)."""
    places = {case: n for n, case in enumerate(second.cases)}
    ours = [n for n, case in enumerate(first.cases) if case in places]
    if not ours:
        return []
    theirs = [places[first.cases[n]] for n in ours]
    patients = [first.patients[n] for n in ours]
    both = first.counts[ours], second.counts[theirs]
    table = np.concatenate([_flat(counts) for counts in both], axis=1)
    width = table.shape[1] // 2
    here, there = (_f1_of(counts) for counts in both)
    found = intervals_of_sums(lambda sums: here(sums[:, :width]) - there(sums[:, width:]), table, patients, settings)
    counts = (len(ours), len(set(patients)), len({*first.cases, *second.cases}) - len(ours))
    return [
        Test(label, metric, *counts, one.estimate, one.low, one.high, p={}, holm={})
        for (label, metric), one in zip(_lines(first), found, strict=True)
        if metric in metrics
    ]


def _lines(labelled: Labelled) -> list[tuple[str, str]]:
    """(label, metric) of the figures in the order of `_f1_of`."""
    pooled = [(labelled.set_name, "label_f1_micro"), (labelled.set_name, "label_f1_macro")]
    return [*pooled, *((f"{labelled.set_name}: {label}", "label_f1") for label in labelled.labels)]


def _labels_of(name: str) -> tuple[str, ...]:
    """The labels that enter the means: not "No Finding", which says of itself only that no other label holds."""
    from groundglass.text import label_set

    whole, part = _PARTS.get(name, (name, None))
    return part or tuple(label for label, rule in label_set(whole).rules.items() if rule.excepted is None)


def _counts(sets: tuple[str, ...], texts: tuple[str, str]) -> list[Floats]:
    """(3, L) of one pair for each set."""
    said, true = (_positive(sets, text) for text in texts)
    return [np.stack([a & b, a, b]).astype(np.float64) for a, b in zip(said, true, strict=True)]


def _positive(sets: tuple[str, ...], text: str) -> list[NDArray[np.bool_]]:
    """Whether each label is present; a doubtful one is what the set's policy makes of it, else no."""
    from groundglass.text import label_values

    found = []
    for name in sets:
        values = label_values(text, _PARTS.get(name, (name,))[0])
        found.append(np.array([values[label] == "present" for label in _labels_of(name)]))
    return found


def _flat(counts: Floats) -> Floats:
    return counts.reshape(len(counts), -1)


def _f1_of(counts: Floats) -> Callable[[Floats], Floats]:
    """(R, 3 L) sums of cases with these `counts` to (R, 2 + L): micro, macro and each label's F1; 0 / 0 is NaN.

    A label that no text of any case has counts 0 in the macro mean, as in `clinical_f1`. One that only a resample lacks
    is left out of that resample's mean: a zero would tell how rare the label is, not how well it is found.
    """
    share = float((counts[:, 1:].sum(axis=(0, 1)) > 0).mean())

    def f1(sums: Floats) -> Floats:
        hits, said, true = np.moveaxis(sums.reshape(len(sums), 3, -1), 1, 0)
        with np.errstate(invalid="ignore"):
            each = 2 * hits / (said + true)
            micro = 2 * hits.sum(axis=1) / (said + true).sum(axis=1)
            macro = share * np.nansum(each, axis=1) / (~np.isnan(each)).sum(axis=1)
        return np.column_stack([micro, macro, each])

    return f1
