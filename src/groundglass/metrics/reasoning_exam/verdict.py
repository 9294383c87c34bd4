"""Grading one reply, and several samples of a reply to the same question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

from groundglass.metrics.reasoning_exam.item import DO_NOT_KNOW, NONE_OF_THE_ABOVE, Item
from groundglass.metrics.reasoning_exam.reply import chosen_option, says_do_not_know, stated_sides, stated_values

Verdict = Literal["true", "false", "idk", "n/a"]

# Asked only where the strict parser finds no single option: a model that maps a reply to a verdict.
Judge = Callable[[Item, str], Verdict]


def grade(item: Item, reply: str, *, judge: Judge | None = None) -> Verdict:
    """True, false, "I don't know" or "none of the above" (n/a) for one reply.

    Agreement with the custom rule cannot be wrong: whoever does not accept it is counted as not knowing.
    """
    choice = chosen_option(reply, item.options)
    if isinstance(choice, str):
        if judge is not None:
            return judge(item, reply)
        return "idk" if choice == "none" and says_do_not_know(reply) else _missed(item)
    if choice == item.answer:
        return "true"
    if item.options[choice] == DO_NOT_KNOW:
        return "idk"
    return "n/a" if item.options[choice] == NONE_OF_THE_ABOVE else _missed(item)


def majority(verdicts: Sequence[Verdict]) -> Verdict:
    """The most frequent verdict; in a tie "I don't know" if it is among the samples, else false."""
    counts = Counter(verdicts).most_common()
    if len(counts) == 1 or counts[0][1] > counts[1][1]:
        return counts[0][0]
    return "idk" if "idk" in verdicts else "false"


def value_is_right(item: Item, reply: str) -> bool:
    """Whether the stated value lies in the item's reference range; both sides have to, and two numbers are wrong."""
    if len(item.reference) == 2:
        sides = stated_sides(reply)
        return sides is not None and all(low <= v <= high for v, (low, high) in zip(sides, item.reference, strict=True))
    values = stated_values(reply)
    return len(values) == 1 and item.reference[0][0] <= values[0] <= item.reference[0][1]


def _missed(item: Item) -> Verdict:
    return "idk" if item.stage == "custom_criteria" else "false"
