"""RadFact: which phrases of a report are true, complete and rightly placed (MAIRA-2, arXiv 2406.04449).

Each candidate phrase is judged against the list of reference phrases (precision) and each reference phrase against the
list of candidate phrases (recall):

- logical: entailed phrases / all phrases;
- grounding: phrases whose boxes are entailed, too / entailed phrases with boxes;
- spatial: phrases whose boxes are entailed, too / all phrases with boxes.

The boxes of an entailed phrase are entailed when more than half of their pixels lie in the boxes of its evidence. 0/0
is NaN and left out of means. A question that the judge could not answer counts in no fraction (the release takes it as
not entailed); above 1 % of such answers a run is void.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from groundglass.metrics.judge.protocol import Corners, Entailment, Judge, JudgeError, Phrase, ask_all
from groundglass.metrics.reports.box_overlap import BoxOverlap, grid_overlap

BOX_PRECISION = 0.5
VOID_ABOVE = 0.01
FRACTIONS = (
    "logical_precision",
    "logical_recall",
    "grounding_precision",
    "grounding_recall",
    "spatial_precision",
    "spatial_recall",
)

Placement = Literal["no boxes", "entailed", "not entailed"]
Overlap = Callable[[Sequence[Corners], Sequence[Corners]], BoxOverlap]


@dataclass(frozen=True, slots=True)
class JudgedPhrase:
    """A phrase, the judge's answer and the premises that it rests on; `overlap`: how its boxes lie in theirs."""

    phrase: Phrase
    entailment: Entailment
    evidence: tuple[Phrase, ...]
    placement: Placement
    overlap: BoxOverlap | None = None


@dataclass(frozen=True, slots=True)
class RadFactScore:
    """Six fractions in [0, 1] (NaN = nothing to judge), of one study or the mean of many.

    `phrases` are the candidate's and the reference's numbers, `failures` the questions without an answer.
    """

    logical_precision: float
    logical_recall: float
    grounding_precision: float
    grounding_recall: float
    spatial_precision: float
    spatial_recall: float
    phrases: tuple[int, int]
    failures: int = 0

    @property
    def logical_f1(self) -> float:
        return _harmonic(self.logical_precision, self.logical_recall)

    @property
    def grounding_f1(self) -> float:
        return _harmonic(self.grounding_precision, self.grounding_recall)

    @property
    def spatial_f1(self) -> float:
        return _harmonic(self.spatial_precision, self.spatial_recall)

    @property
    def is_void(self) -> bool:
        """True when more than 1 % of the questions had no answer: do not report such a run."""
        return self.failures > VOID_ABOVE * sum(self.phrases)


@dataclass(frozen=True, slots=True)
class RadFactResult:
    """Score of one study with every judged phrase, to be read and audited."""

    score: RadFactScore
    candidate: tuple[JudgedPhrase, ...]
    reference: tuple[JudgedPhrase, ...]


def radfact(
    candidate: Sequence[Phrase],
    reference: Sequence[Phrase],
    judge: Judge,
    *,
    overlap: Overlap = grid_overlap,
    box_precision: float = BOX_PRECISION,
) -> RadFactResult:
    """Judge the phrases of one study in both directions.

    `overlap` measures boxes (`grid_overlap` as released, `exact_overlap` without a grid); `box_precision` must be
    exceeded. Raises InputError on a malformed box.
    """
    forward, lost = _direction(candidate, reference, judge, overlap, box_precision)
    backward, also_lost = _direction(reference, candidate, judge, overlap, box_precision)
    precision, recall = _fractions(forward), _fractions(backward)
    score = RadFactScore(
        logical_precision=precision[0],
        logical_recall=recall[0],
        grounding_precision=precision[1],
        grounding_recall=recall[1],
        spatial_precision=precision[2],
        spatial_recall=recall[2],
        phrases=(len(candidate), len(reference)),
        failures=lost + also_lost,
    )
    return RadFactResult(score, forward, backward)


def radfact_of_reports(candidate: str, reference: str, judge: Judge) -> RadFactResult:
    """Narrative reports: the judge first splits them into phrases of one finding each, without boxes.

    Raises JudgeError when it cannot split one of them: without phrases there is no score.
    """
    split = [tuple(Phrase(text) for text in judge.phrases(report)) for report in (candidate, reference)]
    return radfact(split[0], split[1], judge)


def mean_radfact(scores: Sequence[RadFactScore]) -> RadFactScore:
    """Mean of each fraction over the studies in which it is defined; F1 of the mean is that of mean fractions."""
    means = {name: _mean([getattr(score, name) for score in scores]) for name in FRACTIONS}
    phrases = (sum(score.phrases[0] for score in scores), sum(score.phrases[1] for score in scores))
    return RadFactScore(**means, phrases=phrases, failures=sum(score.failures for score in scores))


def _direction(
    hypotheses: Sequence[Phrase], premises: Sequence[Phrase], judge: Judge, overlap: Overlap, box_precision: float
) -> tuple[tuple[JudgedPhrase, ...], int]:
    answers = ask_all(lambda phrase: judge.entails(phrase, premises), hypotheses, judge.parallel)
    judged = [
        _judged(phrase, answer, premises, overlap, box_precision)
        for phrase, answer in zip(hypotheses, answers, strict=True)
        if not isinstance(answer, JudgeError)
    ]
    return tuple(judged), len(hypotheses) - len(judged)


def _judged(
    phrase: Phrase, entailment: Entailment, premises: Sequence[Phrase], overlap: Overlap, box_precision: float
) -> JudgedPhrase:
    evidence = tuple(premises[index] for index in entailment.evidence)
    if not phrase.boxes:
        return JudgedPhrase(phrase, entailment, evidence, "no boxes")
    lying = overlap(phrase.boxes, [box for premise in evidence for box in premise.boxes])
    # NaN, a phrase or evidence without area, compares as False.
    inside = entailment.entailed and lying.precision > box_precision
    return JudgedPhrase(phrase, entailment, evidence, "entailed" if inside else "not entailed", lying)


def _fractions(judged: Sequence[JudgedPhrase]) -> tuple[float, float, float]:
    """Logical, grounding and spatial fraction of one direction."""
    entailed = sum(each.entailment.entailed for each in judged)
    boxed = [each for each in judged if each.placement != "no boxes"]
    placed = sum(each.placement == "entailed" for each in boxed)
    entailed_boxed = sum(each.entailment.entailed for each in boxed)
    return _ratio(entailed, len(judged)), _ratio(placed, entailed_boxed), _ratio(placed, len(boxed))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _harmonic(precision: float, recall: float) -> float:
    """NaN when either is undefined, 0 when both are 0."""
    total = precision + recall
    return 2 * precision * recall / total if total else total


def _mean(values: Sequence[float]) -> float:
    defined = [value for value in values if not math.isnan(value)]
    return math.fsum(defined) / len(defined) if defined else math.nan
