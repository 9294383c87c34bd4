"""Sentences with offsets: abbreviations, numbered lists, bullets, dictation, lines that wrap and lines that end."""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST = 1000
"""A longer run without any end of sentence is cut at a space: reading stays linear whatever comes."""

_ABBREVIATIONS = frozenset(
    {
        "dr",
        "mr",
        "mrs",
        "ms",
        "prof",
        "st",
        "vs",
        "e.g",
        "i.e",
        "eg",
        "ie",
        "cf",
        "approx",
        "no",
        "nos",
        "fig",
        "figs",
        "ca",
        "etc",
        "al",
        "inc",
        "dept",
        "resp",
        "min",
        "max",
        "est",
        "ant",
        "post",
        "lat",
        "sup",
        "inf",
        "rt",
        "lt",
        "bilat",
        "a.m",
        "p.m",
        "m.d",
        "pt",
        "pts",
        "s.p",
        "w.r.t",
        "viz",
        "incl",
        "excl",
        "ser",
        "se",
        "im",
        "img",
        "q.v",
        "n.b",
        "cm",
        "mm",
        "vol",
        "dx",
        "hx",
        "tx",
        "cfr",
        "sn",
    }
)
_NOT_AFTER_ABBREVIATION = frozenset({"cm", "mm", "etc", "al", "cfr"})
# One set of first characters, and only then what follows each of them: a pattern that begins with a set is looked for
# several times as fast as one that begins with a choice.
_END = re.compile(
    r"[.!?;\n\"。！？｡．•·●▪■◦](?:(?<=[.!?])[.!?]*[\"')\]]{0,3}(?=\s|$)|(?<=\n)(?:[ \t]*\n)?|(?<=;)(?=\s*\n)"
    r"|(?<=\s\")\s|(?<=[。！？｡])[。！？｡]*[」』）]?|(?<=．)(?![0-9０-９])|(?<=[•·●▪■◦]))"
)
_LOOK_BACK = 11
_LONGER_THAN_ABBREVIATIONS = 1 + max(map(len, _ABBREVIATIONS))
_WORD_AT_END = re.compile(r"([A-Za-z][A-Za-z.]{0,9}|\d{1,3})$")
_NUMBERED = re.compile(r"\b(?:segment|grade|stage|type|class|level|zone)\s$", re.IGNORECASE)
_BULLET = re.compile(r"[ \t　]*(?:(?:[-*+>]|\(?\d{1,2}[.)]|[A-Za-z][.)])[ \t]|[・●○■◆※]|\d{1,2}[.)．）、])")
_LEAD = re.compile(r"[\s\"'*•·●▪■◦○◆※・>+-]*(?:\(?\d{1,2}[.)．）、](?!\d)\s*)?[\s\"']*")
_RUNS_ON = frozenset("、，,(（・のをはがにとで")
"""Last characters of a line that goes on, where letters have no case (Japanese, Chinese)."""
_OPEN_WORDS = frozenset(
    {
        "of",
        "the",
        "and",
        "or",
        "no",
        "with",
        "in",
        "a",
        "an",
        "at",
        "to",
        "for",
        "is",
        "are",
        "was",
        "by",
        "on",
        "from",
        "without",
        "as",
        "than",
        "which",
        "that",
        "these",
        "this",
        "left",
        "right",
    }
)


def sentences(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """(start, end) of every sentence of text[start:end], without bullets, list numbers and surrounding space."""
    end = len(text) if end is None else end
    found: list[tuple[int, int]] = []
    begin = start
    for match in _END.finditer(text, start, end):
        first, last = match.span()
        mark = text[first]
        if not _ends(text, begin, mark, first, last, end):
            continue
        _add(found, text, begin, last if mark in ".!?。！？｡．" else first)
        begin = last
    _add(found, text, begin, end)
    return found


def _ends(text: str, begin: int, mark: str, first: int, last: int, end: int) -> bool:
    """Whether the signs text[first:last], the first of which is `mark`, end a sentence that begins at `begin`."""
    if mark == "\n":
        return last > first + 1 or _line_ends(text, begin, first, last, end)
    if mark == "?":
        return not text[last : last + 2].strip()[:1].islower()
    if mark != ".":
        return True
    word = _word_before(text[max(begin, first - _LOOK_BACK) : first])
    if len(word) >= _LONGER_THAN_ABBREVIATIONS or not word:
        return True
    if word.isdigit():
        # "1." at the head of an item is its number.
        return text[begin : first - len(word)].strip(" \t\n\"'*-(") != ""
    lowered = word.lower()
    if lowered in _ABBREVIATIONS:
        following = text[last : last + 3].strip()[:1]
        begins = following.isupper() or (following.isdigit() and lowered in ("cm", "mm"))
        return (begins and lowered in _NOT_AFTER_ABBREVIATION) or not following
    # A single capital is an initial ("J. Smith"), but for a Roman numeral ("segment V.").
    if word in "IVX" and _NUMBERED.search(text, begin, first - len(word)):
        return True
    return not (len(word) == 1 and word.isupper() and last == first + 1)


@lru_cache(maxsize=4096)
def _word_before(tail: str) -> str:
    """The letters (with stops between them) or the number at the end of `tail`; "" when it ends in neither."""
    word = _WORD_AT_END.search(tail)
    return word[1] if word else ""


def _line_ends(text: str, begin: int, stop: int, resume: int, end: int) -> bool:
    """Whether a line break ends a sentence: before a bullet, and before a capital unless the line plainly runs on."""
    if _BULLET.match(text, resume, end):
        return True
    line = text[begin:stop].rstrip()
    if not line:
        return True
    following = text[resume : resume + 40].lstrip()[:1]
    if following > "\u2e7f" or line[-1] > "\u2e7f":
        return line[-1] not in _RUNS_ON
    if following.islower() or line[-1] in ",(/" or line.rsplit(None, 1)[-1].lower() in _OPEN_WORDS:
        return False
    return following.isupper() or not following or line[-1] == ":"


def _add(found: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start] == " ":
        start += 1
    if start < end and not text[start].isalpha():
        lead = _LEAD.match(text, start, end)
        start = lead.end() if lead else start
    while end > start and text[end - 1].isspace():
        end -= 1
    while end - start > LONGEST:
        cut = text.rfind(" ", start + LONGEST // 2, start + LONGEST)
        cut = start + LONGEST if cut < 0 else cut
        found.append((start, cut))
        start = cut
        while start < end and text[start].isspace():
            start += 1
    if end > start:
        found.append((start, end))
