"""Scores of many transcripts: stage rates, decision rate, stage score, consistency, all with Wilson intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from groundglass.metrics.reasoning_exam.item import STAGE_INDEX, STAGES, Stage
from groundglass.metrics.reasoning_exam.sitting import Transcript
from groundglass.metrics.statistics import Proportion, wilson

# The benchmark's own quantile.
_Z = 1.96


@dataclass(frozen=True, slots=True)
class ExamScores:
    """Scores of one agent on a set of cases along one path.

    `decision`: cases not answered "I don't know" at the start. `stages`: right / reached per stage. `binary`: final
    right / decided. `consistency`: first answer and final right / measurement right. `stage_score`: mean index of
    the last conquered stage of the decided cases, `stage_sd` its standard deviation; NaN when none was decided.
    The refined ones demand the stated value, too, and are None where no task asks for one.
    """

    cases: int
    decision: Proportion
    stages: dict[Stage, Proportion]
    binary: Proportion
    consistency: Proportion
    stage_score: float
    stage_sd: float
    refined: RefinedScores | None


@dataclass(frozen=True, slots=True)
class RefinedScores:
    """The scores in which a measurement counts only with its value: over the cases that ask for a value."""

    value: Proportion
    measurement: Proportion
    final: Proportion
    binary: Proportion
    consistency: Proportion
    stage_score: float
    stage_sd: float


def score(transcripts: Sequence[Transcript], *, with_values: Callable[[str], bool] = lambda _task: True) -> ExamScores:
    """The scores of transcripts of one path. `with_values` tells for a task whether it asks for a value."""
    first: Stage = _first_stage(transcripts)
    decided = [t for t in transcripts if not t.is_undecided]
    measured = [t for t in transcripts if t.verdict("measurement") == "true"]
    right = [t for t in transcripts if t.verdict("final") == "true"]
    conquered = [_conquered(t, refined=False) for t in decided]
    mean, sd = _moments(conquered)
    valued = [t for t in transcripts if with_values(t.task)]
    return ExamScores(
        cases=len(transcripts),
        decision=_rate(transcripts, lambda t: t.verdict(first) != "idk"),
        stages={stage: _stage_rate(transcripts, stage) for stage in STAGES if _was_asked(transcripts, stage)},
        binary=_part(right, decided),
        consistency=wilson(sum(t.verdict(first) == "true" for t in right), len(measured), z=_Z),
        stage_score=mean,
        stage_sd=sd,
        refined=_refined(valued, first) if valued else None,
    )


def ranked(scores: Mapping[str, ExamScores]) -> tuple[str, ...]:
    """Agents from best to worst by the adjusted Wilson score of the whole chain; who decided nothing comes last."""
    return tuple(sorted(scores, key=lambda name: (not scores[name].binary.trials, -_adjusted(scores[name]))))


def _adjusted(scores: ExamScores) -> float:
    return scores.binary.adjusted if scores.binary.trials else 0.0


def _refined(transcripts: Sequence[Transcript], first: Stage) -> RefinedScores:
    decided = [t for t in transcripts if not t.is_undecided]
    placed = [t for t in transcripts if t.verdict("bodypart") == "true"]
    measured = [t for t in transcripts if t.verdict("measurement") == "true"]
    valued = [t for t in transcripts if t.value_right]
    right = [t for t in valued if t.verdict("final") == "true"]
    mean, sd = _moments([_conquered(t, refined=True) for t in decided])
    return RefinedScores(
        value=_part(valued, measured),
        measurement=_part(valued, placed),
        final=_part(right, valued),
        binary=_part(right, decided),
        consistency=wilson(sum(t.verdict(first) == "true" for t in right), len(valued), z=_Z),
        stage_score=mean,
        stage_sd=sd,
    )


def _first_stage(transcripts: Sequence[Transcript]) -> Stage:
    """`init`, but the guided path starts with the body part."""
    return next((turn.item.stage for t in transcripts for turn in t.turns), "init")


def _conquered(transcript: Transcript, *, refined: bool) -> int:
    """What the last stage answered rightly counts; with `refined`, a measurement without its value is not one."""
    last = 0
    for stage, index in STAGE_INDEX[transcript.turns[0].item.path].items():
        if transcript.verdict(stage) != "true":
            break
        if refined and stage == "measurement" and not transcript.value_right:
            break
        last = index
    return last


def _stage_rate(transcripts: Iterable[Transcript], stage: Stage) -> Proportion:
    verdicts = [t.verdict(stage) for t in transcripts]
    reached = [verdict for verdict in verdicts if verdict is not None]
    return wilson(reached.count("true"), len(reached), z=_Z)


def _was_asked(transcripts: Iterable[Transcript], stage: Stage) -> bool:
    return any(t.verdict(stage) is not None for t in transcripts)


def _rate(transcripts: Sequence[Transcript], holds: Callable[[Transcript], bool]) -> Proportion:
    return wilson(sum(holds(t) for t in transcripts), len(transcripts), z=_Z)


def _part(part: Sequence[Transcript], whole: Sequence[Transcript]) -> Proportion:
    return wilson(len(part), len(whole), z=_Z)


def _moments(values: Sequence[int]) -> tuple[float, float]:
    if not values:
        return math.nan, math.nan
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))
