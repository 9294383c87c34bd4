"""The typed gaps of a sentence template: each is written in a language and read back to the same value.

Values: Choice and Term give a string (the choice's key, the term's name), ListOf a tuple of them, Number a
float, Count an int, Quantity (value, UCUM unit), Place (side or None, term name), Text a string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from groundglass.core import Term, ontology
from groundglass.core.errors import ConfigurationError
from groundglass.report import numbers

SIDE_WORDS = {
    "left": {"en": "left", "id": "kiri"},
    "right": {"en": "right", "id": "kanan"},
    "bilateral": {"en": "bilateral", "id": "bilateral"},
    "midline": {"en": "midline", "id": "garis tengah"},
}
_SIDE_LAST = {"id"}
_AND = {"en": "and", "id": "dan"}


class Slot(Protocol):
    """One kind of gap. `normal` is the value as the text can carry it (rounded, as a name)."""

    def normal(self, value: Any) -> Any: ...

    def write(self, value: Any, language: str) -> str: ...

    def pattern(self, language: str) -> str: ...

    def read(self, text: str, language: str) -> Any: ...

    def examples(self) -> Sequence[Any]: ...


@dataclass(frozen=True)
class Choice:
    """One of a closed list: key -> word per language (English is the fallback)."""

    words: Mapping[str, Mapping[str, str]]

    def normal(self, value: Any) -> str:
        if str(value) not in self.words:
            raise ConfigurationError(value, "is not a choice of this slot", f"Use one of {', '.join(self.words)}.")
        return str(value)

    def word(self, key: str, language: str) -> str:
        return self.words[key].get(language, self.words[key]["en"])

    def write(self, value: Any, language: str) -> str:
        return self.word(self.normal(value), language)

    def pattern(self, language: str) -> str:
        return _alternatives(self.word(key, language) for key in self.words)

    def read(self, text: str, language: str) -> str:
        wanted = text.casefold()
        return next(key for key in self.words if self.word(key, language).casefold() == wanted)

    def examples(self) -> Sequence[str]:
        return tuple(self.words)


@dataclass(frozen=True)
class ListOf:
    """One or more choices, in the order given: `segment 5 and segment 8`, `a, b and c`."""

    item: Choice

    def normal(self, value: Any) -> tuple[str, ...]:
        values = [value] if isinstance(value, str) else list(value)
        if not values:
            raise ConfigurationError("list", "is empty, so nothing can be named", "Leave the sentence out.")
        return tuple(self.item.normal(v) for v in values)

    def write(self, value: Any, language: str) -> str:
        words = [self.item.write(v, language) for v in self.normal(value)]
        glue = f" {_AND.get(language, 'and')} "
        return glue.join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]

    def pattern(self, language: str) -> str:
        one = self.item.pattern(language)
        return rf"{one}(?:, {one})*(?: {_AND.get(language, 'and')} {one})?"

    def read(self, text: str, language: str) -> tuple[str, ...]:
        found = re.findall(self.item.pattern(language), text, flags=re.IGNORECASE)
        return tuple(self.item.read(word, language) for word in found)

    def examples(self) -> Sequence[tuple[str, ...]]:
        keys = tuple(self.item.words)
        return [keys[:1], keys[-1:], keys[:2], keys[::-1][:3]]


@dataclass(frozen=True)
class Number:
    """A number with a fixed count of decimals; its unit stands in the template's text."""

    places: int = 1
    unit: str = ""

    def normal(self, value: Any) -> float:
        return numbers.rounded(float(value), self.places)

    def write(self, value: Any, language: str) -> str:
        return numbers.write_number(float(value), self.places, language)

    def pattern(self, language: str) -> str:
        return numbers.number_pattern(self.places, language)

    def read(self, text: str, language: str) -> float:
        return numbers.read_number(text, language)

    def examples(self) -> Sequence[float]:
        return [0.0, 1.0, 12.34567, 1234.5, 0.05, 99.95]


