"""The phrases of a language's data files, each with what it does in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from groundglass.core.ontology import Ontology
from groundglass.text.folding import normalised
from groundglass.text.word_forms import concept_forms, cue_forms

CONCEPT_KINDS = ("finding", "device", "anatomy")
_PREDICATES = ("verb", "seen", "there", "negation after", "uncertainty after", "history after")

Phrase = tuple[str, str, Any]
"""Words as they are looked up, their role, and the role's value."""


def concepts(
    tree: Ontology, language: str, places: Mapping[str, Any], words: Mapping[str, Sequence[str]], *, spaced: bool
) -> Iterator[Phrase]:
    """Findings, devices, anatomy and sides. `words` holds the words of every term but English ones."""

    def form(phrase: str) -> str:
        return normalised(phrase, spaced=spaced)

    forms = concept_forms(language)
    silent, sided = {form(p) for p in places["silent"]}, {form(p): v for p, v in places["sided anatomy"].items()}
    for phrase, (name, side) in sided.items():
        yield phrase, "anatomy", (name, side)
    for phrase, (first, second) in places["two anatomies"].items():
        yield form(phrase), "anatomy", (first, None)
        yield form(phrase), "second anatomy", (second, None)
    for phrase, name in places["anatomy that is a finding"].items():
        for inflected in forms(form(phrase)) if language != "en" else (form(phrase),):
            yield inflected, "finding", name
    for entry in tree:
        kind, name = entry.kind, entry.term.name
        if kind not in CONCEPT_KINDS or name in places["not anatomy"]:
            continue
        said = (name, *entry.synonyms.get("en", ())) if language == "en" else words.get(name, ())
        for word in said:
            for inflected in forms(form(word)):
                if inflected not in silent and inflected not in sided:
                    yield inflected, kind, (name, None) if kind == "anatomy" else name
    for side, phrases in places["sides"].items():
        for phrase in phrases:
            yield form(phrase), "side", side


def grammar(
    language: str,
    cues: Mapping[str, Sequence[str]],
    qualifiers: Mapping[str, Any],
    qualities: Mapping[str, Any],
    *,
    spaced: bool,
) -> Iterator[Phrase]:
    """Cues, qualifiers, qualities and words for normal.

    `clause endings` of the cues are suffixes that close a clause when they follow a predicate (Japanese "...ru ga").
    """

    def form(phrase: str) -> str:
        return normalised(phrase, spaced=spaced)

    def inflected(phrase: str) -> Iterator[str]:
        return cue_forms(language)(form(phrase))

    endings = [form(ending) for ending in cues.get("clause endings", ())]
    for kind, phrases in cues.items():
        if kind == "clause endings":
            continue
        for phrase in phrases:
            for cue in inflected(phrase):
                yield cue, kind, cue
                if kind in _PREDICATES:
                    yield from _closed(cue, kind, cue, endings)
    for phrase in cues["pseudo-negation"]:
        yield form(phrase), "change", qualifiers["change by pseudo-negation"]
    yield from _of_qualifiers(qualifiers, inflected)
    for quality, phrases in qualities["words"].items():
        for phrase in phrases:
            yield form(phrase), "quality", quality
            yield from _closed(form(phrase), "quality", quality, endings)
    for phrase in qualities["normal"]:
        yield form(phrase), "normal", form(phrase)
        yield from _closed(form(phrase), "normal", form(phrase), endings)


def _of_qualifiers(qualifiers: Mapping[str, Any], inflected: Callable[[str], Iterator[str]]) -> Iterator[Phrase]:
    for kind, values in qualifiers.items():
        if isinstance(values, dict):
            for value, phrases in values.items():
                for phrase in phrases:
                    for cue in inflected(phrase):
                        yield cue, kind, value


def _closed(phrase: str, kind: str, value: Any, endings: Sequence[str]) -> Iterator[Phrase]:
    for ending in endings:
        yield phrase + ending, kind, value
        yield phrase + ending, "stop", ending
