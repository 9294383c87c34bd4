"""Sentence templates: statement -> sentence -> the same statement, in several languages.

A table is a JSON file in `report/data/`: shared `slots` and a list of `templates`. One template has a `key`,
per language and polarity one or more paraphrases with `{slot}` gaps, and says which findings it speaks for:

    {"key": "pleural effusion", "terms": ["pleural effusion"], "system": "pleura",
     "sentences": {"en": {"present": ["There is a pleural effusion {on_side}.", ...],
                          "absent": ["There is no pleural effusion."], "uncertain": [...]}}}

`terms`: ontology names; a finding whose `what` is one of them or narrower is stated by it. `kinds` instead
of `terms`: generic grammar for every term of these ontology kinds. Of the templates that share a `group`
(default: the key) only the first whose gaps can all be filled is used, so write the most specific first.
`per: "measurement"` states each measurement apart. `section`: "findings" (default) or "impression".
`system`: place in the report's order (see `systems` in generic.json; default: found from the anatomy).
A slot's `from` names what fills it, see `groundglass.report.binding`. A key without `terms` and `kinds` is
only spoken when it is asked for with `say`.

The text of every paraphrase must read back to one statement alone; `conflicts` lists where it does not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from string import Formatter
from typing import Any, Literal

import numpy as np

from groundglass.core.errors import ConfigurationError
from groundglass.report.slots import BoundSlot, Text, read_slot

Polarity = Literal["present", "absent", "uncertain", "not assessed"]
POLARITIES: tuple[Polarity, ...] = ("present", "absent", "uncertain", "not assessed")
GENERIC = "generic.json"


@dataclass(frozen=True)
class Statement:
    """What one sentence says: template key, polarity, and the gaps' values (sorted by gap name)."""

    key: str
    polarity: Polarity = "present"
    slots: tuple[tuple[str, Any], ...] = ()

    def __getitem__(self, name: str) -> Any:
        return dict(self.slots)[name]

    def get(self, name: str) -> Any:
        """The value of a gap, None when the sentence has no such gap."""
        return dict(self.slots).get(name)


@dataclass(frozen=True)
class Template:
    """One entry of a table. `slots` holds every gap that any of its paraphrases has."""

    key: str
    sentences: Mapping[str, Mapping[Polarity, tuple[str, ...]]]
    slots: Mapping[str, BoundSlot] = field(default_factory=dict)
    terms: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    group: str = ""
    system: str = ""
    section: str = "findings"
    per: str = ""

    def gaps(self, polarity: Polarity) -> tuple[str, ...]:
        """The gaps of the sentences of this polarity, () when there is no such sentence."""
        texts = self.sentences["en"].get(polarity, ())
        return tuple(sorted(gap_names(texts[0]))) if texts else ()