@dataclass(frozen=True)
class Count:
    """A whole number in digits."""

    def normal(self, value: Any) -> int:
        return int(value)

    def write(self, value: Any, language: str) -> str:
        return str(int(value))

    def pattern(self, language: str) -> str:
        return r"\d+"

    def read(self, text: str, language: str) -> int:
        return int(text)

    def examples(self) -> Sequence[int]:
        return [1, 2, 17]


@dataclass(frozen=True)
class Quantity:
    """A number with its unit, rounded by the unit's rule; the unit is part of the value."""

    def normal(self, value: Any) -> tuple[float, str]:
        return numbers.quantity(float(value[0]), value[1])

    def write(self, value: Any, language: str) -> str:
        return numbers.write_quantity(float(value[0]), value[1], language)

    def pattern(self, language: str) -> str:
        return numbers.quantity_pattern(language)

    def read(self, text: str, language: str) -> tuple[float, str]:
        return numbers.read_quantity(text, language)

    def examples(self) -> Sequence[tuple[float, str]]:
        return [(v, u) for u in numbers.UNIT_WORDS for v in (0.0, 0.4567, 9.996, 1523.26, -31.5)]


@dataclass(frozen=True)
class TermName:
    """The name of an ontology term of some kinds; the language's first synonym where it has one."""

    kinds: tuple[str, ...] = ("finding",)

    def normal(self, value: Any) -> str:
        return ontology()[value.name if isinstance(value, Term) else value].name

    def write(self, value: Any, language: str) -> str:
        return term_word(self.normal(value), language)

    def pattern(self, language: str) -> str:
        return _alternatives(_term_words(self.kinds, language))

    def read(self, text: str, language: str) -> str:
        return _term_words(self.kinds, language)[text.casefold()]

    def examples(self) -> Sequence[str]:
        return _spread(self.kinds)


@dataclass(frozen=True)
class Place:
    """A structure with its side: `left lung`, `aorta`. `kinds` are the ontology kinds that it may name."""

    kinds: tuple[str, ...] = ("anatomy",)

    def normal(self, value: Any) -> tuple[str | None, str]:
        side, name = value
        return side, TermName(self.kinds).normal(name)

    def write(self, value: Any, language: str) -> str:
        side, name = self.normal(value)
        word = term_word(name, language)
        if side is None:
            return word
        side_word = SIDE_WORDS[side].get(language, side)
        joined = f"{word} {side_word}" if language in _SIDE_LAST else f"{side_word} {word}"
        # "left ventricle" is a structure of its own; the side of a ventricle is then put in brackets.
        clash = joined.casefold() in _term_words(self.kinds, language)
        return f"{word} ({side_word})" if clash else joined

    def pattern(self, language: str) -> str:
        names = _alternatives(_term_words(self.kinds, language))
        sides = _alternatives(words.get(language, words["en"]) for words in SIDE_WORDS.values())
        plain = rf"{names}(?: {sides})?" if language in _SIDE_LAST else rf"(?:{sides} )?{names}"
        return rf"(?:{plain}|{names} \({sides}\))"

    def read(self, text: str, language: str) -> tuple[str | None, str]:
        words = _term_words(self.kinds, language)
        whole = words.get(text.casefold())
        if whole:
            return None, whole
        for side, forms in SIDE_WORDS.items():
            form = forms.get(language, forms["en"])
            for name in (text.removesuffix(f" ({form})"), *self._without(text, form, language)):
                if name != text and name.casefold() in words:
                    return side, words[name.casefold()]
        raise ConfigurationError(text, "names no structure", "Write it with the same table.")

    @staticmethod
    def _without(text: str, form: str, language: str) -> list[str]:
        if language in _SIDE_LAST:
            return [text.removesuffix(f" {form}")]
        return [text[len(form) + 1 :]] if text.casefold().startswith(f"{form} ") else []

    def examples(self) -> Sequence[tuple[str | None, str]]:
        sides = (None, *SIDE_WORDS)
        return [(sides[i % len(sides)], name) for i, name in enumerate(_spread(self.kinds))]


