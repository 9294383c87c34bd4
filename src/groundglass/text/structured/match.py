"""Where a form's own words stand in a sentence, which part of it they govern, and whether it denies them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from groundglass.core.errors import ConfigurationError
from groundglass.core.finding import Status
from groundglass.text.lexicon import lexicon
from groundglass.text.reading import remembered
from groundglass.text.structured.registry import Template, Words

_PROBE = {"en": "mass"}
"""A word that the grammar of the language knows as a finding: it stands in for a phrase to learn its status."""
_DENIED = {
    "it": re.compile(r"\b(?:non|nessun[ao]?|né|assenza|assent[ei]|senza|priv[oaie]|negativ[oaie])\b", re.IGNORECASE),
    "en": re.compile(r"\b(?:no|not|without|absent|negative|free of)\b", re.IGNORECASE),
}
_COMMA = re.compile(r"[,;:.]")
_BREAK = re.compile(r"[,;:]|\b(?:and|but|with|while|e|ed|ma|con|mentre)\b", re.IGNORECASE)
_LIST_ONLY = re.compile(r"[\s,/]*(?:and|or|e|ed|o|the|il|la|lo|i|le|gli|nor)?[\s,]*(?:the|il|la|lo|i|le|gli)?\s*", re.I)


class Hit(NamedTuple):
    """A phrase of some items at sentence[start:end], and the parts before and after it that speak of it."""

    items: tuple[str, ...]
    start: int
    end: int
    before: tuple[int, int]
    after: tuple[int, int]


class Phrases(NamedTuple):
    """Phrases as one pattern, and each phrase with what it stands for (items of a form, values of an item)."""

    pattern: re.Pattern[str] | None
    meanings: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]

    def meaning(self, said: str) -> tuple[str, ...]:
        """What the words that the pattern matched stand for; a phrase without an open ending comes first."""
        return next((names for pattern, names in self.meanings if pattern.fullmatch(said)), ())


def in_language(words: Words, language: str) -> tuple[str, ...]:
    """The phrases of this language."""
    return tuple(words.get(language, ()))


@lru_cache(maxsize=64)
def pattern_of(phrases: tuple[str, ...]) -> re.Pattern[str] | None:
    """Whole words, any case, the longest phrase first; None without phrases. "*" stands for any ending of a word."""
    if not phrases:
        return None
    parts = [_part(phrase) for phrase in sorted(phrases, key=len, reverse=True)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE)


def _part(phrase: str) -> str:
    return r"[\s-]{1,3}".join(
        re.escape(word.rstrip("*")) + (r"\w{0,12}" if word.endswith("*") else "") for word in phrase.split()
    )


def compiled(meaning: Mapping[str, tuple[str, ...]]) -> Phrases:
    """Phrases with their meanings, ready to be looked for."""
    ordered = sorted(meaning, key=lambda phrase: ("*" in phrase, -len(phrase)))
    rows = tuple((re.compile(_part(phrase), re.IGNORECASE), meaning[phrase]) for phrase in ordered)
    return Phrases(pattern_of(tuple(meaning)), rows)


def phrases_of(template: Template, language: str) -> Phrases:
    """The `words` of all items whose answer is a part of a sentence; they compete for it. Texts take it whole."""
    items: dict[str, tuple[str, ...]] = {}
    for item in template:
        if item.type not in ("text", "date"):
            for phrase in in_language(item.words, language):
                items[phrase.casefold()] = (*items.get(phrase.casefold(), ()), item.id)
    return compiled(items)


def hits(sentence: str, phrases: Phrases) -> list[Hit]:
    """The items' phrases in a sentence. Between two of them, what stands before the last break belongs to the first."""
    if phrases.pattern is None:
        return []
    found = [(match.start(), match.end(), match[0]) for match in phrases.pattern.finditer(sentence)]
    borders = [(_first_break(sentence, a[1], b[0]), _last_break(sentence, a[1], b[0])) for a, b in pairwise(found)]
    result: list[Hit] = []
    for index, (start, end, said) in enumerate(found):
        low = borders[index - 1][0] if index else 0
        high = borders[index][1] if index < len(borders) else len(sentence)
        result.append(Hit(phrases.meaning(said), start, end, (low, start), (end, high)))
    return _shared(sentence, result)


def _shared(sentence: str, found: list[Hit]) -> list[Hit]:
    """ "Spleen and liver are normal": members of a list share what is said after, or before, all of them."""
    for index in range(len(found) - 2, -1, -1):
        if _LIST_ONLY.fullmatch(sentence, found[index].end, found[index + 1].start):
            found[index] = found[index]._replace(after=found[index + 1].after)
            if not sentence[slice(*found[index + 1].before)].strip(" ,"):
                found[index + 1] = found[index + 1]._replace(before=found[index].before)
    return found


def _first_break(sentence: str, start: int, end: int) -> int:
    found = _BREAK.search(sentence, start, end)
    return found.end() if found else end


def _last_break(sentence: str, start: int, end: int) -> int:
    return max((found.start() for found in _BREAK.finditer(sentence, start, end)), default=end)


def status_of(sentence: str, start: int, end: int, language: str) -> Status:
    """Whether the sentence asserts, denies or doubts its phrase sentence[start:end], by the grammar of the text room.

    A language without a grammar knows only words that deny, between the same two commas.
    """
    probe = _PROBE.get(language)
    if probe is None or not has_grammar(language):
        return "absent" if _is_denied(sentence, start, end, language) else "present"
    tried = f"{sentence[:start]}{probe}{sentence[end:]}"
    for draft in remembered(tried, language):
        if draft.start <= start < draft.end:
            return draft.status
    return "present"


def _is_denied(sentence: str, start: int, end: int, language: str) -> bool:
    """Whether a word that denies stands beside the phrase, up to the next comma."""
    denied = _DENIED.get(language)
    if denied is None:
        return False
    low = max((match.end() for match in _COMMA.finditer(sentence, 0, start)), default=0)
    stop = _COMMA.search(sentence, end)
    high = stop.start() if stop else len(sentence)
    return denied.search(sentence, low, start) is not None or denied.search(sentence, end, high) is not None


def has_grammar(language: str) -> bool:
    """Whether reports of this language can be read into findings."""
    try:
        lexicon(language)
    except ConfigurationError:
        return False
    return True
