"""A long report in batches that fit a model's context together with the question, cut at sentence borders."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from groundglass.core.errors import ConfigurationError
from groundglass.text.sentences import sentences

Counter = Callable[[str], int]
"""Counts the tokens of a text as the model does."""

_JOIN_AFTER = (
    "cfr.",
    "dx.",
    "sn.",
    "sin.",
    "des.",
    "ca.",
    "es.",
    "vs.",
    "v.n.",
    "art.",
    "ant.",
    "post.",
    "sup.",
    "inf.",
)


class Batch(NamedTuple):
    """A piece text[start:end] of the report, which holds whole sentences."""

    text: str
    start: int
    end: int


def words(text: str) -> int:
    """Number of words: the counter to use where no tokenizer is given."""
    return len(text.split())


def batches(text: str, question: str, *, limit: int = 512, count: Counter = words) -> tuple[Batch, ...]:
    """The report's sentences packed in order into batches of at most `limit` tokens with the question.

    A sentence that alone is too long is cut at spaces. The batches together hold every sentence. Raises
    ConfigurationError when the question leaves no room.
    """
    room = limit - count(question)
    if room <= 0:
        raise ConfigurationError(f"limit {limit}", "leaves no room beside the question", "Raise it or ask shorter.")
    found: list[Batch] = []
    start = end = -1
    for low, high in _pieces(text, room, count):
        if start >= 0 and count(text[start:high]) <= room:
            end = high
            continue
        if start >= 0:
            found.append(Batch(text[start:end], start, end))
        start, end = low, high
    if start >= 0:
        found.append(Batch(text[start:end], start, end))
    return tuple(found)


def first_batch(text: str, question: str, *, limit: int = 512, count: Counter = words) -> tuple[Batch, ...]:
    """Plain truncation: what is left of the report when all but the first batch is thrown away."""
    return batches(text, question, limit=limit, count=count)[:1]


def whole_sentences(text: str) -> list[tuple[int, int]]:
    """Sentence borders that do not cut a side or a reference from its noun ("linfonodo ascellare dx. di 12 mm").

    Together they hold every word: the number of a list stands with its sentence.
    """
    found: list[tuple[int, int]] = []
    last = 0
    for start, end in sentences(text, 0, len(text)):
        gap = text[last:start]
        low = last + len(gap) - len(gap.lstrip()) if gap.strip() else start
        last = end
        if found and text[found[-1][0] : found[-1][1]].rstrip().casefold().endswith(_ABBREVIATED):
            found[-1] = (found[-1][0], end)
        else:
            found.append((low, end))
    if rest := text[last:].strip():
        start = text.index(rest, last)
        if found:
            found[-1] = (found[-1][0], start + len(rest))
        else:
            found.append((start, start + len(rest)))
    return found


_ABBREVIATED = tuple(f" {word}" for word in _JOIN_AFTER)


def _pieces(text: str, room: int, count: Counter) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in whole_sentences(text):
        while count(text[start:end]) > room:
            cut = _cut(text, start, end, room, count)
            found.append((start, cut))
            start = cut
            while start < end and text[start].isspace():
                start += 1
        if start < end:
            found.append((start, end))
    return found


def _cut(text: str, start: int, end: int, room: int, count: Counter) -> int:
    """The last space up to which text[start:] fits; a single word that does not fit is left whole."""
    spaces = [i for i in range(start + 1, end) if text[i].isspace()]
    low, high = 0, len(spaces)
    while low < high:
        middle = (low + high) // 2
        if count(text[start : spaces[middle]]) <= room:
            low = middle + 1
        else:
            high = middle
    return spaces[low - 1] if low else (spaces[0] if spaces else end)
