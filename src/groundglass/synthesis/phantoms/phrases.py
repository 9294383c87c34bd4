"""Findings in words: noun phrases, sizes and places of one language, drawn at random from its data file.

A language is a file `data/words.LANGUAGE.json`; the grammar that uses it is the same for all. It was written from the
way reports are dictated, apart from the reader (`groundglass.text`), whose words it does not see.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from groundglass.core import ConfigurationError, Finding

_ROMAN = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII")
_ORDINAL = (
    "", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
)  # fmt: skip


@cache
def words(language: str) -> dict[str, Any]:
    """The data of a language. Raises ConfigurationError when there is none."""
    file = resources.files("groundglass.synthesis.phantoms") / "data" / f"words.{language}.json"
    if not re.fullmatch(r"[a-z]{2,3}", language) or not file.is_file():
        raise ConfigurationError(language, "is a language without words for simulated reports", "Use 'en'.")
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return data


def pick(options: list[Any] | tuple[Any, ...], rng: np.random.Generator) -> Any:
    return options[int(rng.integers(len(options)))]


@dataclass(frozen=True)
class Phrase:
    """A noun phrase; `counted` says whether it takes an article, `tail` what may follow it (a size, an uptake)."""

    text: str
    counted: bool = True
    tail: str = ""

    @property
    def whole(self) -> str:
        return self.text + self.tail

    @property
    def with_article(self) -> str:
        return (with_article(self.text) if self.counted else self.text) + self.tail


def noun_phrase(finding: Finding, rng: np.random.Generator, language: str, *, brief: bool = False) -> Phrase:
    """ "12 mm spiculated nodule in the left upper lobe", "small left pleural effusion". `brief` leaves details out."""
    data = words(language)
    entry = data["terms"][finding.what.name]
    if "phrases" in entry:
        return Phrase(_filled(pick(entry["phrases"], rng), finding, rng, data), tail=_tail(finding, rng, data, ""))
    noun = pick(entry["nouns"], rng)
    before: list[str] = []
    for kind, chance in (("severity", 1.0), ("uptake", 1.0), ("margin", 0.5), ("texture", 0.5)):
        value = finding.attribute(kind)
        if value in data.get(kind, {}) and rng.random() < (
            0.3 if brief and kind not in ("severity", "uptake") else chance
        ):
            # "Moderate-sized" fits an effusion, not an enlargement.
            fit = [word for word in data[kind][value] if noun not in entry.get("uncounted", ()) or "sized" not in word]
            before.append(pick(fit, rng))
    # "Area of consolidation" takes its place behind it.
    place_before, place_after = _place(finding, rng, data, behind=" of " in noun)
    size_before, size_after = ("", "") if brief and rng.random() < 0.5 else _size(finding, rng, data)
    parts = [size_before, *before, place_before, noun, place_after]
    counted = noun not in entry.get("uncounted", ())
    return Phrase(" ".join(part for part in parts if part), counted, _tail(finding, rng, data, size_after))


def _tail(finding: Finding, rng: np.random.Generator, data: dict[str, Any], size: str) -> str:
    tail = size
    uptake = finding.measurement("SUVmax")
    if uptake is not None:
        tail += pick(data["SUVmax"], rng).format(v=f"{uptake.value:.1f}")
        if finding.attribute("image") and rng.random() < 0.5:
            tail += pick(data["slice"], rng).format(k=finding.attribute("image"))
    return tail


def _filled(template: str, finding: Finding, rng: np.random.Generator, data: dict[str, Any]) -> str:
    level = finding.attribute("level") or (finding.where.anatomy.name.split()[0] if finding.where.anatomy else "")
    severity = finding.attribute("severity")
    slots = {
        "side": finding.where.side or "",
        "level": level,
        "ordinal": _ordinal(int(level), rng) if level.isdigit() else level,
        "severity": pick(data["severity"][severity], rng) if severity else "",
    }
    return " ".join(template.format(**slots).split())


def _ordinal(number: int, rng: np.random.Generator) -> str:
    if rng.random() < 0.5:
        return _ORDINAL[number]
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number, 'th') }"


def _place(finding: Finding, rng: np.random.Generator, data: dict[str, Any], *, behind: bool) -> tuple[str, str]:
    """A place before the noun or after it; both empty where the finding has none that is said."""
    anatomy = finding.where.anatomy
    if anatomy is None:
        return "", ""
    name, number = anatomy.name, ""
    if name.startswith("liver segment "):
        name, number = "liver segment", name.rsplit(" ", 1)[1]
    if name not in data["places"]:
        return "", ""
    options = data["places"][name]
    slots = {"side": finding.where.side or "", "n": number, "roman": _ROMAN[int(number)] if number else ""}
    ahead = options["before"] and not behind and rng.random() < 0.45
    text = pick(options["before" if ahead else "after"], rng).format(**slots)
    return (text, "") if ahead else ("", text)


def _size(finding: Finding, rng: np.random.Generator, data: dict[str, Any]) -> tuple[str, str]:
    """A size before the noun or behind the phrase; both empty where nothing was measured with a ruler."""
    long_axis, short_axis = finding.measurement("long axis"), finding.measurement("short axis")
    if long_axis is None:
        return "", ""
    two = short_axis is not None and rng.random() < 0.45
    centimetres = long_axis.value >= 10 and rng.random() < 0.45
    slots = {
        "a": length(long_axis.value, centimetres=centimetres),
        "b": length(short_axis.value, centimetres=centimetres) if short_axis else "",
        "u": "cm" if centimetres else "mm",
    }
    ahead = rng.random() < 0.5
    key = f"{'two ' if two else ''}{'before' if ahead else 'after'}"
    text = pick(data["size"][key], rng).format(**slots)
    return (text, "") if ahead else ("", text)


def length(mm: float, *, centimetres: bool) -> str:
    """ "12" or "1.2": whole millimetres, tenths of a centimetre."""
    return f"{mm / 10:.1f}" if centimetres else f"{mm:.0f}"


def denied(term: str, rng: np.random.Generator, language: str) -> str:
    entry = words(language)["terms"][term]
    return str(pick(entry.get("denied", entry["nouns"]), rng))


def with_article(phrase: str) -> str:
    first = phrase.lstrip()
    vowel = first[0].lower() in "aeio" or first.lower().startswith(("un", "hcc", "fdg"))
    if first[0].isdigit():
        vowel = first.startswith(("8", "11 ", "18 ", "11x", "80"))
    return f"{'an' if vowel else 'a'} {phrase}"


def sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
