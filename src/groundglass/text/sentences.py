"""Sentences with offsets: abbreviations, numbered lists, bullets, dictation, lines that wrap and lines that end."""

from __future__ import annotations

import re

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
_END = re.compile(
    r"[.!?]+[\"')\]]{0,3}(?=\s|$)|[。！？｡]+[」』）]?|．(?![0-9０-９])|[•·●▪■◦]|\s\"\s|\n[ \t]*\n|\n|;(?=\s*\n)"
)
_WORD_BEFORE = re.compile(r"([A-Za-z][A-Za-z.]{0,9}|\d{1,3})$")
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
        if match.start() < begin or not _ends(text, begin, match, end):
            continue
        _add(found, text, begin, match.end() if match[0][0] in ".!?。！？｡．" else match.start())
        begin = match.end()
    _add(found, text, begin, end)
    return found


def _ends(text: str, begin: int, match: re.Match[str], end: int) -> bool:
    mark = match[0]
    if mark == "\n":
        return _line_ends(text, begin, match.start(), match.end(), end)
    if mark[0] == "?":
        return not text[match.end() : match.end() + 2].strip()[:1].islower()
    if mark[0] != ".":
        return True
    word = _WORD_BEFORE.search(text, max(begin, match.start() - 11), match.start())
    if word is None:
        return True
    if word[1].isdigit():
        # "1." at the head of an item is its number.
        return text[begin : word.start()].strip(" \t\n\"'*-(") != ""
    lowered = word[1].lower()
    if lowered in _ABBREVIATIONS:
        following = text[match.end() : match.end() + 3].strip()[:1]
        begins = following.isupper() or (following.isdigit() and lowered in ("cm", "mm"))
        return (begins and lowered in _NOT_AFTER_ABBREVIATION) or not following
    # A single capital is an initial ("J. Smith"), but for a Roman numeral ("segment V.").
    if word[1] in "IVX" and _NUMBERED.search(text, begin, word.start()):
        return True
    return not (len(word[1]) == 1 and word[1].isupper() and mark == ".")


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
    if end > start and not text[start:end].isspace():
        found.append((start, end))
