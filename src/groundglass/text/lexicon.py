"""The words of one language, compiled once into an Aho-Corasick automaton.

Concepts (findings, devices, anatomy) come from the ontology's synonyms, the grammar (negation, uncertainty, sides,
severity, change, ...) from the data files of the language. Plurals, British and American spellings and the commonest
slips of the keyboard in long words are made here, so that a look-up costs nothing at reading time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import ahocorasick

from groundglass.core import Term
from groundglass.core.errors import ConfigurationError
from groundglass.core.ontology import Ontology, ontology

Role = tuple[str, Any]
"""What a phrase does in a sentence: a kind ("finding", "negation before", ...) and its value (a name, a side, ...)."""

Meaning = tuple[int, tuple[Role, ...]]

CONCEPT_KINDS = ("finding", "device", "anatomy")
MIN_LETTERS_OF_A_SLIP = {"finding": 6, "device": 8, "anatomy": 8}
_NOT_WORD = re.compile(r"[^0-9a-z]+")
_SPELLINGS = (
    ("oedema", "edema"), ("haemo", "hemo"), ("haema", "hema"), ("oesoph", "esoph"), ("tumour", "tumor"),
    ("calibre", "caliber"), ("ischaem", "ischem"), ("goitre", "goiter"), ("anaem", "anem"), ("orthopaed", "orthoped"),
    ("artefact", "artifact"), ("sulph", "sulf"), ("dyspnoea", "dyspnea"), ("aluminium", "aluminum"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Compiled words of one language.

    `automaton` gives (last index, number) for normalised text, `meanings[number]` the phrase's length and its roles;
    the tables say how concepts combine.
    """

    language: str
    automaton: Any
    meanings: tuple[Meaning, ...]
    tree: Ontology
    quality_findings: dict[str, dict[str, str]]
    refined: dict[str, dict[str, str]]
    normal_findings: dict[str, str]
    default_anatomy: dict[str, str]
    lasting: frozenset[str]
    neutral: frozenset[str]
    probable: frozenset[str]
    possible: frozenset[str]
    sections: dict[str, str]
    lineage: dict[str, tuple[str, ...]] = field(default_factory=dict)
    terms: dict[str, Term] = field(default_factory=dict)
    usual: dict[str, str | None] = field(default_factory=dict)

    def ancestors(self, name: str) -> tuple[str, ...]:
        """The term's own name and those of all broader terms, nearest first."""
        known = self.lineage.get(name)
        if known is None:
            known = (name, *(term.name for term in self.tree.ancestors(name)))
            self.lineage[name] = known
        return known

    def term(self, name: str) -> Term:
        """The ontology's term of this name."""
        known = self.terms.get(name)
        if known is None:
            known = self.terms[name] = self.tree[name]
        return known

    def usual_anatomy(self, name: str) -> str | None:
        """Where a finding of this name (or its nearest broader one) is when the text does not say."""
        if name not in self.usual:
            table = self.default_anatomy
            self.usual[name] = next((table[n] for n in self.ancestors(name) if n in table), None)
        return self.usual[name]


def normalised(phrase: str) -> str:
    """Lower case; everything that is neither letter nor digit becomes one space."""
    return _NOT_WORD.sub(" ", phrase.lower()).strip()


@cache
def lexicon(language: str = "en") -> Lexicon:
    """The lexicon of a language, compiled at the first call. Raises ConfigurationError when there is none."""
    folder = resources.files("groundglass.text") / "data" / language
    if not (folder / "cues.json").is_file():
        raise ConfigurationError(language, "is a language without a lexicon for reports", "Use 'en'.")

    def data(name: str) -> Any:
        return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))

    qualities, sections, cues = data("qualities"), data("sections"), data("cues")
    probable, possible = (frozenset(cues.pop(f"{kind} words")) for kind in ("probable", "possible"))
    tree = ontology()
    roles: dict[str, dict[str, Any]] = {}
    for phrase, kind, value in (
        *_concepts(tree, language, data("places")),
        *_grammar(cues, data("qualifiers"), qualities),
    ):
        roles.setdefault(phrase, {}).setdefault(kind, value)
    for phrase, known in _slips(roles):
        roles.setdefault(phrase, known)
    # Numbers in the automaton, few tuples for their meaning: the garbage collector need not walk 200,000 values.
    automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
    meanings: dict[Meaning, int] = {}
    for phrase, found in roles.items():
        meaning = (len(phrase), tuple(found.items()))
        automaton.add_word(phrase + " ", meanings.setdefault(meaning, len(meanings)))
    automaton.make_automaton()
    return Lexicon(
        language,
        automaton,
        tuple(meanings),
        tree,
        qualities["findings"],
        qualities["refined"],
        qualities["normal findings"],
        qualities["default anatomy"],
        frozenset(qualities["lasting"]),
        frozenset(qualities["neutral"]),
        probable,
        possible,
        {heading: name for name, headings in sections.items() for heading in headings},
    )


