"""What a reply says: the option that it chose and the value that it states. Strict: what is unclear is not guessed."""

from __future__ import annotations

import re
from typing import Literal

from groundglass.metrics.reasoning_exam.item import DO_NOT_KNOW

Unclear = Literal["none", "several"]

_FINAL = re.compile(r"final\s+answer\s*(?:is)?\s*[:\-]?", re.IGNORECASE)
_ANSWER_IS = re.compile(r"\banswer\s+is\b\s*:?", re.IGNORECASE)
_BRACKETED = re.compile(r"\(([a-z])\)", re.IGNORECASE)
_BARE = re.compile(r"^\W*([a-z])(?:[).:,]|\s*$|\s+[-–])", re.IGNORECASE)
_NEGATED = re.compile(
    r"\b(?:not|neither|nor|isn't|rather than|instead of)\s+(?:option\s+|the\s+)?\(?[a-z]\)", re.IGNORECASE
)
_UNSURE = re.compile(r"\b(?:i\s+(?:do\s+not|don't)\s+know|idk)\b", re.IGNORECASE)

_NUMBER = r"(?:\d+(?:\.\d+)?|\.\d+)"
_SIGNED = rf"(?:(?<![\w.)\]])[-+])?{_NUMBER}"
_DASH = r"(?:-|–|—)"
_RANGES = re.compile(
    rf"[\[(]\s*[-+]?{_NUMBER}\s*[,;]\s*[-+]?{_NUMBER}\s*[\])]"
    rf"|between\s+[-+]?{_NUMBER}\s+and\s+[-+]?{_NUMBER}"
    rf"|(?<![\w.]){_SIGNED}\s*(?:{_DASH}|\bto\b)\s*[-+]?{_NUMBER}(?![\w.]*\d)",
    re.IGNORECASE,
)
_VALUES = re.compile(rf"(?<![\w.]){_SIGNED}(?!\d|\.\d|st|nd|rd|th)", re.IGNORECASE)
_VALUE_FIELD = re.compile(r"\bvalue\s*[:=]", re.IGNORECASE)
_SIDES = re.compile(r"\b(right|left)\b", re.IGNORECASE)


def chosen_option(reply: str, options: tuple[str, ...]) -> int | Unclear:
    """The index of the one option that a reply chooses, else "none" or "several".

    Read in this order: letters in brackets after the last "FINAL ANSWER:" (else after "the answer is", else in the
    whole reply), one bare letter at its start, the words of an option.
    """
    text = _plain(_decisive(reply))
    if _NEGATED.search(text):
        return "none"
    letters = {match.lower() for match in _BRACKETED.findall(text)}
    if not letters:
        bare = _BARE.match(text)
        letters = {bare.group(1).lower()} if bare else set()
    found = {ord(letter) - ord("a") for letter in letters}
    found = {index for index in found if index < len(options)} or _by_words(text, options)
    if not found:
        return "none"
    return found.pop() if len(found) == 1 else "several"


def says_do_not_know(reply: str) -> bool:
    """True when the decisive part of a reply says that it does not know, with or without such an option."""
    return bool(_UNSURE.search(_plain(_decisive(reply))))


def stated_values(reply: str) -> tuple[float, ...]:
    """The different numbers that a reply states, in order; ranges ("2.5-3.0", "2.5 – 3.0", "[2, 3]") do not count.

    Only the part after the last "VALUE:" is read where there is one, without what follows "FINAL ANSWER". A minus
    is a sign when it touches its number and follows no digit; "Right - 0.31" is 0.31.
    """
    text = _plain(reply)
    fields = list(_VALUE_FIELD.finditer(text))
    if fields:
        text = _FINAL.split(text[fields[-1].end() :])[0]
    numbers = [float(number) for number in _VALUES.findall(_RANGES.sub(" ", text))]
    return tuple(dict.fromkeys(numbers))


def stated_sides(reply: str) -> tuple[float, float] | None:
    """The right and the left value: by name where both sides are named, else right first. None unless two are given."""
    text = _plain(reply)
    fields = list(_VALUE_FIELD.finditer(text))
    if fields:
        text = _FINAL.split(text[fields[-1].end() :])[0]
    text = _RANGES.sub(" ", text)
    numbers = [float(number) for number in _VALUES.findall(text)]
    if len(numbers) != 2:
        return None
    sides = [side.lower() for side in _SIDES.findall(text)]
    right, left = reversed(numbers) if sides[:2] == ["left", "right"] else numbers
    return right, left


def _decisive(reply: str) -> str:
    """The first line after the last "FINAL ANSWER:", else after the last "answer is", else the reply."""
    for marker in (_FINAL, _ANSWER_IS):
        found = list(marker.finditer(reply))
        if found:
            return reply[found[-1].end() :].strip().split("\n")[0]
    return reply


def _plain(text: str) -> str:
    return text.replace("’", "'").replace("−", "-")


def _by_words(text: str, options: tuple[str, ...]) -> set[int]:
    """Options whose whole wording occurs; a longer one takes its words away from a shorter one inside it."""
    left = text.casefold()
    found = set()
    for index in sorted(range(len(options)), key=lambda i: -len(options[i])):
        wording = _plain(options[index]).casefold()
        pattern = rf"(?<!\w){re.escape(wording)}(?!\w)"
        if re.search(pattern, left):
            found.add(index)
            left = re.sub(pattern, " ", left)
    if not found and _UNSURE.search(text) and DO_NOT_KNOW in options:
        found.add(options.index(DO_NOT_KNOW))
    return found
