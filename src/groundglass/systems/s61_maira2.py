"""System 61, MAIRA-2 and RadFact (arXiv 2406.04449): reports judged phrase by phrase, in words and in place.

Built here is the metric RadFact: logical, grounding and spatial precision and recall with any judge of entailment
(`groundglass.metrics.judge`): the rule judge on the report reader, or a language model behind an OpenAI-compatible
address.
The report model, its box tokens and their codec are not built.

What differs from the release: evidence is given by number instead of by quotation; a question without an answer counts
in no fraction (there: not entailed) and more than 1 % of them void a run; F1 is 0, not undefined, where precision and
recall are 0. The proof compares with a brute-force reading of the definition on made-up reports (simulation) whose
truth is known from their plans.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from groundglass.metrics.judge import Corners, EndpointJudge, Phrase
from groundglass.metrics.reports import RuleJudge, judge_service, mean_radfact, radfact_of_reports
from groundglass.metrics.reports.box_overlap import GRID
from groundglass.metrics.reports.planted import (
    PlannedFinding,
    ReportPlan,
    denial_sentence,
    finding_sentence,
    mixed,
    plans_with_room,
    plant,
    verbalise,
)
from groundglass.metrics.reports.radfact import FRACTIONS, RadFactScore, radfact
from groundglass.systems.proof import Claim, Proof
from groundglass.text import read_findings

ENTRY = "groundglass compare reports; groundglass.metrics.reports.radfact (metric part only)"

_SEED = 61
_PAIRS = 300
_SERVED = 20


@dataclass(frozen=True, slots=True)
class Side:
    """One report: its plan, and its phrases in the order of the plan (findings, then denials)."""

    plan: ReportPlan
    phrases: tuple[Phrase, ...]


def prove(workdir: Path, data: Path | None) -> Proof:
    """Card 61's checks of the metric: brute-force truth, its algebra, narrative reports, a served judge, failures."""
    rng = np.random.default_rng(_SEED)
    judge = RuleJudge(read_findings, "groundglass.text")
    pairs = [_pair(plan, rng) for plan in plans_with_room(_PAIRS, rng)]
    claims = [
        *_truth(pairs, judge),
        *_algebra(pairs, judge),
        _narrative(pairs, judge, rng),
        *_served(pairs, judge, workdir),
    ]
    return Proof(
        61,
        tuple(claims),
        seeds=(_SEED,),
        notes=(
            "Metric part only: the grounded report model, its box tokens and codec, and its simulated training are "
            "not built and not claimed.",
            f"Judge: {judge.name}. Reports and boxes are made by a generator; the released metric was not run beside "
            "this one, its definition was read and written a second time by brute force.",
            "Spatial entailment is precision only, as published: a tiny box inside the evidence passes. "
            "`JudgedPhrase.overlap` holds recall and IoU of the boxes as well.",
        ),
    )


def _pair(plan: ReportPlan, rng: np.random.Generator) -> tuple[Side, Side]:
    """A reference and a candidate with 0 to 6 errors; boxes of true findings are kept, moved or left out."""
    planted = plant(plan, mixed(int(rng.integers(0, 7)), rng), rng)
    boxes = {finding.kind.name: _boxes(rng) for finding in plan.present}
    moved = {name: there if rng.random() < 0.6 else _boxes(rng) for name, there in boxes.items()}
    return _side(planted.candidate, moved, rng), _side(planted.reference, boxes, rng)


def _side(plan: ReportPlan, boxes: dict[str, tuple[Corners, ...]], rng: np.random.Generator) -> Side:
    stated = [Phrase(finding_sentence(f, rng), boxes.get(f.kind.name, ())) for f in plan.present]
    denied = [Phrase(denial_sentence([kind], rng)) for kind in plan.absent]
    return Side(plan, (*stated, *denied))


def _boxes(rng: np.random.Generator) -> tuple[Corners, ...]:
    boxes = []
    for _ in range(int(rng.integers(0, 3))):
        x, y = rng.uniform(0, 0.7, 2)
        boxes.append((float(x), float(y), float(x + rng.uniform(0.05, 0.3)), float(y + rng.uniform(0.05, 0.3))))
    return tuple(boxes)


def true_score(candidate: Side, reference: Side) -> RadFactScore:
    """The six fractions from the plans: details compared one by one, pixels counted one by one."""
    precision, recall = _true_fractions(candidate, reference), _true_fractions(reference, candidate)
    return RadFactScore(
        precision[0], recall[0], precision[1], recall[1], precision[2], recall[2],
        (len(candidate.phrases), len(reference.phrases)),
    )  # fmt: skip


def _true_fractions(hypotheses: Side, premises: Side) -> tuple[float, float, float]:
    entailed = boxed = entailed_boxed = placed = 0
    names = [kind.name for kind in premises.plan.absent]
    for finding, phrase in zip(hypotheses.plan.present, hypotheses.phrases, strict=False):
        at = next((i for i, other in enumerate(premises.plan.present) if _is_said(finding, other)), None)
        entailed += at is not None
        boxed += bool(phrase.boxes)
        if phrase.boxes and at is not None:
            entailed_boxed += 1
            mine, theirs = _pixels(phrase.boxes), _pixels(premises.phrases[at].boxes)
            placed += bool(mine) and len(mine & theirs) / len(mine) > 0.5
    entailed += sum(kind.name in names for kind in hypotheses.plan.absent)
    parts = ((entailed, len(hypotheses.phrases)), (placed, entailed_boxed), (placed, boxed))
    return tuple(a / b if b else math.nan for a, b in parts)  # type: ignore[return-value]


def _is_said(finding: PlannedFinding, other: PlannedFinding) -> bool:
    same = ("side", "place", "grade", "size_mm")
    return (
        finding.kind.name == other.kind.name
        and all(getattr(finding, name) == getattr(other, name) for name in same)
        and finding.course in (None, other.course)
    )


