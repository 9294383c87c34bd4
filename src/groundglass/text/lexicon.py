"""The words of one language, compiled once into an Aho-Corasick automaton.

A language is a folder of data: `cues.json`, its grammar of assertion (negation, uncertainty, history, ... before or
after what they speak of, conjunctions, verbs), `qualifiers.json`, `qualities.json`, `places.json`, `sections.json`, and
but for English `terms.json`, the words of findings, devices and anatomy; English has them in the ontology. How
concepts combine is the same in all languages (`data/combinations.json`). Plurals, British and American spellings and
the commonest slips of the keyboard in long words are made here, so that a look-up costs nothing at reading time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import ahocorasick

from groundglass.core import Term
from groundglass.core.errors import ConfigurationError
from groundglass.core.ontology import Ontology, ontology
from groundglass.text.folding import UNSPACED, normalised
from groundglass.text.phrases import concepts, grammar
from groundglass.text.word_forms import slips

Role = tuple[str, Any]
"""What a phrase does in a sentence: a kind ("finding", "negation before", ...) and its value (a name, a side, ...)."""

Meaning = tuple[int, tuple[Role, ...]]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Compiled words of one language.

    `automaton` gives (last index, number) for normalised text, `meanings[number]` the phrase's length and its roles,
    `lengths[number]` the length alone; the tables say how concepts combine, `normal_of` which quality a
    word for normal denies ("patent": narrowed). `spaced`: whether spaces part the words of
    the language.
    """

    language: str
    automaton: Any
    meanings: tuple[Meaning, ...]
    lengths: tuple[int, ...]
    tree: Ontology
    quality_findings: dict[str, dict[str, str]]
    refined: dict[str, dict[str, str]]
    normal_findings: dict[str, str]
    normal_of: dict[str, str]
    default_anatomy: dict[str, str]
    lasting: frozenset[str]
    neutral: frozenset[str]
    probable: frozenset[str]
    possible: frozenset[str]
    sections: dict[str, str]
    spaced: bool = True
    lineage: dict[str, tuple[str, ...]] = field(default_factory=dict)
    terms: dict[str, Term] = field(default_factory=dict)
    usual: dict[str, str | None] = field(default_factory=dict)
    named: dict[tuple[int, str | None, Any], Any] = field(default_factory=dict)
    classes: list[object] = field(default_factory=list)
    gaps: dict[str, str] = field(default_factory=dict)
    plans: dict[tuple[object, ...], Any] = field(default_factory=dict)

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


def languages() -> tuple[str, ...]:
    """Tags of the languages that reports can be read in."""
    folder = resources.files("groundglass.text") / "data"
    return tuple(sorted(entry.name for entry in folder.iterdir() if (entry / "cues.json").is_file()))


@cache
def lexicon(language: str = "en") -> Lexicon:
    """The lexicon of a language, compiled at the first call. Raises ConfigurationError when there is none."""
    if language not in languages():
        known = ", ".join(languages())
        raise ConfigurationError(language, "is a language without a lexicon for reports", f"Use one of {known}.")
    spaced, tables, tree = language not in UNSPACED, _data("combinations"), ontology()
    names = ("cues", "qualifiers", "qualities", "places", "sections")
    cues, qualifiers, qualities, places, sections = (_data(f"{language}/{name}") for name in names)
    probable, possible = (
        frozenset(normalised(word, spaced=spaced) for word in cues.pop(f"{kind} words"))
        for kind in ("probable", "possible")
    )
    places["not anatomy"] = tables["not anatomy"]
    words = {} if language == "en" else _data(f"{language}/terms")
    for name in words:
        tree.entry(name)
    roles: dict[str, dict[str, Any]] = {}
    for phrase, kind, value in (
        *concepts(tree, language, places, words, spaced=spaced),
        *grammar(language, cues, qualifiers, qualities, spaced=spaced),
    ):
        if not phrase:
            raise ConfigurationError(f"data/{language}", f"holds a {kind} without letters ({value!r})", "Remove it.")
        roles.setdefault(phrase, {}).setdefault(kind, value)
    if language == "en":
        for phrase, known_roles in slips(roles):
            roles.setdefault(phrase, known_roles)
    automaton, meanings = _compiled(roles, spaced=spaced)
    return Lexicon(
        language,
        automaton,
        meanings,
        tuple(length for length, _ in meanings),
        tree,
        tables["findings"],
        tables["refined"],
        tables["normal findings"],
        {
            normalised(word, spaced=spaced): quality
            for quality, said in qualities.get("normal of", {}).items()
            for word in said
        },
        tables["default anatomy"],
        frozenset(tables["lasting"]),
        frozenset(tables["neutral"]),
        probable,
        possible,
        {heading: name for name, headings in sections.items() for heading in headings},
        spaced,
    )


def _data(name: str) -> Any:
    path = resources.files("groundglass.text") / "data" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def _compiled(roles: dict[str, dict[str, Any]], *, spaced: bool) -> tuple[Any, tuple[Meaning, ...]]:
    """Numbers in the automaton, few tuples for their meaning: the garbage collector need not walk 200,000 values."""
    automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
    meanings: dict[Meaning, int] = {}
    end = " " if spaced else ""
    for phrase, found in roles.items():
        meaning = (len(phrase), tuple(found.items()))
        automaton.add_word(phrase + end, meanings.setdefault(meaning, len(meanings)))
    automaton.make_automaton()
    return automaton, tuple(meanings)
