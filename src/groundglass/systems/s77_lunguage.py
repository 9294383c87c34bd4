"""Lunguage (arXiv 2505.21190): reports of one patient as rows over time, and the score that compares such tables.

Text becomes rows (entity, status, certainty, attributes, links) by the rules of the text room, rows become entity
groups and episodes (`groundglass.text.timeline`), and LunguageScore compares tables (`groundglass.metrics.reports`).
What differs from the paper: no language model structures or groups (the rule backend does both), so attributes are in
normal words instead of verbatim spans; group names are made by rule; "stable" is `no change`; the two similarity
encoders are character n-grams and equality (the paper: BioLORD-2023 and MedCPT). Not built: structuring by a language
model with its validator and repair loop, a loader of the released tables, the comparison with ReXVal. All data of the
proof is made up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from groundglass.io.atomic import write_text_atomic
from groundglass.metrics.reports import (
    CharacterEncoder,
    ExactEncoder,
    LunguageRow,
    lunguage_score,
    lunguage_sequence_score,
)
from groundglass.metrics.reports.planted import (
    PlannedFinding,
    ReportPlan,
    denial_sentence,
    finding_sentence,
    random_plan,
)
from groundglass.metrics.statistics import wilson
from groundglass.metrics.text_overlap import coco_bleu
from groundglass.systems.lunguage_peer import package_agreement, score_rows
from groundglass.systems.proof import Claim, Proof
from groundglass.text.timeline import DatedReport, patient_timeline, to_csv
from groundglass.text.timeline.agreement import adjusted_rand, boundary_f1, pairwise_f1
from groundglass.text.timeline.planted import planted_patient

ENTRY = "groundglass timeline; groundglass.text.timeline, groundglass.metrics.reports.lunguage_score"

_SEED = 77
_CASES = 300
_PATIENTS = 200
_DAYS = ("2024-01-01", "2024-02-01")
_RUNGS = ("paraphrase", "severity", "side", "polarity", "deletion")


def prove(workdir: Path, data: Path | None) -> Proof:
    """Card 77's checks: algebra of the score, the ladder of corruptions, time, grouping against known truth."""
    workdir.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(_SEED)
    write_text_atomic(workdir / "timeline.csv", to_csv(patient_timeline(planted_patient(rng).reports)))
    return Proof(
        77,
        (*_algebra(rng), package_agreement(workdir), *_ladder(), *_time(rng), *_grouping()),
        seeds=(_SEED,),
        notes=(
            "rule backend only: structuring and grouping by a language model are not built, nor the encoders BioLORD "
            "and MedCPT (character n-grams stand for them), the loader of the release, and the check against ReXVal",
            "the card's ladder is required up to its fourth rung. That a deletion scores below a denial contradicts "
            "the card's own formula: of n rows, one left out gives F1 = 2(n - 1)/(2n - 1), for it costs recall; one "
            "denied, of which a share q of its weight still matches, gives (n - 1 + q)/n, which is higher only where "
            "q > (n - 1)/(2n - 1). A denial keeps 0.1 to 0.3 of the weight of a row: the last step goes up, and its "
            "share of falls and the means stand in the detail of the ladder's row",
            "planted patients follow the rules of grouping, so that they show consistency, not how people write",
        ),
    )


def _tables(rng: np.random.Generator, count: int) -> list[list[LunguageRow]]:
    return [score_rows(patient_timeline(planted_patient(rng).reports).rows) for _ in range(count)]


def _algebra(rng: np.random.Generator) -> list[Claim]:
    tables = _tables(rng, 40)
    same = max(abs(lunguage_sequence_score(table, table).f1 - 1) for table in tables)
    empty = max(max(lunguage_score([], t).f1, lunguage_score(t, []).f1) for t in tables)
    pairs = list(pairwise(tables))
    whole = [lunguage_score(one, other) for one, other in pairs]
    mixed = [lunguage_score([one[i] for i in rng.permutation(len(one))], other) for one, other in pairs]
    back = [lunguage_score(other, one) for one, other in pairs]
    flips, left_out = [], []
    for n in (1, 2, 5, 9):
        rows = [LunguageRow(f"finding {i}", {"dx_status": "positive", "location": "left"}) for i in range(n)]
        flipped = [replace(rows[0], relations={"dx_status": "negative", "location": "left"}), *rows[1:]]
        # A row with only a status (0.5) and a place (0.2) keeps 0.2 of 0.7 when its status turns.
        flips.append(abs(lunguage_score(flipped, rows, [ExactEncoder()]).f1 - (n - 1 + 0.2 / 0.7) / n))
        left_out.append(abs(lunguage_score(rows[1:], rows, [ExactEncoder()]).f1 - 2 * (n - 1) / (2 * n - 1)))
    swaps = [max(abs(a.precision - b.recall), abs(a.recall - b.precision)) for a, b in zip(whole, back, strict=True)]
    return [
        _at_most("identical tables: largest distance from 1", same, 1e-9),
        _at_most("empty against filled: largest score", empty, 0.0),
        _at_most("rows permuted: largest change of F1", _largest(whole, mixed), 1e-9),
        _at_most("arguments swapped: largest difference of precision and the other's recall", max(swaps), 1e-9),
        _at_most("one of n statuses flipped: largest distance from the value by hand", max(flips), 1e-6),
        _at_most("one of n rows left out: largest distance from the value by hand", max(left_out), 1e-6),
    ]


