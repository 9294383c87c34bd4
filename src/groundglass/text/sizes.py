"""Measurements in text: diameters, products of diameters, volumes, attenuation, uptake, angles, with UCUM units."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from groundglass.core import Measurement, Term, ontology
from groundglass.core.units import convert

_NUMBER = r"(\d\d{0,4}(?:[.,]\d{1,3})?)"  # a digit first: the search for it is fast
_LENGTH = r"(mm|cm|millimet(?:er|re)s?|centimet(?:er|re)s?|millimetr[oi]|centimetr[oi]|㎜|㎝|毫米|厘米|ミリ|センチ)"
_CENTIMETRES = frozenset("cC㎝厘セ")
_DIAMETERS = re.compile(
    rf"{_NUMBER}\s{{0,2}}(?:{_LENGTH})?(?:\s{{0,2}}(?:x|×|by)\s{{0,2}}{_NUMBER}\s{{0,2}}(?:{_LENGTH})?)?"
    rf"(?:\s{{0,2}}(?:x|×|by)\s{{0,2}}{_NUMBER}\s{{0,2}})?(?:-|\s{{0,2}})?{_LENGTH}(?![A-Za-z0-9_²³])",
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
_OTHER_UNIT = re.compile(r"[\dsS](?:(?<=\d)\s{0,2}(?i:ml|cc|cm3|cubic|hu|hounsfield|degree|°)|(?<=[sS])(?i:uv))")
"""Seen only where one of the patterns for other units may match."""
_SHORT = re.compile(r"[sS短aA](?i:(?<=s)hort(?:[\s-]|er )(?:axis|diameter)|(?<=短)[径軸]|(?<=a)sse (?:corto|minore))")
_AXES = ("long axis", "short axis", "third axis")
_PRIOR = tuple(
    f"{word} {more}"
    for word in (
        "previously",
        "formerly",
        "prior",
        "priorly",
        "compared to",
        "compared with",
        "versus",
        "vs",
        "vs.",
        "from",
    )
    for more in ("", "measured ", "measuring ", "about ")
)
_PRIOR = (*_PRIOR, "前回", "前回は", "原", "原来", "原为", "前次", "precedentemente ", "in precedenza ", "già ", "da ")
_WAS = ("was ", "were ", "era ", "erano ")
_PLACE = re.compile(
    r"[sSiI](?<=\b.)(?i:(?:(?<=s)er(?:ies)?|(?<=s)e)\.?[ :#]{0,2}(\d{1,4})"
    r"|(?:(?<=i)m(?:ages?|g)?|(?<=s)lices?)\.?[ :#]{0,2}(\d{1,4}))"
)


class Size(NamedTuple):
    """Measurements of one mention of size at sentence[start:end]; `is_prior` when they are of an earlier exam."""

    start: int
    end: int
    measurements: tuple[Measurement, ...]
    is_prior: bool


def sizes(sentence: str) -> list[Size]:
    """Every measurement of a sentence, in order. Lengths are given in mm."""
    found: list[Size] = []
    for match in _DIAMETERS.finditer(sentence):
        found.append(_lengths(sentence, match, is_first=not found))
    if _OTHER_UNIT.search(sentence):
        for pattern, kind, unit in _OTHERS:
            for match in pattern.finditer(sentence):
                is_prior = _is_prior(sentence, match.start(), is_first=True)
                found.append(Size(match.start(), match.end(), (_measured(kind, _value(match[1]), unit),), is_prior))
        found.sort(key=lambda size: size[:2])
    return found


def image_mentions(sentence: str) -> tuple[tuple[str, str], ...]:
    """("series", "4") and ("image", "23") for "series 4, image 23" and its short forms."""
    return tuple(("series", match[1]) if match[1] else ("image", match[2]) for match in _PLACE.finditer(sentence))


def _lengths(sentence: str, match: re.Match[str], *, is_first: bool) -> Size:
    first, unit, second, second_unit, third, last = match.groups()
    values = [_mm(first, unit or second_unit or last)]
    if second:
        values.append(_mm(second, second_unit or last))
    if third:
        values.append(_mm(third, last))
    values.sort(reverse=True)
    start, end = match.span()
    kinds: tuple[str, ...] = _AXES
    if len(values) == 1 and _SHORT.search(sentence, max(0, start - 40), end + 30):
        kinds = _AXES[1:]
    measured = tuple(_measured(kind, value, "mm") for kind, value in zip(kinds, values, strict=False))
    return Size(start, end, measured, _is_prior(sentence, start, is_first=is_first))


@lru_cache(maxsize=8192)
def _measured(kind: str, value: float, unit: str) -> Measurement:
    return Measurement(_term(kind), value, unit, method="stated in the report")


@cache
def _term(kind: str) -> Term:
    return ontology()[kind]


@lru_cache(maxsize=8192)
def _mm(number: str, unit: str) -> float:
    return round(convert(_value(number), "cm" if unit[0] in _CENTIMETRES else "mm", "mm"), 3)


def _value(number: str) -> float:
    return float(number.replace(",", "."))


def _is_prior(sentence: str, start: int, *, is_first: bool) -> bool:
    """ "Previously 6 mm", "from 6 mm"; "was 6 mm" only after another size ("is 9 mm, was 6 mm")."""
    before = sentence[max(0, start - 24) : start].lower()
    return before.endswith(_PRIOR) or (not is_first and before.endswith(_WAS))
