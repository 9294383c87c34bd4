"""Questions about a phantom with exact answers: presence, side, place, size, count, severity, change, modality."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from groundglass.core import Finding
from groundglass.synthesis.phantoms.kind import Kind
from groundglass.synthesis.phantoms.phantom import Phantom, Question
from groundglass.synthesis.phantoms.phrases import pick

_PRESENCE = ("Is there {a}?", "Does the image show {a}?", "Can {a} be seen?", "Is {a} present?")
_SIDE = ("On which side is the {n}?", "Which side is affected by the {n}?")
_PLACE = ("Where is the {n}?", "In which region does the {n} lie?")
_SIZE = ("What is the longest axial diameter of the {n} in mm?", "How large is the {n} (long axis, mm)?")
_COUNT = ("How many {n} are there?", "What is the number of {n}?")
_SEVERITY = ("How severe is the {n}?", "What is the degree of the {n}?")
_CHANGE = ("Compared with the prior examination, how has the {n} changed?",)
_MODALITY = ("Which kind of examination is this?", "Which modality was used?")


def ask(
    findings: Sequence[Finding], kind: Kind, rng: np.random.Generator, *, prior: Phantom | None = None
) -> tuple[Question, ...]:
    """Every question that has one answer only: what lies twice in the image is asked for its number alone."""
    return tuple(_questions(findings, kind, rng, prior))


def _questions(
    findings: Sequence[Finding], kind: Kind, rng: np.random.Generator, prior: Phantom | None
) -> Iterator[Question]:
    counts = Counter(f.what.name for f in findings)
    yield Question(pick(_MODALITY, rng), kind.exam, "modality")
    for name, count in counts.items():
        ids = tuple(f.id for f in findings if f.what.name == name)
        yield Question(pick(_PRESENCE, rng).format(a=_a(name)), "yes", "presence", ids)
        if _a(name) != name:
            yield Question(pick(_COUNT, rng).format(n=_many(name)), str(count), "count", ids)
    absent = [term for term, _ in kind.denials if term not in counts]
    for index in rng.permutation(len(absent))[: max(1, len(counts))]:
        yield Question(pick(_PRESENCE, rng).format(a=_a(absent[int(index)])), "no", "presence")
    for finding in findings:
        if counts[finding.what.name] == 1:
            yield from _about(finding, rng, prior)


def _about(finding: Finding, rng: np.random.Generator, prior: Phantom | None) -> Iterator[Question]:
    name, ids = finding.what.name, (finding.id,)
    if finding.where.side in ("left", "right"):
        yield Question(pick(_SIDE, rng).format(n=name), finding.where.side, "side", ids)
    if finding.where.anatomy is not None and finding.where.anatomy.name not in name:
        side = finding.where.side or ""
        yield Question(pick(_PLACE, rng).format(n=name), f"{side} {finding.where.anatomy.name}".strip(), "place", ids)
    size = finding.measurement("long axis")
    if size is not None:
        yield Question(pick(_SIZE, rng).format(n=name), f"{size.value:.0f}", "size", ids)
    grade, change = finding.attribute("severity"), finding.attribute("change")
    if grade is not None:
        yield Question(pick(_SEVERITY, rng).format(n=name), grade, "severity", ids)
    if prior is not None and change is not None:
        yield Question(pick(_CHANGE, rng).format(n=name), change, "change", ids)


def _a(name: str) -> str:
    uncounted = ("cardiomegaly", "ascites", "splenomegaly", "consolidation", "emphysema", "edema", "hydronephrosis")
    endings = ("embolism", "iasis", "pathy", "atrophy", "steatosis", "obstruction", "iectasis", "dilatation")
    if name.endswith((*uncounted, *endings, "cephalus")):
        return name
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


def _many(name: str) -> str:
    if name.endswith("sis"):
        return name[:-2] + "es"
    return name + ("es" if name.endswith(("s", "x")) else "s")
