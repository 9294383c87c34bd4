"""Examinees with a known score: what an exam must give them, else the exam is wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from groundglass.metrics.reasoning_exam.item import DO_NOT_KNOW, STAGES, Item, Stage, lettered
from groundglass.metrics.reasoning_exam.sitting import Agent, Turn, ask


@dataclass(frozen=True)
class RandomChooser:
    """Picks every option with the same chance, states no value. Expected right: 1 / options on every question."""

    rng: np.random.Generator

    def __call__(self, item: Item, _before: Sequence[Turn]) -> tuple[str, ...]:
        return (_final(lettered(item.options)[int(self.rng.integers(len(item.options)))]),)


class AlwaysUnsure:
    """Says that it does not know, whatever is asked."""

    def __call__(self, _item: Item, _before: Sequence[Turn]) -> tuple[str, ...]:
        return (_final(DO_NOT_KNOW),)


@dataclass(frozen=True)
class AnswerWithoutPicture:
    """Knows every diagnosis and every rule by heart, but guesses wherever it has to look at the picture."""

    rng: np.random.Generator

    def __call__(self, item: Item, before: Sequence[Turn]) -> tuple[str, ...]:
        if item.stage in ("init", "criteria", "custom_criteria"):
            return (_final(item.right),)
        return RandomChooser(self.rng)(item, before)


def distance_from_chance(items: Sequence[Item], agent: Agent) -> dict[Stage, tuple[float, float]]:
    """(distance from 1 / options in standard errors, rate) per stage, every item asked by itself."""
    found: dict[Stage, tuple[float, float]] = {}
    for stage in STAGES:
        asked = [item for item in items if item.stage == stage]
        if not asked:
            continue
        odds = np.array([1 / len(item.options) for item in asked])
        right = sum(ask(agent, item, ()).verdict == "true" for item in asked)
        found[stage] = (right - odds.sum()) / math.sqrt((odds * (1 - odds)).sum()), right / len(asked)
    return found


def _final(choice: str) -> str:
    return f"FINAL ANSWER: {choice}"
