"""Label mining beside NegBio's pattern files (public domain, github.com/ncbi-nlp/NegBio)."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from groundglass.metrics.statistics import wilson
from groundglass.systems.peer_program import asked
from groundglass.systems.proof import Claim
from groundglass.text.mining import PlantedSentence
from groundglass.text.mining.planted_findings import NAMES

_KINDS = {
    "not seen: their patterns name 'demonstrated' and 'visualized' only": re.compile(r"is not seen"),
    "neither ... nor: no pattern of theirs": re.compile(r"^Neither"),
    "no new: left undenied by their design": re.compile(r"^No new"),
}
_ELSE = "a list or a long phrase that spaCy parsed otherwise"
_AGREEMENT = "mining: agreement with NegBio's patterns"


def pattern_agreement(
    workdir: Path, sentences: Sequence[PlantedSentence], ours: Callable[[str], set[str]]
) -> list[Claim]:
    """Share of the named findings that both call stated, or both not: on all sentences, and on those of short scope.

    How often each is right, and what the disagreements come from, is in the detail.
    """
    near = [sentence for sentence in sentences if not sentence.far]
    names = (f"{_AGREEMENT} on the same sentences", f"{_AGREEMENT}, sentences of ordinary scope")
    python = os.environ.get("GROUNDGLASS_NEGBIO_PYTHON")
    if not python:
        return [Claim(n, 0.0, "not run: GROUNDGLASS_NEGBIO_PYTHON is not set", False) for n in names]
    given = [{"text": sentence.text, "spans": _spans(sentence)} for sentence in sentences]
    theirs = dict(zip((s.text for s in sentences), asked(python, "negbio_patterns", given, workdir), strict=True))
    return [_agreement(n, held, ours, theirs) for n, held in zip(names, (sentences, near), strict=True)]


def _agreement(
    name: str, sentences: Sequence[PlantedSentence], ours: Callable[[str], set[str]], theirs: dict[str, list[str]]
) -> Claim:
    same = right = theirs_right = count = 0
    apart: Counter[str] = Counter()
    for sentence in sentences:
        mine, stated = ours(sentence.text), theirs[sentence.text]
        for label, meant in sentence.labels.items():
            count += 1
            right += (label in mine) == (meant == "P")
            theirs_right += (label in stated) == (meant == "P")
            if (label in mine) == (label in stated):
                same += 1
            else:
                apart[_kind(sentence.text)] += 1
    share, interval = same / count, wilson(same, count)
    return Claim(
        name,
        share,
        ">= 0.95",
        share >= 0.95,
        low=interval.low,
        high=interval.high,
        simulated=True,
        detail={
            "findings": count,
            "rules right": right / count,
            "NegBio's patterns right": theirs_right / count,
            **{f"apart: {kind}": number for kind, number in apart.most_common()},
        },
    )


def _kind(text: str) -> str:
    return next((kind for kind, pattern in _KINDS.items() if pattern.search(text)), _ELSE)


def _spans(sentence: PlantedSentence) -> dict[str, tuple[int, int]]:
    found = {label: re.search(rf"\b{NAMES[label]}\b", sentence.text, re.IGNORECASE) for label in sentence.labels}
    return {label: match.span() for label, match in found.items() if match is not None}