def gap_names(text: str) -> set[str]:
    """The names between braces."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


class Templates:
    """Tables put together; the generic one is read last, so that a special sentence wins."""

    def __init__(self, templates: Iterable[Template]) -> None:
        self._by_key: dict[str, Template] = {}
        for template in templates:
            if template.key in self._by_key:
                raise ConfigurationError(template.key, "is the key of two templates", "Rename one of them.")
            self._by_key[template.key] = template
        self._patterns: dict[str, list[_Compiled]] = {}

    def __iter__(self) -> Iterator[Template]:
        return iter(self._by_key.values())

    def __getitem__(self, key: str) -> Template:
        if key not in self._by_key:
            raise ConfigurationError(key, "is not the key of a template", "Look into groundglass/report/data.")
        return self._by_key[key]

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Languages in which every template can be said, English first."""
        common = set.intersection(*(set(t.sentences) for t in self))
        return ("en", *sorted(common - {"en"}))

    def statement(self, key: str, polarity: Polarity = "present", **slots: Any) -> Statement:
        """A statement with its values normalised. Raises ConfigurationError on a missing or unknown gap."""
        template = self[key]
        if not template.sentences["en"].get(polarity):
            raise ConfigurationError(
                key, f"has no sentence for {polarity!r}", f"Use one of {', '.join(template.sentences['en'])}."
            )
        if set(slots) != set(template.gaps(polarity)):
            raise ConfigurationError(
                key, f"needs the gaps {template.gaps(polarity)}, got {tuple(sorted(slots))}", "Give these."
            )
        values = tuple((name, template.slots[name].slot.normal(slots[name])) for name in sorted(slots))
        return Statement(key, polarity, values)

    def write(self, statement: Statement, *, language: str = "en", rng: np.random.Generator | None = None) -> str:
        """The sentence of a statement: the first paraphrase, or one drawn with `rng`."""
        template = self[statement.key]
        texts = template.sentences.get(language, template.sentences["en"])[statement.polarity]
        text = texts[0] if rng is None else texts[int(rng.integers(len(texts)))]
        return fill(text, template, statement, language)

    def paraphrases(self, statement: Statement, *, language: str = "en") -> tuple[str, ...]:
        """All sentences of a statement."""
        template = self[statement.key]
        texts = template.sentences.get(language, template.sentences["en"])[statement.polarity]
        return tuple(fill(text, template, statement, language) for text in texts)

    def say(
        self,
        key: str,
        polarity: Polarity = "present",
        *,
        language: str = "en",
        rng: np.random.Generator | None = None,
        **slots: Any,
    ) -> str:
        """The sentence for a key with its gaps filled."""
        return self.write(self.statement(key, polarity, **slots), language=language, rng=rng)

    def parse(self, sentence: str, *, language: str = "en") -> Statement | None:
        """The statement that a sentence makes; None when no template wrote it."""
        text = " ".join(sentence.split())
        folded = text.casefold()
        for compiled in self._compiled(language):
            match = compiled.pattern.fullmatch(text) if compiled.literal in folded else None
            if match:
                found = match.groupdict()
                slots = compiled.template.slots
                values = {name: slots[name].slot.read(found[name], language) for name in found}
                if any(slots[name].slot.normal(value) != value for name, value in values.items()):
                    continue  # other decimals than the template writes: not its sentence
                return Statement(compiled.template.key, compiled.polarity, tuple(sorted(values.items())))
        return None

    def _compiled(self, language: str) -> list[_Compiled]:
        if language not in self._patterns:
            self._patterns[language] = [
                _Compiled(_pattern(text, template, language), _longest_literal(text), template, polarity)
                for template in self
                for polarity, texts in template.sentences.get(language, template.sentences["en"]).items()
                for text in texts
            ]
        return self._patterns[language]


@dataclass(frozen=True)
class _Compiled:
    """A paraphrase ready to be matched; `literal` is a cheap first test."""

    pattern: re.Pattern[str]
    literal: str
    template: Template
    polarity: Polarity


def _longest_literal(text: str) -> str:
    return max((literal.casefold() for literal, _, _, _ in Formatter().parse(text)), key=len)


def fill(text: str, template: Template, statement: Statement, language: str) -> str:
    """A paraphrase with its gaps written; the first letter is a capital."""
    words = {name: template.slots[name].slot.write(value, language) for name, value in statement.slots}
    sentence = text.format(**words)
    return sentence[:1].upper() + sentence[1:]


def _pattern(text: str, template: Template, language: str) -> re.Pattern[str]:
    parts = []
    for literal, name, _, _ in Formatter().parse(text):
        parts.append(re.escape(literal))
        if name is not None:
            parts.append(f"(?P<{name}>{template.slots[name].slot.pattern(language)})")
    return re.compile("".join(parts), re.IGNORECASE)


def read_table(data: Mapping[str, Any], source: str) -> list[Template]:
    """The templates of one table. Raises ConfigurationError with the table's name where it is not consistent."""
    shared = {name: read_slot(row, f"{source}: slot {name}") for name, row in data.get("slots", {}).items()}
    return [_read_template(row, shared, source) for row in data["templates"]]


