"""Reading a language model's reply: tolerant of wrapping, strict about content.

Text around the JSON, code fences and reasoning before it are passed over. But a missing part is never taken as zero:
whatever is not said completely raises ReplyError.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from groundglass.metrics.judge.protocol import ERROR_KINDS, Entailment, ErrorKind, GreenCounts, ReportError

_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_ENTAILED = {"entailed", "entailment"}
_NOT_ENTAILED = {"not entailed", "not entailment", "contradiction", "contradicted", "neutral"}
_KIND_OF = {kind: kind for kind in ERROR_KINDS} | dict(zip("abcdef", ERROR_KINDS, strict=True))
_CLASS = re.compile(
    r"\b(?:(clinically\s+)?(insignificant|non-?significant|not\s+(?:clinically\s+)?significant)|significant)\b", re.I
)
_COUNTED = re.compile(r"[\[(\"'\s]*\b([A-F])\b[\])\"'\s]*(?:[,:=]|->)\s*[\[(\"'\s]*(\d{1,3})\b", re.I)


class ReplyError(ValueError):
    """What is wrong with a reply, in words that can be sent back to the model."""


def read_entailment(text: str, premises: int) -> Entailment:
    """A verdict and evidence; premises are numbered from 1 in the reply and from 0 in the answer."""
    data = json_object(text)
    said = str(data.get("verdict", "")).replace("_", " ").replace("-", " ").strip().lower()
    if said not in _ENTAILED | _NOT_ENTAILED:
        raise ReplyError('"verdict" must be "entailed" or "not entailed"')
    numbers = data.get("evidence")
    if not isinstance(numbers, list):
        raise ReplyError('"evidence" must be a list of premise numbers')
    evidence = sorted({_number(number) - 1 for number in numbers})
    if any(not 0 <= index < premises for index in evidence):
        raise ReplyError(f'"evidence" must name premises from 1 to {premises}')
    if said in _ENTAILED and not evidence:
        raise ReplyError('"entailed" needs the number of at least one premise in "evidence"')
    verdict = "entailed" if said in _ENTAILED else "not entailed"
    return Entailment(
        "entailed" if verdict == "entailed" else "not entailed", tuple(evidence), str(data.get("note", ""))
    )


def read_phrases(text: str) -> tuple[str, ...]:
    """Statements; there may be none."""
    return _strings(json_object(text), "phrases")


def read_errors(text: str) -> tuple[ReportError, ...]:
    """All twelve lists (or counts) of errors, in the order of the kinds, significant ones first.

    Without a JSON object, two lists of (letter of the kind, count) are read, the form of CheXprompt's own replies.
    """
    try:
        data = json_object(text)
    except ReplyError:
        return _counted_errors(text)
    return _errors(data)


def read_green(text: str) -> GreenCounts:
    """Matched findings and all twelve lists of errors."""
    data = json_object(text)
    return GreenCounts(_strings(data, "matched"), _errors(data))


def json_object(text: str) -> dict[str, Any]:
    """The last JSON object of a reply that is not empty or part of another one. Raises ReplyError without one."""
    found = [value for value in _objects(_THOUGHT.sub(" ", text)) if value]
    if not found:
        raise ReplyError("the reply must hold one complete JSON object")
    return found[-1]


def _objects(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder(object_pairs_hook=_without_repeats)
    place = text.find("{")
    while place >= 0:
        try:
            value, end = decoder.raw_decode(text, place)
            yield value
        except json.JSONDecodeError:
            end = place + 1
        except RecursionError:
            raise ReplyError("the JSON object is nested too deeply") from None
        place = text.find("{", end)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ReplyError("a key is given twice")
    return dict(pairs)


def _errors(data: dict[str, Any]) -> tuple[ReportError, ...]:
    found: dict[tuple[bool, ErrorKind], list[str]] = {}
    for significant in (True, False):
        name = "significant" if significant else "insignificant"
        kinds = data.get(name)
        if not isinstance(kinds, dict):
            raise ReplyError(f'"{name}" must be an object with all six kinds')
        for key, said in kinds.items():
            kind = _KIND_OF.get(re.sub(r"[_\-\s]+", " ", key).strip().lower())
            if kind is None:
                raise ReplyError(f'"{name}" has an unknown kind "{key}"')
            found[significant, kind] = _notes(said, f"{name}.{key}")
    return _in_order(found)


def _in_order(found: dict[tuple[bool, ErrorKind], list[str]]) -> tuple[ReportError, ...]:
    errors = []
    for kind in ERROR_KINDS:
        for significant in (True, False):
            if (significant, kind) not in found:
                raise ReplyError(f'the {"" if significant else "in"}significant errors lack the kind "{kind}"')
            errors += [ReportError(kind, significant, note) for note in found[significant, kind]]
    return tuple(errors)


def _notes(said: Any, name: str) -> list[str]:
    if isinstance(said, int) and not isinstance(said, bool) and 0 <= said < 1000:
        return [""] * said
    if isinstance(said, list) and all(isinstance(note, str) for note in said):
        return [note for note in said if note.strip()]
    raise ReplyError(f'"{name}" must be a list of strings')


def _counted_errors(text: str) -> tuple[ReportError, ...]:
    """Two sections, headed significant and insignificant, each with a count of every kind A to F, once."""
    text = _THOUGHT.sub(" ", text)
    heads = list(_CLASS.finditer(text))
    found: dict[tuple[bool, ErrorKind], list[str]] = {}
    ends = [*(head.start() for head in heads[1:]), len(text)]
    for head, end in zip(heads, ends, strict=False):
        significant = head.group(2) is None
        section = text[head.end() : end]
        for letter, count in _COUNTED.findall(section):
            kind = _KIND_OF[letter.lower()]
            if (significant, kind) in found:
                raise ReplyError(f"kind {letter} is counted twice")
            found[significant, kind] = [""] * int(count)
    if not found:
        raise ReplyError("the reply must hold one complete JSON object")
    return _in_order(found)


def _strings(data: dict[str, Any], name: str) -> tuple[str, ...]:
    said = data.get(name)
    if not isinstance(said, list) or not all(isinstance(text, str) for text in said):
        raise ReplyError(f'"{name}" must be a list of strings')
    return tuple(text.strip() for text in said if text.strip())


def _number(said: Any) -> int:
    if isinstance(said, int) and not isinstance(said, bool):
        return said
    if isinstance(said, str) and said.strip().isdecimal():
        return int(said)
    raise ReplyError('"evidence" must be a list of premise numbers')
