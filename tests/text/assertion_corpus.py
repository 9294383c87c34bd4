"""Sentences with marked words and the assertion of each: the corpora in `data/assertion_*.txt`.

One line per sentence: category | sentence | words=class, words=class. Classes: P present, A absent, U uncertain,
H historical, Y hypothetical, O other person. The first occurrence of the words counts.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from groundglass.text import read_findings

DATA = Path(__file__).parent / "data"
CLASSES = {"P": "present", "A": "absent", "U": "uncertain", "H": "historical", "Y": "hypothetical", "O": "other person"}


class Target(NamedTuple):
    """Marked words of a sentence with their class."""

    category: str
    sentence: str
    words: str
    expected: str


def corpus(name: str = "challenge") -> list[Target]:
    """The targets of a corpus in the order of its file."""
    found = []
    for line in (DATA / f"assertion_{name}.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            category, sentence, marks = (part.strip() for part in line.split(" | "))
            for mark in marks.split(", "):
                words, short = mark.rsplit("=", 1)
                found.append(Target(category, sentence, words, CLASSES[short]))
    return found


def decided(target: Target, language: str = "en") -> set[str]:
    """The classes of the findings whose words overlap the marked ones."""
    start = target.sentence.index(target.words)
    end = start + len(target.words)
    found = set()
    for finding in read_findings(target.sentence, language=language):
        span = finding.evidence[1].span
        if span is not None and span[0] < end and span[1] > start:
            found.add(finding.attribute("assertion") or finding.status)
    return found
