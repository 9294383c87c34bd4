"""Candidates and their references, checked once for every score."""

from __future__ import annotations

from collections.abc import Sequence

from groundglass.core.errors import InputError


def checked_pairs(
    candidates: Sequence[str], references: Sequence[str | Sequence[str]]
) -> tuple[list[str], list[tuple[str, ...]]]:
    """N candidates and, for each, its references (one or more).

    A reference may be given as a string (one) or a sequence of strings. Empty texts are allowed.
    Raises InputError when there is no pair, when the numbers differ, or when a text is missing or not a string.
    """
    if isinstance(candidates, str) or isinstance(references, str):
        raise InputError("texts", "are one string, not a list of texts", "Give a list, with one text per case.")
    if len(candidates) != len(references):
        raise InputError(
            "references", f"are {len(references)} for {len(candidates)} candidates", "Give the references of each case."
        )
    if not len(candidates):
        raise InputError("candidates", "are none, so a score is not defined", "Give at least one pair.")
    several: list[tuple[str, ...]] = []
    for index, given in enumerate(references):
        texts = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Sequence) else (given,)
        if not texts:
            raise InputError(f"case {index}", "has no reference", "Leave the case out or give its reference.")
        several.append(tuple(_checked(text, f"reference of case {index}") for text in texts))
    return [_checked(text, f"candidate {index}") for index, text in enumerate(candidates)], several


def _checked(text: object, name: str) -> str:
    if not isinstance(text, str):
        raise InputError(name, f"is {type(text).__name__}, not a text", "Give an empty text where nothing was said.")
    return text
