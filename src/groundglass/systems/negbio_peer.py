"""Label mining beside NegBio's pattern files (public domain, github.com/ncbi-nlp/NegBio)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from groundglass.systems.peer_program import asked
from groundglass.systems.proof import Claim
from groundglass.text.mining import PlantedSentence
from groundglass.text.mining.planted_findings import NAMES


def pattern_agreement(workdir: Path, sentences: Sequence[PlantedSentence], ours: Callable[[str], set[str]]) -> Claim:
    """Share of the named findings that both call stated, or both not; how often each is right is in the detail."""
    name = "mining: agreement with NegBio's patterns on the same sentences"
    python = os.environ.get("GROUNDGLASS_NEGBIO_PYTHON")
    if not python:
        return Claim(name, 0.0, "not run: GROUNDGLASS_NEGBIO_PYTHON is not set", False)
    given = [{"text": sentence.text, "spans": _spans(sentence)} for sentence in sentences]
    theirs = asked(python, "negbio_patterns", given, workdir)
    same = right = theirs_right = count = 0
    for sentence, stated in zip(sentences, theirs, strict=True):
        mine = ours(sentence.text)
        for label, meant in sentence.labels.items():
            count += 1
            same += (label in mine) == (label in stated)
            right += (label in mine) == (meant == "P")
            theirs_right += (label in stated) == (meant == "P")
    share = same / count
    detail: dict[str, float | int | str] = {
        "findings": count,
        "rules right": right / count,
        "NegBio's patterns right": theirs_right / count,
    }
    return Claim(name, share, ">= 0.95", share >= 0.95, simulated=True, detail=detail)


def _spans(sentence: PlantedSentence) -> dict[str, tuple[int, int]]:
    found = {label: re.search(rf"\b{NAMES[label]}\b", sentence.text, re.IGNORECASE) for label in sentence.labels}
    return {label: match.span() for label, match in found.items() if match is not None}
