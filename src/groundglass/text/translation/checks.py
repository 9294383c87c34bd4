"""The gate of machine translations (card of CT-BERT-JPN): numbers, sides, negations, length and left-over words.

What a translation loses most often is what labels and patients depend on: a number, a side, a "no". Each is counted in
both languages with the readers of `groundglass.text` and has to agree sentence by sentence, or in all where the
sentences do not pair off.
"""

from __future__ import annotations

import re
from collections import Counter

from groundglass.text.folding import UNSPACED
from groundglass.text.items import items_of
from groundglass.text.lexicon import lexicon
from groundglass.text.plain import plain
from groundglass.text.reading import remembered
from groundglass.text.sentences import sentences

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_UNIT = re.compile(
    r"\d\s{0,2}(mm|cm|ml|hu|㎜|㎝|millimet(?:er|re)s?|centimet(?:er|re)s?|ミリ|センチ|毫米|厘米)", re.IGNORECASE
)
_UNITS = {"㎜": "mm", "ミリ": "mm", "毫米": "mm", "㎝": "cm", "センチ": "cm", "厘米": "cm"}
_LATIN = re.compile(r"[A-Za-z]{3,}")
ALLOWED = frozenset(
    {"ggo", "covid", "copd", "suv", "suvmax", "max", "pet", "mri", "crazy", "paving", "pattern", "tree"}
)
"""Latin words that may stay in a text of another script."""

RATIOS = {"ja": (0.15, 1.2), "zh": (0.1, 1.0), "it": (0.6, 1.8), "en": (0.5, 8.0)}
"""Characters of the translation per character of the source, by target language."""


def gate(original: str, translated: str, *, source: str = "en", target: str = "ja") -> tuple[str, ...]:
    """What speaks against a translation; empty when it passes."""
    problems = []
    one, other = plain(original), plain(translated)
    if _numbers(one) != _numbers(other):
        problems.append("numbers differ")
    if _units(one) != _units(other):
        problems.append("units differ")
    pairs = _paired(one, other)
    if any(_sides(a, source) != _sides(b, target) for a, b in pairs):
        problems.append("sides differ")
    if any(_denied(a, source) != _denied(b, target) for a, b in pairs):
        problems.append("negations differ")
    low, high = RATIOS[target]
    if not low <= len(other) / max(1, len(one)) <= high:
        problems.append("length is out of proportion")
    if target in UNSPACED and (left := {word.lower() for word in _LATIN.findall(other)} - ALLOWED):
        problems.append(f"words are left over: {', '.join(sorted(left))}")
    return tuple(problems)


def _numbers(text: str) -> Counter[float]:
    return Counter(float(number.replace(",", ".")) for number in _NUMBER.findall(text))


def _units(text: str) -> Counter[str]:
    found = [unit.lower() for unit in _UNIT.findall(text)]
    return Counter(
        _UNITS.get(unit, "cm" if unit.startswith("cent") else "mm" if unit.startswith("mil") else unit)
        for unit in found
    )


def _paired(one: str, other: str) -> list[tuple[str, str]]:
    """Sentences side by side where both texts have as many, else the whole texts."""
    first = [one[start:end] for start, end in sentences(one)]
    second = [other[start:end] for start, end in sentences(other)]
    return list(zip(first, second, strict=True)) if len(first) == len(second) else [(one, other)]


def _sides(text: str, language: str) -> Counter[str]:
    """Left, right and both, as words or inside a place ("bibasilar"); both is one of each."""
    words = lexicon(language)
    found: Counter[str] = Counter()
    for item in items_of(text, words):
        side = item.value if item.kind == "side" else None
        if item.kind == "anatomy":
            side = item.value[1]  # type: ignore[index]
        if side in ("left", "right"):
            found[str(side)] += 1
        elif side == "bilateral":
            found.update(("left", "right"))
    return found


def _denied(text: str, language: str) -> int:
    """How many findings a text denies."""
    return sum(draft.status == "absent" for draft in remembered(text, language))
