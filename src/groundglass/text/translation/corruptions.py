"""Errors of translation put in on purpose: a side swapped, a negation lost, a number wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

_DIGITS = re.compile(r"\d+")
_NEGATIONS = (
    ("を認めません", "を認めます"),
    ("はみられない", "がみられる"),
    ("なし", "あり"),
    ("は指摘できません", "を指摘できます"),
    ("は認められない", "が認められる"),
    ("はありません", "があります"),
)


def _side(text: str, rng: np.random.Generator) -> str:
    return text.translate({ord("左"): "右", ord("右"): "左"})


def _negation(text: str, rng: np.random.Generator) -> str:
    """The first negation of one sentence that has any, read as its opposite."""
    parts = re.split(r"(?<=。)", text)
    denied = [i for i, part in enumerate(parts) if any(no in part for no, _ in _NEGATIONS)]
    if denied:
        at = int(rng.choice(denied))
        no, yes = next(pair for pair in _NEGATIONS if pair[0] in parts[at])
        parts[at] = parts[at].replace(no, yes)
    return "".join(parts)


def _number(text: str, rng: np.random.Generator) -> str:
    found = list(_DIGITS.finditer(text))
    if not found:
        return text
    match = found[int(rng.integers(len(found)))]
    return f"{text[: match.start()]}{int(match[0]) + int(rng.integers(1, 9))}{text[match.end() :]}"


CORRUPTIONS = MappingProxyType({"side": _side, "negation": _negation, "number": _number})
"""Name -> what does it to a Japanese text; a text that has nothing of the kind comes back as it is."""


def corrupted(text: str, rng: np.random.Generator, kinds: Mapping[str, object] = CORRUPTIONS) -> tuple[str, str]:
    """The text with one error, and its kind ("" when none could be put in)."""
    for kind in rng.permutation(list(kinds)):
        wrong = CORRUPTIONS[str(kind)](text, rng)
        if wrong != text:
            return wrong, str(kind)
    return text, ""
