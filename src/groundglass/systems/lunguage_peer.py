"""LunguageScore beside the package of its authors, on tables of planted patients."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import numpy as np

from groundglass.metrics.reports import (
    ExactEncoder,
    LunguageRow,
    LunguageScore,
    lunguage_score,
    lunguage_sequence_score,
)
from groundglass.systems.peer_program import asked
from groundglass.systems.proof import Claim
from groundglass.text.timeline import Row, patient_timeline
from groundglass.text.timeline.planted import planted_patient

_PATIENTS = 30
_SEED = 770


def package_agreement(workdir: Path) -> Claim:
    """Largest difference of F1, precision and recall, by the encoder that knows only equal words; single and in
    sequence.

    With such an encoder many assignments are equally good, and which of them the Hungarian method finds changes what is
    left over, and so the score, there and here. Rows are therefore given in the package's own order, references first;
    what another order changes is in the detail.
    """
    name = "largest difference to the authors' package, words by equality"
    python = os.environ.get("GROUNDGLASS_LUNGUAGE_PYTHON")
    if not python:
        return Claim(name, 0.0, "not run: GROUNDGLASS_LUNGUAGE_PYTHON is not set", False)
    rng = np.random.default_rng(_SEED)
    tables = [score_rows(patient_timeline(planted_patient(rng).reports).rows) for _ in range(_PATIENTS)]
    cases = [(mode, one, other) for one, other in pairwise(tables) for mode in ("single", "sequential")]
    given = [
        {"mode": mode, "candidate": [_plain(row) for row in one], "reference": [_plain(row) for row in other]}
        for mode, one, other in cases
    ]
    theirs = asked(python, "lunguage_package", given, workdir)
    ours = [_scored(mode, _in_their_order(other, mode), _in_their_order(one, mode)) for mode, one, other in cases]
    worst = float(np.abs(np.array([(s.f1, s.recall, s.precision) for s in ours]) - np.array(theirs)).max())
    turned = [
        abs(_scored(mode, one, other).f1 - score.f1) for (mode, one, other), score in zip(cases, ours, strict=True)
    ]
    detail: dict[str, float | int | str] = {
        "tables compared": len(cases),
        "mean F1": float(np.mean([score.f1 for score in ours])),
        "tables whose F1 another order of rows changes": sum(change > 1e-6 for change in turned),
        "largest such change": max(turned),
    }
    return Claim(name, worst, "<= 1e-06", worst <= 1e-6, simulated=True, detail=detail)


def _scored(mode: str, first: Sequence[LunguageRow], second: Sequence[LunguageRow]) -> LunguageScore:
    return (lunguage_score if mode == "single" else lunguage_sequence_score)(first, second, [ExactEncoder()])


def _in_their_order(rows: Sequence[LunguageRow], mode: str) -> list[LunguageRow]:
    """Study by study (in sequence), entity by entity, each at its first row."""
    keys = [(row.entity if mode == "single" else (row.sequence, row.entity)) for row in rows]
    studies = [0 if mode == "single" else row.sequence for row in rows]
    return [rows[i] for i in sorted(range(len(rows)), key=lambda i: (studies.index(studies[i]), keys.index(keys[i])))]


def score_rows(rows: Sequence[Row]) -> list[LunguageRow]:
    """Rows of a timeline as the score takes them; the entity is its concept, so that synonyms are one."""
    return [
        LunguageRow(
            row.concept,
            {
                "dx_status": "positive" if row.positive else "negative",
                "dx_certainty": "definitive" if row.definitive else "tentative",
                **row.attributes,
            },
            row.study.sequence,
            row.group,
            row.episode,
        )
        for row in rows
    ]


def _plain(row: LunguageRow) -> dict[str, object]:
    return {**asdict(row), "relations": dict(row.relations)}
