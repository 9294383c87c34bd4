"""Sentences of PET/CT reports that name one lesion by its SUVmax and its slice (card of ConTEXTual Net 3D, part A).

One sentence gives one (text, SUVmax, slice) or the reason why it gives none: a value of an earlier exam, an organ of
reference, a range of values or more than one lesion. Before training, both numbers are taken out of the text: they
would tell the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from groundglass.text.plain import plain
from groundglass.text.reading import stating_sentences

Reason = Literal["", "no SUVmax", "no slice", "earlier exam", "reference organ", "range", "several lesions"]

_VALUE = r"(\d{1,3}(?:[.,]\d{1,2})?)"
_LINK = (
    r"\s{0,2}(?:\(?g/ml\)?\s?)?(?:of|is|was|=|:|measures|measuring|up to|at|value of)?\s{0,2}"
    r"(?:about |approximately |~)?"
)
_SUV_NAME = r"(?:maximum|max\.?|peak)?\s?\bSUV(?:\s?[-_ ]?(?:max|maximum|bw)\b\.?)?(?:\s?\(max\))?"
_SUV = re.compile(rf"{_SUV_NAME}{_LINK}{_VALUE}", re.IGNORECASE)
_RANGE = re.compile(
    rf"SUV\s?(?:max)?\s{{0,2}}(?:range[sd]?|ranging|between|from|of)?\s{{0,2}}(?:from |between )?"
    rf"{_VALUE}\s?(?:-|–|to|and)\s?{_VALUE}",
    re.IGNORECASE,
)
_SLICE = re.compile(
    r"\b(?:(?:axial|ct|pet|fused|transaxial)\s)?(?:image|slice|im|img|sl)s?\.?\s?(?:no\.?|number|#)?\s?"
    r"(?:\d{1,3}\s?/\s?)?(\d{1,4})\b"
    r"|\b(?:series|se)\.?\s?\d{1,3}\s?[,/]\s?(?:image|im)?\.?\s?(\d{1,4})\b",
    re.IGNORECASE,
)
_LED_SUV = re.compile(rf"(?:\b(?:with|demonstrates|shows|has|of)\s)?(?:\ban?\s)?{_SUV.pattern}", re.IGNORECASE)
_LED_SLICE = re.compile(rf"(?:\b(?:on|in|at)\s)?(?:the\s)?(?:{_SLICE.pattern})", re.IGNORECASE)
_EARLIER = re.compile(
    r"\b(?:previous(?:ly)?|prior|formerly|earlier|compared (?:to|with)|was SUV|last (?:exam|scan|study)|"
    r"before treatment|baseline)\b",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"\b(?:liver|hepatic|blood pool|mediastinal blood|aort(?:a|ic arch)|background|spleen|parotid|bladder|brain|"
    r"myocardi\w+|physiologic\w*)\b",
    re.IGNORECASE,
)
_METASTATIC = re.compile(
    r"\b(?:lesion|metasta\w+|mass|nodule|tumou?r|deposit|implant|node|lymphadenopathy|focus)\b", re.I
)
_SEVERAL = re.compile(
    r"\b(?:both|multiple|several|two|three|numerous|respectively|lesions|nodes|nodules|metastases|foci)\b", re.I
)


class Mined(NamedTuple):
    """A sentence at text[start:end], its uptake and slice (None where not usable), why it was dropped ("": kept), and
    how many decimals the uptake was stated with."""

    start: int
    end: int
    suv_max: float | None
    slice: int | None
    dropped: Reason
    decimals: int = 0


def mined(text: str, *, language: str = "en") -> Iterator[Mined]:
    """Every sentence that names an SUV or a slice, in order, kept or with the reason why it is not."""
    whole = plain(text)
    for _, start, end in stating_sentences(whole, language):
        found = _mined(whole[start:end])
        if found is not None:
            yield Mined(start, end, *found)


def without_numbers(sentence: str) -> str:
    """The sentence without its uptake and slice."""
    cut = _LED_SLICE.sub("", _LED_SUV.sub("", sentence))
    cut = re.sub(r"\(\s*[,;]?\s*\)|(?<=\()\s*[,;]\s*", "", cut)
    cut = re.sub(r"[,;:]\s*(?=[,;.])", "", re.sub(r"\s{2,}", " ", cut))
    return re.sub(r"\s+(?=[,.;)])", "", cut).strip()


def _mined(sentence: str) -> tuple[float | None, int | None, Reason, int] | None:
    stated = [match[1].replace(",", ".") for match in _SUV.finditer(sentence)]
    values = [float(value) for value in stated]
    decimals = len(stated[0].partition(".")[2]) if stated else 0
    slices = [int(match[1] or match[2]) for match in _SLICE.finditer(sentence)]
    if _RANGE.search(sentence):
        return None, None, "range", 0
    if not values and not slices:
        return None
    if not values:
        return None, slices[0], "no SUVmax", decimals
    if not slices:
        return values[0], None, "no slice", decimals
    if _REFERENCE.search(sentence) and not _METASTATIC.search(sentence):
        return None, None, "reference organ", decimals
    if _EARLIER.search(sentence):
        return None, None, "earlier exam", decimals
    if len(values) > 1 or len(set(slices)) > 1 or _SEVERAL.search(sentence):
        return None, None, "several lesions", decimals
    return values[0], slices[0], "", decimals
