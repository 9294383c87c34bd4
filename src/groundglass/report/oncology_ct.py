"""Tumour reports of a CT: lesions read back from the structured text, a narrative in prose, fusion with a note.

Method of RadGPT (arXiv 2501.04678): the structured report comes from measured findings sentence by sentence; a
narrative only restyles it and must state the same facts (`groundglass.report.guard`); in a human's note the tumour
facts are replaced by the measured ones and everything else is kept. The language model of the paper is a matter
of taste here: any restyler may write the narrative, the guard decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from groundglass.core import Finding
from groundglass.report.binding import statements_of
from groundglass.report.numbers import write_quantity
from groundglass.report.templates import Statement, parse, shipped_templates

_MENTION = re.compile(r"\b(lesions?|mass(?:es)?|nodules?|tumou?rs?|cysts?|carcinomas?|metastas[ie]s)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9])")


@dataclass(frozen=True, slots=True)
class LesionFacts:
    """What the structured report says of one lesion; lengths in cm to 0.1, None or () where it says nothing."""

    organ: str
    side: str | None
    number: int
    long_cm: float | None = None
    short_cm: float | None = None
    slice_number: int | None = None
    volume_ml: float | None = None
    segments: tuple[str, ...] = ()
    attenuation: str | None = None
    mean_hu: float | None = None
    sd_hu: float | None = None
    stage: str | None = None
    stage_gaps: tuple[str, ...] = ()
    resectability: str | None = None
    contacts: tuple[tuple[str, str, float, float], ...] = ()


def lesions_in_text(text: str) -> tuple[LesionFacts, ...]:
    """The lesions that a structured report states, by organ and number. Sentences of no template are passed over."""
    return _collect(s for s in (parse(sentence) for sentence in split_sentences(text)) if s is not None)


def lesions_of(findings: Iterable[Finding]) -> tuple[LesionFacts, ...]:
    """The lesions of findings, rounded as the report rounds them."""
    return _collect(s for f in findings for s in statements_of(f))


def split_sentences(text: str) -> list[str]:
    """Sentences of a report's text; headings and blank lines end a sentence."""
    lines = [line.strip() for line in text.splitlines()]
    return [s for line in lines if line for s in _SENTENCE.split(line)]


def structured_sentences(findings: Sequence[Finding]) -> list[str]:
    """The sentences of the findings in their order, by the first paraphrase of each template."""
    return [shipped_templates().write(s) for f in findings for s in statements_of(f)]


def _collect(statements: Iterable[Statement]) -> tuple[LesionFacts, ...]:
    facts: dict[tuple[str, int], dict[str, object]] = {}
    for said in statements:
        if said.get("number") is None:
            continue
        side, organ = said["place"] if said.key != "vessel contact" else (None, said["organ"])
        held = facts.setdefault((organ, said["number"]), {})
        if said.key != "vessel contact":
            held["side"] = side
        held.update(_values(said, held))
    ordered = sorted(facts)
    return tuple(LesionFacts(organ=o, number=n, **{"side": None, **facts[o, n]}) for o, n in ordered)  # type: ignore[arg-type]


def _values(said: Statement, held: dict[str, object]) -> dict[str, object]:
    if said.key == "lesion size":
        return {
            "long_cm": said["long"],
            "short_cm": said["short"],
            "slice_number": said["slice"],
            "volume_ml": said["volume"][0],
        }
    if said.key == "lesion segments":
        return {"segments": tuple(said["segments"])}
    if said.key in ("lesion attenuation", "lesion attenuation alone"):
        return {"attenuation": said.get("attenuation"), "mean_hu": said["mean"][0], "sd_hu": said["sd"][0]}
    if said.key == "lesion stage":
        return {"stage": said["stage"]}
    if said.key == "lesion stage limits":
        return {"stage_gaps": tuple(said["gaps"])}
    if said.key == "lesion resectability":
        return {"resectability": said["resectability"]}
    if said.key == "vessel contact":
        before = held.get("contacts", ())
        one = (said["place"][1], said["contact"], said["degrees"][0], said["length"][0])
        return {"contacts": tuple(sorted({*before, one}))}  # type: ignore[misc]
    return {}