def _pixels(boxes: Sequence[Corners]) -> set[tuple[int, int]]:
    return {
        (x, y)
        for x0, y0, x1, y1 in boxes
        for x in range(int(x0 * GRID), int(x1 * GRID))
        for y in range(int(y0 * GRID), int(y1 * GRID))
    }


def _truth(pairs: Sequence[tuple[Side, Side]], judge: RuleJudge) -> list[Claim]:
    scores = [radfact(candidate.phrases, reference.phrases, judge).score for candidate, reference in pairs]
    truth = [true_score(*pair) for pair in pairs]
    same = [_gap(a, b) == 0 for a, b in zip(scores, truth, strict=True)]
    mean, true_mean = mean_radfact(scores), mean_radfact(truth)
    return [
        Claim(
            f"{_PAIRS} grounded report pairs: share whose six fractions equal the brute-force truth",
            float(np.mean(same)),
            "1",
            all(same),
            simulated=True,
            detail={name: f"{getattr(mean, name):.4f} (truth {getattr(true_mean, name):.4f})" for name in FRACTIONS},
        )
    ]


def _gap(a: RadFactScore, b: RadFactScore) -> float:
    """Largest difference of the six fractions; two undefined ones agree, one alone does not."""
    gaps = [(getattr(a, name), getattr(b, name)) for name in FRACTIONS]
    return max(0.0 if math.isnan(x) and math.isnan(y) else _known(abs(x - y)) for x, y in gaps)


def _known(gap: float) -> float:
    return math.inf if math.isnan(gap) else gap


def _algebra(pairs: Sequence[tuple[Side, Side]], judge: RuleJudge) -> list[Claim]:
    lowest, swapped, added = 1.0, 0.0, 0.0
    for candidate, reference in pairs:
        same = radfact(reference.phrases, reference.phrases, judge).score
        lowest = min(lowest, *(getattr(same, n) for n in FRACTIONS if not math.isnan(getattr(same, n))))
        there = radfact(candidate.phrases, reference.phrases, judge).score
        back = radfact(reference.phrases, candidate.phrases, judge).score
        mirrored = RadFactScore(
            back.logical_recall, back.logical_precision, back.grounding_recall, back.grounding_precision,
            back.spatial_recall, back.spatial_precision, back.phrases,
        )  # fmt: skip
        swapped = max(swapped, _gap(there, mirrored))
        false = Phrase("There is an intra-aortic balloon pump.")
        more = radfact((*reference.phrases, false), reference.phrases, judge).score
        count = len(reference.phrases)
        added = max(added, abs(more.logical_precision - count / (count + 1)))
    return [
        Claim("identical reports: lowest of the six fractions", lowest, "1", lowest == 1, simulated=True),
        Claim(
            "swapping candidate and reference swaps precision and recall: largest difference",
            swapped,
            "0",
            swapped == 0,
            simulated=True,
        ),
        Claim(
            "one false sentence beside n true ones: largest difference of logical precision from n/(n+1)",
            added,
            "<= 1e-12",
            added <= 1e-12,
            simulated=True,
        ),
    ]


def _narrative(pairs: Sequence[tuple[Side, Side]], judge: RuleJudge, rng: np.random.Generator) -> Claim:
    """The same plans as running text in any order, denials joined; the judge splits them."""
    gaps = []
    for candidate, reference in pairs:
        score = radfact_of_reports(verbalise(candidate.plan, rng), verbalise(reference.plan, rng), judge).score
        truth = true_score(candidate, reference)
        gaps.append(abs(score.logical_f1 - truth.logical_f1))
    share = float(np.mean([gap < 1e-9 for gap in gaps]))
    return Claim(
        "narrative reports, split by the judge: share whose logical F1 equals the truth of the plans",
        share,
        ">= 0.98",
        share >= 0.98,
        simulated=True,
        detail={"largest difference": max(gaps)},
    )


def _served(pairs: Sequence[tuple[Side, Side]], judge: RuleJudge, workdir: Path) -> list[Claim]:
    """The same judge behind an OpenAI-compatible server on this machine; then its transcripts without it."""
    workdir.mkdir(parents=True, exist_ok=True)
    store = workdir / "transcripts.sqlite"
    store.unlink(missing_ok=True)
    few = pairs[:_SERVED]
    ours = [radfact(candidate.phrases, reference.phrases, judge).score for candidate, reference in few]
    with judge_service(judge) as address:
        endpoint = EndpointJudge.at(address, "rules", store=store, attempts=1)
        served = [radfact(candidate.phrases, reference.phrases, endpoint).score for candidate, reference in few]
        requests = endpoint.usage.requests
    recorded = EndpointJudge.recorded("rules", store)
    replayed = [radfact(candidate.phrases, reference.phrases, recorded).score for candidate, reference in few]
    worst = max(max(_gap(a, b), _gap(a, c)) for a, b, c in zip(ours, served, replayed, strict=True))
    candidate, reference = pairs[_SERVED]
    unknown = radfact(candidate.phrases, reference.phrases, recorded).score
    return [
        Claim(
            "RadFact by the judge served over HTTP, and from its transcripts: largest difference of a fraction",
            worst,
            "0",
            worst == 0,
            simulated=True,
            detail={"reports": _SERVED, "requests": requests},
        ),
        Claim(
            "questions without an answer: share counted as failures, and the run is void",
            unknown.failures / sum(unknown.phrases),
            "1, no fraction made of them",
            unknown.failures == sum(unknown.phrases) and unknown.is_void and math.isnan(unknown.logical_precision),
            baseline=0.0,
            simulated=True,
        ),
    ]