def _largest(first: Sequence, second: Sequence) -> float:  # type: ignore[type-arg]
    return max(abs(a.f1 - b.f1) for a, b in zip(first, second, strict=True))


def _ladder() -> list[Claim]:
    """Two studies per case; the second is worded anew, or keeps its words but for one finding that is graded wrong,
    moved to the other side, denied or left out."""
    # As in the paper, the mean of two encoders; to letters alone, left and right of a long place look much alike.
    pair = (CharacterEncoder(), ExactEncoder())
    scores, spelt, bleu = [], [], []
    for case in range(_CASES):
        rng = np.random.default_rng([_SEED, case])
        plans = [_plan(rng), _plan(rng)]
        first, second = (_worded(plan, 10 * case + i) for i, plan in enumerate(plans))
        truth = _rows_of((first, second))
        texts = [
            _worded(plans[1], 10 * case + 7),
            *(_worded(_corrupted(plans[1], r), 10 * case + 1) for r in _RUNGS[1:]),
        ]
        tables = [_rows_of((first, text)) for text in texts]
        scores.append([lunguage_sequence_score(rows, truth, pair).f1 for rows in tables])
        spelt.append([lunguage_sequence_score(rows, truth).f1 for rows in tables])
        bleu.append([float(coco_bleu([text], [second]).cases[0, 3]) for text in texts])
    table, words = np.array(scores), np.array(bleu)
    falls, falls_spelt = np.diff(table, axis=1) < 0, np.diff(np.array(spelt), axis=1) < 0
    steps: dict[str, float | int | str] = {
        f"step to {rung} falls": float(falls[:, i].mean()) for i, rung in enumerate(_RUNGS[1:])
    }
    means: dict[str, float | int | str] = {
        f"mean {rung}": float(value) for rung, value in zip(_RUNGS, table.mean(axis=0), strict=True)
    }
    denied = _RUNGS.index("polarity")
    by_letters = float(np.logical_and.reduce(falls_spelt[:, :denied], axis=1).mean())
    return [
        _share(
            "scores fall from paraphrase over severity and side to polarity",
            np.logical_and.reduce(falls[:, :denied], axis=1),
            0.95,
            **{"with the encoder of letters alone": by_letters},
            **steps,
            **means,
        ),
        _share(
            "scores of every corruption lie below the paraphrase's",
            np.logical_and.reduce(table[:, 1:] < table[:, :1], axis=1),
            0.95,
        ),
        _share("BLEU puts the paraphrase below the denied finding", words[:, 0] < words[:, denied], 0.5),
    ]


def _share(name: str, holds: NDArray[np.bool_], required: float, **detail: float | int | str) -> Claim:
    """A share of cases with Wilson's interval."""
    interval = wilson(int(holds.sum()), len(holds))
    share = float(holds.mean())
    return Claim(
        f"{name}: share of cases",
        share,
        f">= {required:g}",
        share >= required,
        low=interval.low,
        high=interval.high,
        simulated=True,
        detail=dict(detail),
    )


def _worded(plan: ReportPlan, seed: int) -> str:
    """The plan in words; each finding draws its own, so that a change of one leaves the others' sentences."""
    names = [finding.kind.name for finding in plan.present]
    said = [finding_sentence(f, _draws(seed, n)) for f, n in zip(plan.present, names, strict=True)]
    return " ".join([*said, *(denial_sentence([kind], _draws(seed, kind.name)) for kind in plan.absent)])


def _draws(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, crc32(name.encode())])


def _plan(rng: np.random.Generator) -> ReportPlan:
    """A plan whose first finding has a side and a grade, so that every corruption can happen to it."""
    while True:
        plan = random_plan(rng, present=5, absent=2)
        fit = [f for f in plan.present if f.side and f.grade in ("small", "large", "mild", "severe")]
        if fit:
            return replace(plan, present=(fit[0], *(f for f in plan.present if f is not fit[0])))