_OPENINGS = (
    "{A} lesion of the {place} (lesion {number}) measures {size}{where}.",
    "In the {place} lesion {number} is {a} focus of {size}{where}.",
    "Lesion {number} of the {place}, {attenuated}, has a size of {size}{where}.",
)


def narrative(findings: Sequence[Finding], *, rng: np.random.Generator) -> str:
    """Prose with the same facts: sentences joined, units and order varied, drawn with `rng`."""
    paragraphs = []
    for lesion in lesions_of(findings):
        sentences = [_opening(lesion, rng), *_rest(lesion, rng)]
        paragraphs.append(" ".join(sentences))
    return "\n".join(paragraphs)


def _opening(lesion: LesionFacts, rng: np.random.Generator) -> str:
    place = f"{lesion.side} {lesion.organ}" if lesion.side else lesion.organ
    long, short = lesion.long_cm or 0.0, lesion.short_cm or 0.0
    in_mm = rng.random() < 0.4
    size = f"{long * 10:.0f} by {short * 10:.0f} mm" if in_mm else f"{long:.1f} x {short:.1f} cm"
    names = [_short_segment(s) for s in lesion.segments]
    where = f" in {' and '.join(names)}" if names else ""
    word = lesion.attenuation or ""
    article = "an" if word.startswith("iso") else "a"
    described = f"{article} {word}".strip()
    return _OPENINGS[int(rng.integers(len(_OPENINGS)))].format(
        A=described.capitalize(), a=described, place=place, number=lesion.number, size=size, where=where,
        attenuated=word or "outlined",
    )  # fmt: skip


def _rest(lesion: LesionFacts, rng: np.random.Generator) -> list[str]:
    said = []
    if lesion.volume_ml is not None:
        said.append(
            f"Its volume is {write_quantity(lesion.volume_ml, 'mL')}, best seen on slice {lesion.slice_number}."
        )
    if lesion.mean_hu is not None:
        said.append(f"The mean attenuation is {lesion.mean_hu:.0f} HU with a spread of {lesion.sd_hu:.0f} HU.")
    for vessel, kind, degrees, length in lesion.contacts:
        verb = "encases" if kind == "encasement" else "abuts"
        said.append(f"It {verb} the {vessel} over {degrees:.1f} degrees and {length:.1f} mm.")
    if lesion.stage:
        gaps = f"; no mask showed the {' and '.join(lesion.stage_gaps)}" if lesion.stage_gaps else ""
        said.append(f"The local stage is at least {lesion.stage}{gaps}.")
    if lesion.resectability:
        said.append(f"It is judged {lesion.resectability}.")
    rng.shuffle(said)
    return said


def _short_segment(name: str) -> str:
    if name.startswith("liver segment "):
        return f"segment {name.split()[-1]}"
    return f"the {name.replace(' of pancreas', ' of the pancreas')}"


def fused(note: str, findings: Sequence[Finding]) -> str:
    """A human's note with its tumour sentences replaced by the measured ones; all others stay word for word.

    A sentence is a tumour sentence when it names a lesion, mass, nodule, tumour, cyst, carcinoma or metastasis of
    an organ that was measured (no organ named: of any), and no tumour elsewhere.
    """
    organs = {f.organ for f in lesions_of(findings)}
    kept = [s for s in split_sentences(note) if not (_MENTION.search(s) and _names_measured(s, organs))]
    measured = structured_sentences([f for f in findings if f.attribute("number") is not None])
    return "\n".join([" ".join(kept), " ".join(measured)]).strip()


_ORGAN_WORDS = {
    "liver": ("liver", "hepatic", "segment"),
    "kidney": ("kidney", "renal"),
    "pancreas": ("pancreas", "pancreatic"),
    "spleen": ("spleen", "splenic"),
    "lung": ("lung", "pulmonary", "lobe"),
    "adrenal gland": ("adrenal",),
    "colon": ("colon", "colonic"),
}


def _names_measured(sentence: str, organs: set[str]) -> bool:
    lowered = sentence.casefold()
    named = {organ for organ, words in _ORGAN_WORDS.items() if any(word in lowered for word in words)}
    return bool(named & organs) or not named