def _concepts(tree: Ontology, language: str, places: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    silent, sided = set(places["silent"]), places["sided anatomy"]
    for phrase, (name, side) in sided.items():
        yield normalised(phrase), "anatomy", (name, side)
    for phrase, (first, second) in places["two anatomies"].items():
        yield normalised(phrase), "anatomy", (first, None)
        yield normalised(phrase), "second anatomy", (second, None)
    for phrase, name in places["anatomy that is a finding"].items():
        yield normalised(phrase), "finding", name
    for entry in tree:
        kind, name = entry.kind, entry.term.name
        if kind not in CONCEPT_KINDS or name in places["not anatomy"]:
            continue
        words = [*([name] if language == "en" else []), *entry.synonyms.get(language, ())]
        for word in words:
            for form in _forms(normalised(word)):
                if form not in silent and form not in sided:
                    yield form, kind, (name, None) if kind == "anatomy" else name
    for side, phrases in places["sides"].items():
        for phrase in phrases:
            yield normalised(phrase), "side", side


def _grammar(
    cues: dict[str, list[str]], qualifiers: dict[str, Any], qualities: dict[str, Any]
) -> Iterator[tuple[str, str, Any]]:
    for kind, phrases in cues.items():
        for phrase in phrases:
            for form in _with_auxiliary(normalised(phrase)):
                yield form, kind, form
    for phrase in cues["pseudo-negation"]:
        yield normalised(phrase), "change", qualifiers["change by pseudo-negation"]
    for kind, values in qualifiers.items():
        if isinstance(values, dict):
            for value, phrases in values.items():
                for phrase in phrases:
                    for form in _with_auxiliary(normalised(phrase)):
                        yield form, kind, value
    for quality, phrases in qualities["words"].items():
        for phrase in phrases:
            yield normalised(phrase), "quality", quality
    for phrase in qualities["normal"]:
        yield normalised(phrase), "normal", normalised(phrase)


def _with_auxiliary(phrase: str) -> Iterator[str]:
    """ "Not seen" is also "is not seen", ...: else the shorter "is not" would win."""
    yield phrase
    if phrase.startswith(("not ", "no longer ")):
        for verb in ("is", "are", "was", "were"):
            yield f"{verb} {phrase}"


def _forms(phrase: str) -> Iterator[str]:
    """The phrase, its plural, and both in the other spelling."""
    for form in (phrase, _plural(phrase)):
        yield form
        for british, american in _SPELLINGS:
            if british in form:
                yield form.replace(british, american)
            elif american in form:
                yield form.replace(american, british)


def _plural(phrase: str) -> str:
    if phrase.endswith(("s", "ae", "media")):
        return phrase[:-2] + "es" if phrase.endswith(("sis", "xis")) else phrase
    if phrase.endswith("y") and phrase[-2:-1] not in "aeiou":
        return phrase[:-1] + "ies"
    if phrase.endswith(("x", "ch", "sh")):
        return phrase + "es"
    return phrase + "s"


def _slips(roles: dict[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Phrases with one slip in a long word: a letter left out, doubled, swapped with the next, or another vowel."""
    words = {word for phrase in roles for word in phrase.split()}
    for phrase, known in list(roles.items()):
        kind = next((kind for kind in CONCEPT_KINDS if kind in known), None)
        parts = phrase.split()
        if kind is None or len(parts) > 2:
            continue
        for position, word in enumerate(parts):
            # "Pleural efusion" is read as "pleural" and "efusion": a word that stands for itself needs no phrases.
            if len(word) >= MIN_LETTERS_OF_A_SLIP[kind] and (len(parts) == 1 or word not in roles):
                for variant in _misspelt(word) - words:
                    yield " ".join((*parts[:position], variant, *parts[position + 1 :])), known


@cache
def _misspelt(word: str) -> frozenset[str]:
    found = set()
    for i in range(1, len(word)):
        found.add(word[:i] + word[i + 1 :])
        found.add(word[:i] + word[i] + word[i:])
        if i + 1 < len(word):
            found.add(word[:i] + word[i + 1] + word[i] + word[i + 2 :])
        if word[i] in "aeiouy":
            found.update(word[:i] + vowel + word[i + 1 :] for vowel in "aeiouy")
        if len(word) >= 10:
            found.update(word[:i] + vowel + word[i:] for vowel in "aeiou")
    return frozenset(found - {word})