def _read_template(row: Mapping[str, Any], shared: Mapping[str, BoundSlot], source: str) -> Template:
    where = f"{source}: {row.get('key')}"
    own = {name: read_slot(slot, f"{where}: slot {name}") for name, slot in row.get("slots", {}).items()}
    slots = {**shared, **own}
    sentences: dict[str, dict[Polarity, tuple[str, ...]]] = {}
    used: set[str] = set()
    for language, polarities in row["sentences"].items():
        sentences[language] = {polarity: tuple(texts) for polarity, texts in polarities.items()}
        for polarity, texts in polarities.items():
            if polarity not in POLARITIES:
                raise ConfigurationError(
                    where, f"has the unknown polarity {polarity!r}", f"Use one of {', '.join(POLARITIES)}."
                )
            wanted = gap_names(row["sentences"]["en"].get(polarity, texts)[0])
            for text in texts:
                _check_text(text, wanted, slots, where)
            used |= wanted
    missing = set(row["sentences"]["en"]) ^ set.union(*(set(p) for p in row["sentences"].values()))
    if missing:
        raise ConfigurationError(where, f"lacks {', '.join(sorted(missing))} in English", "Write English first.")
    return Template(
        key=row["key"],
        sentences=sentences,
        slots={name: slots[name] for name in sorted(used)},
        terms=tuple(row.get("terms", ())),
        kinds=tuple(row.get("kinds", ())),
        group=row.get("group", row["key"]),
        system=row.get("system", ""),
        section=row.get("section", "findings"),
        per=row.get("per", ""),
    )


def _check_text(text: str, wanted: set[str], slots: Mapping[str, BoundSlot], where: str) -> None:
    names = gap_names(text)
    if names != wanted:
        raise ConfigurationError(
            where, f"{text!r} has other gaps than {sorted(wanted)}", "All paraphrases state the same."
        )
    unknown = names - set(slots)
    if unknown:
        raise ConfigurationError(where, f"uses the undefined gaps {sorted(unknown)}", "Define them under slots.")
    first = next(iter(Formatter().parse(text)))
    if not first[0] and isinstance(slots[first[1] or ""].slot, Text):
        raise ConfigurationError(
            where, "begins with free text, whose first letter would be changed", "Put a word before it."
        )


def conflicts(tables: Templates, *, language: str = "en", keys: Iterable[str] | None = None) -> list[str]:
    """Every sentence (template x polarity x paraphrase x example values) that does not read back to itself.

    One gap at a time runs through its slot's examples; the others hold their first one.
    """
    problems = []
    for template in tables if keys is None else (tables[k] for k in keys):
        for polarity, texts in template.sentences.get(language, template.sentences["en"]).items():
            for statement in _examples(tables, template, polarity):
                for text in texts:
                    sentence = fill(text, template, statement, language)
                    if tables.parse(sentence, language=language) != statement:
                        problems.append(
                            f"{language} {statement} -> {sentence!r} -> {tables.parse(sentence, language=language)}"
                        )
    return problems


def _examples(tables: Templates, template: Template, polarity: Polarity) -> Iterator[Statement]:
    gaps = template.gaps(polarity)
    values = {name: list(template.slots[name].slot.examples()) for name in gaps}
    first = {name: options[0] for name, options in values.items()}
    yield tables.statement(template.key, polarity, **first)
    for name, options in values.items():
        for option in options[1:]:
            yield tables.statement(template.key, polarity, **{**first, name: option})


@cache
def _data(name: str) -> Any:
    return json.loads((resources.files("groundglass.report") / "data" / name).read_text(encoding="utf-8"))


@cache
def systems() -> tuple[dict[str, Any], ...]:
    """The order of a report: `{"name", "anatomy": [ontology names], "heading": {language: words}}`."""
    return tuple(_data(GENERIC)["systems"])


@cache
def shipped_templates() -> Templates:
    """All tables of `report/data`, read once; files by name, the generic grammar last."""
    folder = resources.files("groundglass.report") / "data"
    files = sorted((f.name for f in folder.iterdir() if f.name.endswith(".json")), key=lambda n: (n == GENERIC, n))
    return Templates(t for name in files for t in read_table(_data(name), name))


def say(
    key: str,
    polarity: Polarity = "present",
    *,
    language: str = "en",
    rng: np.random.Generator | None = None,
    **slots: Any,
) -> str:
    """The sentence for a key of the shipped tables. Raises ConfigurationError on a key or gap that is not there."""
    return shipped_templates().say(key, polarity, language=language, rng=rng, **slots)


def parse(sentence: str, *, language: str = "en") -> Statement | None:
    """The statement that a sentence makes, None when no shipped template wrote it."""
    return shipped_templates().parse(sentence, language=language)