def _corrupted(plan: ReportPlan, rung: str) -> ReportPlan:
    first: PlannedFinding = plan.present[0]
    rest = plan.present[1:]
    grades = {"small": "large", "large": "small", "mild": "severe", "severe": "mild"}
    if rung == "severity":
        return replace(plan, present=(replace(first, grade=grades[str(first.grade)]), *rest))
    if rung == "side":
        return replace(plan, present=(replace(first, side="left" if first.side == "right" else "right"), *rest))
    if rung == "polarity":
        return ReportPlan(rest, (*plan.absent, first.kind))
    return plan if rung == "paraphrase" else ReportPlan(rest, plan.absent)


def _rows_of(texts: Sequence[str]) -> list[LunguageRow]:
    reports = [DatedReport(f"s{i}", day, text) for i, (day, text) in enumerate(zip(_DAYS, texts, strict=True))]
    return score_rows(patient_timeline(reports).rows)


def _time(rng: np.random.Generator) -> list[Claim]:
    """The order of studies counts only in a sequence; episodes that were one are not to be two, normals are."""
    drops, changes, merged, normals = [], [], [], []
    for table in _tables(rng, 60):
        last = max(row.sequence for row in table)
        moved = [replace(row, sequence=last + 1 - row.sequence) for row in table]
        drops.append(1 - lunguage_sequence_score(moved, table).f1)
        changes.append(abs(1 - lunguage_score(moved, table).f1))
        joined = [replace(row, episode=min(row.episode, 1)) for row in table]
        if joined != table:
            merged.append(1 - lunguage_sequence_score(joined, table).f1)
        normals.append(_normals_split(table))
    return [
        _at_most("studies reversed: largest change of the scores of single reports", max(changes), 1e-9),
        Claim(
            "studies reversed: mean fall of the score of the sequence",
            float(np.mean(drops)),
            ">= 0.1",
            bool(np.mean(drops) >= 0.1),
            simulated=True,
            detail={"smallest": float(min(drops))},
        ),
        Claim(
            "two episodes made one: smallest fall of the score",
            float(min(merged)),
            "> 0",
            bool(min(merged) > 1e-6),
            simulated=True,
            detail={"patients": len(merged), "mean": float(np.mean(merged))},
        ),
        Claim(
            "groups whose normals are more than one episode",
            float(sum(normals)),
            "0, whatever the gap: to merge normals changes nothing",
            sum(normals) == 0,
            simulated=True,
        ),
    ]


def _normals_split(table: Sequence[LunguageRow]) -> int:
    episodes: dict[str, set[int]] = {}
    for row in table:
        if row.relations["dx_status"] == "negative":
            episodes.setdefault(row.group, set()).add(row.episode)
    return sum(len(held) > 1 for held in episodes.values())


def _grouping() -> list[Claim]:
    rng = np.random.default_rng(_SEED)
    figures = []
    for _ in range(_PATIENTS):
        planted = planted_patient(rng)
        rows = {(row.study.sequence - 1, row.sentence): row for row in patient_timeline(planted.reports).rows}
        count: Counter[int] = Counter()
        found = []
        for mention in planted.mentions:
            count[mention.study] += 1
            found.append(rows[mention.study, count[mention.study]])
        truth = [mention.condition for mention in planted.mentions]
        groups = [row.group for row in found]
        strings = [f"{row.side} {row.place} {row.entity.casefold()}" for row in found]
        episodes = [(row.group, row.episode) for row in found]
        known = [(mention.condition, mention.episode) for mention in planted.mentions]
        figures.append(
            (
                pairwise_f1(groups, truth),
                pairwise_f1(strings, truth),
                adjusted_rand(groups, truth),
                boundary_f1(episodes, known, truth),
                len(found),
            )
        )
    pairs, strings_f1, rand, borders, _ = np.mean(figures, axis=0)
    detail: dict[str, float | int | str] = {
        "adjusted Rand": float(rand),
        "rows": int(np.sum(figures, axis=0)[4]),
        "patients": _PATIENTS,
    }
    return [
        Claim(
            "groups, pairwise F1",
            float(pairs),
            ">= 0.95",
            bool(pairs >= 0.95),
            baseline=float(strings_f1),
            simulated=True,
            detail=detail,
        ),
        Claim(
            "groups, points above the same words for the same thing",
            float(pairs - strings_f1),
            ">= 0.15",
            bool(pairs - strings_f1 >= 0.15),
            simulated=True,
        ),
        Claim("episodes, boundary F1", float(borders), ">= 0.90", bool(borders >= 0.90), simulated=True),
    ]


def _at_most(name: str, measured: float, limit: float) -> Claim:
    return Claim(name, float(measured), f"<= {limit:g}", bool(measured <= limit), simulated=True)
