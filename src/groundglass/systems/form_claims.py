"""How a reader's forms are scored, and what batches have to do better than truncation, for the proof of system 72."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from groundglass.metrics.structured_form import FormAnswer, FormScores, form_scores
from groundglass.systems.proof import Claim
from groundglass.text.structured import Form, Template
from groundglass.text.structured.answer import well_formed
from groundglass.text.structured.planted import PlantedReport

Reader = Callable[[PlantedReport], Form]


class BatchTrial(NamedTuple):
    """Forms filled from batches (`merged`) and from what is left by truncation (`cut`): long reports and short ones."""

    merged: FormScores
    cut: FormScores
    short: FormScores
    short_cut: FormScores
    words: float


def scored(template: Template, reports: Sequence[PlantedReport], read: Reader, *, texts: bool = False) -> FormScores:
    """The reader's forms against the planted values; free-text items only where the reports plant them (`texts`)."""
    rows = []
    for number, report in enumerate(reports):
        form = read(report)
        rows += [
            FormAnswer(
                str(number),
                item.id,
                item.type,
                report.values.get(item.id, ""),
                form[item.id].value,
                form[item.id].status != "invalid" and well_formed(item, form[item.id].value),
            )
            for item in template
            if texts or item.type != "text"
        ]
    return form_scores(rows)


def batch_trial(
    template: Template,
    long_ones: Sequence[PlantedReport],
    short_ones: Sequence[PlantedReport],
    by_batches: Reader,
    by_cut: Reader,
    *,
    texts: bool = False,
) -> BatchTrial:
    """Both readers on both kinds of reports."""
    held = [scored(template, rs, read, texts=texts) for rs in (long_ones, short_ones) for read in (by_batches, by_cut)]
    return BatchTrial(*held, float(np.mean([len(report.text.split()) for report in long_ones])))


def batch_claims(reader: str, limit: int, trial: BatchTrial) -> list[Claim]:
    """Card 72's check 1: 10 points on long reports, equal within 2 points on short ones."""
    merged, cut, short, short_cut, words = trial
    gain, change = merged.filled.strict - cut.filled.strict, short.all.strict - short_cut.all.strict
    return [
        Claim(
            f"{reader}, {words:.0f} words: strict accuracy of filled items, batches above truncation at {limit}",
            gain,
            ">= 0.10",
            gain >= 0.10,
            baseline=cut.filled.strict,
            simulated=True,
            detail={
                "batches, filled": merged.filled.strict,
                "batches, all": merged.all.strict,
                "truncation, all": cut.all.strict,
                **{f"batches, {kind}, filled": held.strict for kind, held in merged.filled_by_type.items()},
                "false fills, batches": merged.false_fills,
                "answers": merged.all.answers,
            },
        ),
        Claim(
            f"{reader}, short reports: strict accuracy, batches minus truncation",
            change,
            "within 0.02",
            abs(change) <= 0.02,
            simulated=True,
            detail={"filled": short.filled.strict, "all": short.all.strict},
        ),
    ]
