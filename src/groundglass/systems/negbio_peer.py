"""Label mining beside NegBio's pattern files (public domain, github.com/ncbi-nlp/NegBio)."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from groundglass.metrics.statistics import wilson
from groundglass.systems.peer_program import asked
from groundglass.systems.proof import Claim
from groundglass.text.mining import PlantedSentence
from groundglass.text.mining.planted_findings import NAMES

_WITHOUT_PATTERN = {
    "is not seen": re.compile(r"is not seen"),
    "neither ... nor": re.compile(r"^Neither"),
    "no new": re.compile(r"^No new"),
}
"""Ways of denying that the files have no pattern for ("demonstrated" and "visualized" are their only verbs after
"not"), or that they leave undenied by design ("no new")."""
_NAME = "mining: agreement with NegBio's patterns, sentences that its files have patterns for"


def pattern_agreement(workdir: Path, sentences: Sequence[PlantedSentence], ours: Callable[[str], set[str]]) -> Claim:
    """Share of the named findings that both call stated, or both not.

    Sentences whose way of denying the files do not know are set aside by their words, whatever was answered; how often
    each is right with and without them is in the detail.
    """
    python = os.environ.get("GROUNDGLASS_NEGBIO_PYTHON")
    if not python:
        return Claim(_NAME, 0.0, "not run: GROUNDGLASS_NEGBIO_PYTHON is not set", False)
    given = [{"text": sentence.text, "spans": _spans(sentence)} for sentence in sentences]
    answers = asked(python, "negbio_patterns", given, workdir)
    said = [(sentence, ours(sentence.text), set(theirs)) for sentence, theirs in zip(sentences, answers, strict=True)]
    known = [each for each in said if _unknown(each[0].text) is None]
    held, every = _Agreement.of(known), _Agreement.of(said)
    aside = Counter(
        kind for sentence, _, _ in said if (kind := _unknown(sentence.text)) is not None for _ in sentence.labels
    )
    interval = wilson(held.same, held.findings)
    share = held.same / held.findings
    return Claim(
        _NAME,
        share,
        ">= 0.95",
        share >= 0.95,
        low=interval.low,
        high=interval.high,
        simulated=True,
        detail={
            **held.shares(""),
            **every.shares("all sentences: "),
            **{f"findings set aside: {kind}": number for kind, number in aside.most_common()},
        },
    )


@dataclass(frozen=True, slots=True)
class _Agreement:
    """Named findings, how many both see alike, and how many each sees as the grammar meant them."""

    findings: int
    same: int
    ours_right: int
    theirs_right: int

    @classmethod
    def of(cls, said: Sequence[tuple[PlantedSentence, set[str], set[str]]]) -> _Agreement:
        rows = [
            (label in ours, label in theirs, meant == "P")
            for sentence, ours, theirs in said
            for label, meant in sentence.labels.items()
        ]
        pairs = ((0, 1), (0, 2), (1, 2))
        return cls(len(rows), *(sum(row[a] == row[b] for row in rows) for a, b in pairs))

    def shares(self, before: str) -> dict[str, float | int]:
        return {
            f"{before}findings": self.findings,
            f"{before}agreement": self.same / self.findings,
            f"{before}rules right": self.ours_right / self.findings,
            f"{before}NegBio's patterns right": self.theirs_right / self.findings,
        }


def _unknown(text: str) -> str | None:
    return next((kind for kind, pattern in _WITHOUT_PATTERN.items() if pattern.search(text)), None)


def _spans(sentence: PlantedSentence) -> dict[str, tuple[int, int]]:
    found = {label: re.search(rf"\b{NAMES[label]}\b", sentence.text, re.IGNORECASE) for label in sentence.labels}
    return {label: match.span() for label, match in found.items() if match is not None}