@dataclass(frozen=True)
class Text:
    """Free text of one line, given by a header or a person; it is carried, never interpreted.

    `accept` narrows it to a regular expression, `sample` is a value that fits it.
    """

    accept: str = r"[^\n]+?"
    sample: str = "a, b (c); d <e>"

    def normal(self, value: Any) -> str:
        text = " ".join(str(value).split())
        if not re.fullmatch(self.accept, text):
            raise ConfigurationError(text, f"does not fit the slot's pattern {self.accept}", "Give a text that does.")
        return text

    def write(self, value: Any, language: str) -> str:
        return self.normal(value)

    def pattern(self, language: str) -> str:
        return self.accept

    def read(self, text: str, language: str) -> str:
        return text

    def examples(self) -> Sequence[str]:
        return [self.sample]


def term_word(name: str, language: str) -> str:
    """The term in the language: its first synonym there where no other term has it, else its English name."""
    return _words(language)[ontology()[name].name]


@cache
def _words(language: str) -> dict[str, str]:
    """Term name -> its word in the language, each word once: two terms must not read alike."""
    english = {entry.term.name.casefold() for entry in ontology()}
    words: dict[str, str] = {}
    used: set[str] = set()
    for entry in ontology():
        name = entry.term.name
        word = entry.synonyms.get(language, (name,))[0] if language != "en" else name
        if word.casefold() in used or (word != name and word.casefold() in english):
            word = name
        words[name] = word
        used.add(word.casefold())
    return words


@cache
def _term_words(kinds: tuple[str, ...], language: str) -> dict[str, str]:
    """Case-folded word -> term name, of the terms of these kinds."""
    return {_words(language)[e.term.name].casefold(): e.term.name for e in ontology() if e.kind in kinds}


def _spread(kinds: tuple[str, ...], count: int = 37) -> tuple[str, ...]:
    """Some of the terms, evenly from the whole list, and all whose name begins like a side."""
    names = tuple(_term_words(kinds, "en").values())
    step = max(1, len(names) // count)
    sided = (n for n in names if n.split()[0] in SIDE_WORDS)
    return tuple(dict.fromkeys((*names[::step], *sided)))


def _alternatives(words: Any) -> str:
    # Longest first, so that "lung nodule" is not read as "lung".
    ordered = sorted(set(words), key=lambda w: (-len(w), w))
    return "(?:" + "|".join(re.escape(w) for w in ordered) + ")"


_TYPES: dict[str, Any] = {
    "number": Number,
    "count": Count,
    "quantity": Quantity,
    "term": TermName,
    "place": Place,
    "text": Text,
}


@dataclass(frozen=True)
class BoundSlot:
    """A slot and the part of a finding that fills it (`source`, see `groundglass.report.binding`)."""

    slot: Slot
    source: str = ""


def read_slot(definition: Mapping[str, Any], where: str) -> BoundSlot:
    """The slot of a table's definition: {"type", "from", ...}. Raises ConfigurationError on an unknown type."""
    kind = definition.get("type")
    source = definition.get("from", "")
    if kind in ("choice", "list"):
        choice = Choice({k: {"en": v} if isinstance(v, str) else v for k, v in definition["words"].items()})
        return BoundSlot(ListOf(choice) if kind == "list" else choice, source)
    if kind == "side":
        return BoundSlot(Choice(definition.get("words", SIDE_WORDS)), source or "side")
    if kind not in _TYPES:
        raise ConfigurationError(
            where, f"has the unknown slot type {kind!r}", f"Use one of {', '.join(_TYPES)}, choice, list, side."
        )
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in definition.items() if k not in ("type", "from")}
    return BoundSlot(_TYPES[kind](**options), source)
