"""An agent sits an exam: the stages in order, each only when the one before was answered rightly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from groundglass.metrics.reasoning_exam.item import STAGES, Item, Stage
from groundglass.metrics.reasoning_exam.verdict import Judge, Verdict, grade, majority, value_is_right


@dataclass(frozen=True, slots=True)
class Turn:
    """One question, the sampled replies, and the verdict. `value_right` is None where no value was asked for."""

    item: Item
    replies: tuple[str, ...]
    verdict: Verdict
    value_right: bool | None = None


# Replies (one or several samples) to a question, given the conversation so far.
Agent = Callable[[Item, Sequence[Turn]], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was asked and answered on one case along one path."""

    task: str
    case: str
    turns: tuple[Turn, ...]

    def verdict(self, stage: Stage) -> Verdict | None:
        """The stage's verdict: true when all its questions were, else that of the first one missed; None unasked."""
        verdicts = [turn.verdict for turn in self.turns if turn.item.stage == stage]
        if not verdicts:
            return None
        return next((verdict for verdict in verdicts if verdict != "true"), "true")

    @property
    def value_right(self) -> bool | None:
        """Whether the value stated in the final stage was right; None where none was asked for."""
        return next((turn.value_right for turn in self.turns if turn.value_right is not None), None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: every question with its key, the replies, the verdict, and whether the value was right."""
        turns = [
            {
                **turn.item.to_dict(),
                "replies": list(turn.replies),
                "verdict": turn.verdict,
                "value_right": turn.value_right,
            }
            for turn in self.turns
        ]
        return {"task": self.task, "case": self.case, "turns": turns}

    @property
    def is_undecided(self) -> bool:
        """True when the exam ended with "I don't know" (at the start, or at the custom rule)."""
        return self.verdict("init") == "idk" or self.verdict("custom_criteria") == "idk"


def sit(agent: Agent, items: Sequence[Item], *, before: Sequence[Turn] = (), judge: Judge | None = None) -> Transcript:
    """Ask the items of one case and path. `before` is a conversation that came first (the guidance)."""
    turns: list[Turn] = []
    for stage in STAGES:
        for item in (item for item in items if item.stage == stage):
            turns.append(ask(agent, item, [*before, *turns], judge=judge))
            if _stops(turns[-1]):
                return Transcript(items[0].task, items[0].case, tuple(turns))
    return Transcript(items[0].task, items[0].case, tuple(turns))


def sit_guided(
    agent: Agent,
    direct: Transcript,
    guidance: Sequence[Item],
    review: Sequence[Item],
    *,
    judge: Judge | None = None,
) -> tuple[Transcript, Transcript | None]:
    """Path 2: the case is taught step by step; who follows to the end is asked alone about another case."""
    guided = sit(agent, guidance, before=direct.turns, judge=judge)
    if guided.verdict("final") != "true":
        return guided, None
    return guided, sit(agent, review, before=(*direct.turns, *guided.turns), judge=judge)


def ask(agent: Agent, item: Item, before: Sequence[Turn], *, judge: Judge | None = None) -> Turn:
    """One question, graded by the majority of the agent's samples."""
    replies = tuple(agent(item, before))
    verdicts = [grade(item, reply, judge=judge) for reply in replies]
    verdict = majority(verdicts)
    if not item.reference or item.stage != "final":
        return Turn(item, replies, verdict)
    # The value is read from the first sample that carries the verdict, as the conversation goes on with it.
    spoken = next((reply for reply, each in zip(replies, verdicts, strict=True) if each == verdict), replies[0])
    return Turn(item, replies, verdict, value_is_right(item, spoken))


def _stops(turn: Turn) -> bool:
    if turn.item.stage == "init":
        return turn.verdict == "idk"
    return turn.verdict != "true"
