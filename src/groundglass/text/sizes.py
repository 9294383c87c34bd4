"""Measurements in text: diameters, products of diameters, volumes, attenuation, uptake, angles, with UCUM units."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from groundglass.core import Measurement, Term, ontology
from groundglass.core.units import convert

_NUMBER = r"(\d{1,5}(?:[.,]\d{1,3})?)"
_LENGTH = r"(mm|cm|millimet(?:er|re)s?|centimet(?:er|re)s?)"
_DIAMETERS = re.compile(
    rf"{_NUMBER}\s{{0,2}}(?:{_LENGTH})?(?:\s{{0,2}}(?:x|×|by)\s{{0,2}}{_NUMBER}\s{{0,2}}(?:{_LENGTH})?)?"
    rf"(?:\s{{0,2}}(?:x|×|by)\s{{0,2}}{_NUMBER}\s{{0,2}})?(?:-|\s{{0,2}})?{_LENGTH}\b",
    re.IGNORECASE,
)
_OTHERS = (
    (re.compile(rf"{_NUMBER}\s{{0,2}}(?:ml|cc|mL|cm3|cubic centimet(?:er|re)s?)\b", re.IGNORECASE), "volume", "mL"),
    (re.compile(r"(-?\d{1,5}(?:[.,]\d{1,3})?)\s{0,2}(?:hu|hounsfield units?)\b", re.I), "mean attenuation", "[hnsf'U]"),
    (
        re.compile(rf"suv[\s_-]?max\s{{0,2}}(?:of|is|was|:|=|value)?\s{{0,2}}{_NUMBER}", re.IGNORECASE),
        "SUVmax",
        "g/mL{SUVbw}",
    ),
    (
        re.compile(rf"suv[\s_-]?mean\s{{0,2}}(?:of|is|was|:|=|value)?\s{{0,2}}{_NUMBER}", re.IGNORECASE),
        "SUVmean",
        "g/mL{SUVbw}",
    ),
    (re.compile(rf"{_NUMBER}\s{{0,2}}(?:degrees?|°)", re.IGNORECASE), "angle", "deg"),
)
_OTHER_UNITS = re.compile(r"ml\b|cc\b|cm3|cubic|hu\b|hounsfield|suv|degree|°", re.IGNORECASE)
_SHORT = re.compile(r"short[\s-](?:axis|diameter)|short(?:er)? (?:axis|diameter)", re.IGNORECASE)
_PRIOR = re.compile(
    r"(?:previously|formerly|prior(?:ly)?|was|were|compared (?:to|with)|versus|vs\.?|from)\s{1,2}"
    r"(?:measured\s|measuring\s|about\s)?$",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\b(?:ser(?:ies)?|se)\.?[ :#]{0,2}(\d{1,4})|\b(?:im(?:ages?|g)?|slices?)\.?[ :#]{0,2}(\d{1,4})", re.IGNORECASE
)


class Size(NamedTuple):
    """Measurements of one mention of size at sentence[start:end]; `is_prior` when they are of an earlier exam."""

    start: int
    end: int
    measurements: tuple[Measurement, ...]
    is_prior: bool


def sizes(sentence: str) -> list[Size]:
    """Every measurement of a sentence, in order. Lengths are given in mm."""
    found = [_lengths(sentence, match) for match in _DIAMETERS.finditer(sentence)]
    for pattern, kind, unit in _OTHERS if _OTHER_UNITS.search(sentence) else ():
        for match in pattern.finditer(sentence):
            value = Measurement(_term(kind), _value(match[1]), unit, method="stated in the report")
            found.append(Size(match.start(), match.end(), (value,), _is_prior(sentence, match.start())))
    return sorted(found)


def image_mentions(sentence: str) -> tuple[tuple[str, str], ...]:
    """("series", "4") and ("image", "23") for "series 4, image 23" and its short forms."""
    return tuple(("series", match[1]) if match[1] else ("image", match[2]) for match in _PLACE.finditer(sentence))


def _lengths(sentence: str, match: re.Match[str]) -> Size:
    last = match[6]
    pairs = [(match[1], match[2] or match[4] or last), (match[3], match[4] or last), (match[5], last)]
    values = [convert(_value(number), _ucum(unit), "mm") for number, unit in pairs if number]
    values = sorted((round(value, 3) for value in values), reverse=True)
    kinds = ["long axis", "short axis", "third axis"]
    if len(values) == 1 and _SHORT.search(sentence, max(0, match.start() - 40), match.end() + 30):
        kinds = ["short axis"]
    measured = tuple(
        Measurement(_term(kind), value, "mm", method="stated in the report")
        for kind, value in zip(kinds, values, strict=False)
    )
    return Size(match.start(), match.end(), measured, _is_prior(sentence, match.start()))


@cache
def _term(kind: str) -> Term:
    return ontology()[kind]


def _ucum(unit: str) -> str:
    return "cm" if unit.lower().startswith("c") else "mm"


def _value(number: str) -> float:
    return float(number.replace(",", "."))


def _is_prior(sentence: str, start: int) -> bool:
    return _PRIOR.search(sentence, max(0, start - 40), start) is not None
