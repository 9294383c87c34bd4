"""The gate behind a restyler: a rewritten report must state the same facts, each of the same lesion.

Facts are read from free prose, not from templates: every number with its unit (lengths in mm), every side, segment,
vessel, stage and verdict, each tied to the lesion that was last named. A number of no known kind counts, too, so
that nothing can be added unseen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ROMAN = {r: str(i) for i, r in enumerate(("i", "ii", "iii", "iv", "v", "vi", "vii", "viii"), start=1)}
_NUMBER = r"-?\d+(?:\.\d+)?"
_ORGANS = {
    "liver": "liver", "hepatic": "liver", "kidney": "kidney", "renal": "kidney", "pancreas": "pancreas",
    "pancreatic": "pancreas", "spleen": "spleen", "splenic": "spleen", "lung": "lung", "adrenal gland": "adrenal gland",
    "colon": "colon", "stomach": "stomach", "duodenum": "duodenum", "bone": "bone", "prostate": "prostate",
}  # fmt: skip
_VESSELS = (
    "superior mesenteric artery", "superior mesenteric vein", "celiac trunk", "common hepatic artery", "portal vein",
    "inferior vena cava", "renal vein", "renal artery", "hepatic vein", "splenic vein", "aorta",
)  # fmt: skip
_WORDS = {
    "hypoattenuating": ("attenuation", "hypo"), "hypodense": ("attenuation", "hypo"),
    "isoattenuating": ("attenuation", "iso"), "isodense": ("attenuation", "iso"),
    "hyperattenuating": ("attenuation", "hyper"), "hyperdense": ("attenuation", "hyper"),
    "borderline resectable": ("verdict", "borderline"), "unresectable": ("verdict", "unresectable"),
    "resectable": ("verdict", "resectable"), "encases": ("contact", "encasement"),
    "encasement": ("contact", "encasement"), "abuts": ("contact", "contact"), "contact of": ("contact", "contact"),
    "upper pole": ("segment", "upper pole"), "lower pole": ("segment", "lower pole"),
    "interpolar region": ("segment", "interpolar"), "head of the pancreas": ("segment", "head"),
    "body of the pancreas": ("segment", "body"), "tail of the pancreas": ("segment", "tail"),
    "no": ("negation", "no"), "not": ("negation", "no"), "without": ("negation", "no"),
}  # fmt: skip
_SUBJECT = re.compile(r"\blesion (\d+)(?: of the (?:(left|right) )?([a-z]+))?", re.IGNORECASE)
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("subject", _SUBJECT),
    ("axes", re.compile(rf"({_NUMBER})\s*(?:x|by|×|and)\s*({_NUMBER})\s*(cm|mm)\b", re.IGNORECASE)),
    ("length", re.compile(rf"({_NUMBER})\s*(cm|mm)\b", re.IGNORECASE)),
    ("volume", re.compile(rf"({_NUMBER})\s*(?:mL|cc|cm³)", re.IGNORECASE)),
    ("attenuation value", re.compile(rf"({_NUMBER})\s*(?:HU|Hounsfield units?)", re.IGNORECASE)),
    ("degrees", re.compile(rf"({_NUMBER})\s*(?:°|degrees?)", re.IGNORECASE)),
    ("slice", re.compile(r"\bslice (\d+)", re.IGNORECASE)),
    (
        "segments",
        re.compile(r"\bsegments? ((?:[1-8]|[IV]+)(?:(?:, | and (?:segment )?|/)(?:[1-8]|[IV]+))*)\b", re.IGNORECASE),
    ),
    ("stage", re.compile(r"\b(T[1-4][abc]?)\b")),
    ("vessel", re.compile("|".join(_VESSELS), re.IGNORECASE)),
    ("word", re.compile(r"\b(" + "|".join(sorted(_WORDS, key=len, reverse=True)) + r")\b", re.IGNORECASE)),
    ("side", re.compile(r"\b(left|right)\b", re.IGNORECASE)),
    ("organ", re.compile(r"\b(" + "|".join(_ORGANS) + r")\b", re.IGNORECASE)),
    ("number", re.compile(_NUMBER)),
)


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """`kind` and `value` of one statement about `subject` ("liver 1"; "" before a lesion is named)."""

    subject: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a rewritten text states the same: what it lost, and what it added."""

    missing: tuple[Fact, ...]
    added: tuple[Fact, ...]

    @property
    def accepted(self) -> bool:
        return not self.missing and not self.added


def compare_facts(source: str, rewritten: str) -> Verdict:
    """The verdict on `rewritten` against `source`; both are prose about the same lesions."""
    before, after = facts(source), facts(rewritten)
    return Verdict(tuple(sorted(before - after)), tuple(sorted(after - before)))


def facts(text: str) -> frozenset[Fact]:
    """Every fact of a text. A lesion's name ties what follows it in the text, and its own sentence, to it."""
    found: set[Fact] = set()
    organ, subject = "", ""
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", text):
        named = _SUBJECT.search(sentence)
        if named:
            organ = _ORGANS.get((named[3] or "").casefold()) or _organ_in(sentence) or organ
            subject = f"{organ} {int(named[1])}"
        for kind, value in _values(sentence):
            found.add(Fact(subject, kind, value))
    return frozenset(found)


def _organ_in(sentence: str) -> str | None:
    for match in _PATTERNS[-2][1].finditer(sentence):
        return _ORGANS[match[0].casefold()]
    return None


def _values(sentence: str) -> Iterator[tuple[str, str]]:
    """(kind, value) of a sentence; each stretch of text is read once, by the first pattern that fits."""
    rest = sentence
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(rest):
            yield from _read(kind, match)
        rest = pattern.sub(lambda m: " " * len(m[0]), rest)


def _read(kind: str, match: re.Match[str]) -> Iterator[tuple[str, str]]:
    if kind == "subject":
        if match[2]:
            yield "side", match[2].casefold()
    elif kind == "axes":
        scale = 10.0 if match[3].casefold() == "cm" else 1.0
        yield "axes", f"{float(match[1]) * scale:.1f} x {float(match[2]) * scale:.1f}"
    elif kind == "length":
        yield "length", f"{float(match[1]) * (10.0 if match[2].casefold() == 'cm' else 1.0):.1f}"
    elif kind == "segments":
        for part in re.findall(r"[1-8]|[IVX]+", match[1], flags=re.IGNORECASE):
            if part.casefold() in _ROMAN or part.isdigit():
                yield "segment", _ROMAN.get(part.casefold(), part)
    elif kind in ("vessel", "side"):
        yield kind, match[0].casefold()
    elif kind == "stage":
        yield kind, match[1]
    elif kind == "word":
        yield _WORDS[match[1].casefold()]
    elif kind == "organ":
        return
    else:
        value = match[1] if match.re.groups else match[0]
        yield kind, f"{float(value):g}"
