"""An answer, and the way from raw words to an item's own format: numbers, choices, yes and no, dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from typing import Literal

from groundglass.core.errors import ConfigurationError
from groundglass.core.units import UNITS, convert
from groundglass.text.structured.registry import Item

AnswerStatus = Literal["filled", "not reported", "conflict", "invalid"]

NOT_REPORTED = "not reported"
NEAREST = 0.75
"""A choice is snapped to the allowed value whose spelling is at least this similar (ratio of `difflib`)."""

_UNREPORTED = frozenset({"", "not reported", "non riportato", "n/a", "not stated", "not mentioned", "none reported"})
_NUMBER = re.compile(r"(-?\d{1,6}(?:[.,]\d{1,4})?)\s{0,2}([A-Za-z%µ][A-Za-z0-9]{0,3})?")
_UNIT_WORDS = {
    "mm": "mm", "cm": "cm", "ml": "mL", "cc": "mL", "l": "L", "hu": "[hnsf'U]", "%": "%", "deg": "deg",
}  # fmt: skip
_YES = frozenset({"yes", "y", "true", "present", "si", "sì"})
_NO = frozenset({"no", "n", "false", "absent"})
_ISO = re.compile(r"\b(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})\b")
_DAY_FIRST = re.compile(r"\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})\b")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MESI = ("gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic")
_WRITTEN = re.compile(
    r"\b(\d{1,2})\s{1,2}([A-Za-z]{3,9})\.?,?\s{1,2}(\d{4})\b|\b([A-Za-z]{3,9})\s{1,2}(\d{1,2}),?\s{1,2}(\d{4})\b"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a report answers to one item. `value` is in the item's own format, "" when nothing is filled.

    Several values (numbers of several lesions, multiple choices) are joined by "; ". `raw` is what was said, `p` the
    probability that a model gave, `span` the sentence's place in the text, `candidates` what else was answered.
    """

    value: str = ""
    unit: str = ""
    raw: str = ""
    p: float | None = None
    span: tuple[int, int] | None = None
    status: AnswerStatus = "not reported"
    candidates: tuple[str, ...] = ()


def parse_answer(
    item: Item, raw: str, *, p: float | None = None, span: tuple[int, int] | None = None, language: str = "en"
) -> Answer:
    """`raw` in the item's format; status "invalid" when it does not parse or is no allowed value."""
    said = " ".join(raw.split())
    if said.rstrip(".").casefold() in _UNREPORTED:
        return Answer(raw=raw, p=p)
    value = _VALUES[item.type](item, said, language)
    if value is None:
        return Answer("", item.unit, raw, p, span, "invalid")
    return Answer(value, item.unit, raw, p, span, "filled")


def number_text(value: float) -> str:
    """A number as the form writes it: at most three decimals, no trailing zeros, a decimal point."""
    return f"{round(value, 3):.3f}".rstrip("0").rstrip(".")


def _text(item: Item, said: str, language: str) -> str | None:
    return said


def _number(item: Item, said: str, language: str) -> str | None:
    """The number in the item's unit; several ones only where the item allows them; a bare number has its unit."""
    found = []
    for match in _NUMBER.finditer(said):
        value = float(match[1].replace(",", "."))
        unit = _UNIT_WORDS.get((match[2] or "").casefold())
        if item.unit and unit and unit != item.unit:
            if UNITS[unit][0] != UNITS[item.unit][0]:
                return None
            value = convert(value, unit, item.unit)
        found.append(number_text(value))
    found = list(dict.fromkeys(found))
    if not found or (len(found) > 1 and not item.several):
        return None
    return "; ".join(found)


def _choice(item: Item, said: str, language: str) -> str | None:
    return snapped(item, said, language)


def _choices(item: Item, said: str, language: str) -> str | None:
    parts = [part.strip() for part in re.split(r"[;,]|\band\b|\be\b", said) if part.strip()]
    whole = snapped(item, said, language)
    found = {whole} if whole else {snapped(item, part, language) for part in parts}
    if not found or None in found:
        return None
    return "; ".join(value for value in item.values if value in found)


def _yes_no(item: Item, said: str, language: str) -> str | None:
    word = said.casefold().rstrip(".!")
    return "yes" if word in _YES else "no" if word in _NO else None


def _date(item: Item, said: str, language: str) -> str | None:
    return date_in(said)


def snapped(item: Item, said: str, language: str) -> str | None:
    """The allowed value that `said` is, means, or is spelt most like; None below the threshold or on a draw."""
    word = said.casefold().rstrip(".")
    meant = {value: (value, *words.get(language, ())) for value, words in item.values.items()}
    for value, phrases in meant.items():
        if word in (phrase.casefold() for phrase in phrases):
            return value
    ratios = {
        value: max(SequenceMatcher(None, word, phrase.casefold()).ratio() for phrase in phrases)
        for value, phrases in meant.items()
    }
    best = max(ratios.values())
    nearest = [value for value, ratio in ratios.items() if ratio == best]
    return nearest[0] if best >= NEAREST and len(nearest) == 1 else None


def date_in(text: str) -> str | None:
    """The first date of a text as YYYY-MM-DD: ISO, day first with four-digit year, or with the month's name."""
    for found in (_ISO.search(text), _DAY_FIRST.search(text), _WRITTEN.search(text)):
        if found is not None and (parts := _year_month_day(found)) is not None:
            try:
                return date(*parts).isoformat()
            except ValueError:
                continue
    return None


def _year_month_day(match: re.Match[str]) -> tuple[int, int, int] | None:
    if match.re is _ISO:
        return int(match[1]), int(match[2]), int(match[3])
    if match.re is _DAY_FIRST:
        return int(match[3]), int(match[2]), int(match[1])
    word = (match[2] or match[4])[:3].casefold()
    month = next((names.index(word) + 1 for names in (_MONTHS, _MESI) if word in names), None)
    if month is None:
        return None
    return int(match[3] or match[6]), month, int(match[1] or match[5])


def joined(values: Sequence[str]) -> str:
    """Several values as one answer."""
    return "; ".join(dict.fromkeys(values))


_VALUES = {
    "text": _text,
    "number": _number,
    "choice": _choice,
    "choices": _choices,
    "yes-no": _yes_no,
    "date": _date,
}


def well_formed(item: Item, value: str) -> bool:
    """Whether a value is in the item's own format: parsing it gives it back ("" is "not reported")."""
    if not value:
        return True
    if item.type in ("choice", "choices"):
        parts = value.split("; ")
        return all(part in item.values for part in parts) and (item.type == "choices" or len(parts) == 1)
    return parse_answer(item, value).value == value


def not_an_item(item_id: str, form: str) -> ConfigurationError:
    """The error for an answer to a question that the form does not ask."""
    return ConfigurationError(item_id, f"is not an item of {form}", "Use an id of the template.")
