"""A form as data: items with their question, type, allowed values, unit, condition and rules.

A template file (JSON or YAML) holds `name`, `title`, `source` and `items`. An item holds

- `id`, `section`, `question` (a text, or one text per language), `type`: text, number, choice, choices, yes-no or date;
- `values`: allowed values, each with the words that mean it (per language), of choice and choices;
- `unit` (UCUM) and `several` (more than one lesion may be listed) of number;
- `when`: `{"item": ID, "is": [values]}`: asked only then;
- `normal`: the value that stands for an unremarkable report (shown, never filled in silently);
- `words`: phrases whose sentence speaks of the item; `also`: one of these must stand in the sentence, too;
- `finding`: rules over findings: `any` (terms and narrower ones), `anatomy`, `side`, and `give`: status, side,
  severity, change, sentence, or the name of a measurement;
- `report section`: the item is the text of this section.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

from groundglass.core import ontology
from groundglass.core.errors import ConfigurationError, InputError
from groundglass.core.units import UNITS

ItemType = Literal["text", "number", "choice", "choices", "yes-no", "date"]
Words = Mapping[str, tuple[str, ...]]
"""Phrases by language."""


@dataclass(frozen=True, slots=True)
class FindingRule:
    """Findings that answer an item: terms, place, side, and what of the finding is the answer."""

    any: tuple[str, ...]
    anatomy: tuple[str, ...] = ()
    side: str | None = None
    give: str = "status"


@dataclass(frozen=True, slots=True)
class Item:
    """One question of a form. `values` maps an allowed value to the words that mean it, by language."""

    id: str
    section: str
    question: Mapping[str, str]
    type: ItemType
    values: Mapping[str, Words] = field(default_factory=dict)
    unit: str = ""
    several: bool = False
    parent: str | None = None
    parent_values: tuple[str, ...] = ()
    normal: str = ""
    words: Words = field(default_factory=dict)
    also: Words = field(default_factory=dict)
    finding: FindingRule | None = None
    report_section: str | None = None
    measure: str = "long axis"

    def asked(self, language: str) -> str:
        """The question in this language, else in the form's first one."""
        return self.question.get(language) or next(iter(self.question.values()))


@dataclass(frozen=True, slots=True)
class Template:
    """A named form; parents stand before their children."""

    name: str
    title: str
    items: tuple[Item, ...]
    source: str = ""

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __getitem__(self, item_id: str) -> Item:
        for item in self.items:
            if item.id == item_id:
                return item
        raise ConfigurationError(item_id, f"is not an item of {self.name}", "Use an id of the template.")


def templates() -> tuple[str, ...]:
    """Names of the templates that ship."""
    folder = resources.files("groundglass.text.structured") / "data"
    return tuple(sorted(file.name[:-5] for file in folder.iterdir() if file.name.endswith(".json")))


@cache
def template(name: str) -> Template:
    """The shipped template of this name. Raises ConfigurationError when there is none."""
    if name not in templates():
        raise ConfigurationError(name, "is not a template", f"Use one of {', '.join(templates())}, or a file.")
    file = resources.files("groundglass.text.structured") / "data" / f"{name}.json"
    return read_template(json.loads(file.read_text(encoding="utf-8")))


def template_file(path: Path) -> Template:
    """The template of a JSON or YAML file. Raises InputError when it is neither."""
    import yaml

    try:
        # JSON is YAML, but its own reader is faster and stricter.
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if path.suffix.lower() == ".json" else yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, ValueError, yaml.YAMLError) as error:
        raise InputError(path, f"is not a template ({error})", "Give a JSON or YAML file.") from error
    return read_template(data)


def read_template(data: Any) -> Template:
    """A template from the content of its file. Raises ConfigurationError that names the item at fault."""
    try:
        rows = data["items"]
        name, title = str(data["name"]), str(data.get("title", data["name"]))
        items = tuple(_item(row) for row in rows)
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            "template", f"lacks or misplaces {error}", "See text/structured/registry.py."
        ) from error
    seen: dict[str, Item] = {}
    for item in items:
        if item.id in seen:
            raise ConfigurationError(item.id, "is the id of two items", "Give every item an id of its own.")
        _check(item, seen)
        seen[item.id] = item
    return Template(name, title, items, str(data.get("source", "")))


def _item(row: Mapping[str, Any]) -> Item:
    rule = row.get("finding")
    when = row.get("when") or {}
    question = row["question"]
    return Item(
        id=str(row["id"]),
        section=str(row.get("section", "")),
        question=dict(question) if isinstance(question, dict) else {"en": str(question)},
        type=row["type"],
        values=_values(row.get("values", {})),
        unit=str(row.get("unit", "")),
        several=bool(row.get("several", False)),
        parent=when.get("item"),
        parent_values=tuple(map(_word, when.get("is", ()))),
        normal=str(row.get("normal", "")),
        words=_words(row.get("words", {})),
        also=_words(row.get("also", {})),
        finding=FindingRule(
            tuple(rule.get("any", ())), tuple(rule.get("anatomy", ())), rule.get("side"), rule.get("give", "status")
        )
        if rule
        else None,
        report_section=row.get("report section"),
        measure=str(row.get("measure", "long axis")),
    )


def _word(value: Any) -> str:
    """A value as text; YAML reads a bare yes or no as a truth value."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _values(given: Any) -> dict[str, Words]:
    if isinstance(given, list):
        return {_word(value): {} for value in given}
    return {_word(value): _words(words) for value, words in given.items()}


def _words(given: Any) -> dict[str, tuple[str, ...]]:
    return {"en": tuple(given)} if isinstance(given, list) else {lang: tuple(words) for lang, words in given.items()}


def _check(item: Item, before: Mapping[str, Item]) -> None:
    if item.type not in get_args(ItemType):
        raise ConfigurationError(item.id, f"has the unknown type {item.type!r}", f"Use one of {get_args(ItemType)}.")
    if item.type in ("choice", "choices") and not item.values:
        raise ConfigurationError(item.id, "is a choice without values", "List its allowed values.")
    if any(";" in value for value in item.values):
        raise ConfigurationError(item.id, "has a value with a semicolon", "Several values are joined by it; reword.")
    if item.unit and item.unit not in UNITS:
        raise ConfigurationError(item.id, f"has the unit {item.unit!r}", f"Use one of {', '.join(UNITS)}.")
    if item.parent is not None:
        parent = before.get(item.parent)
        if parent is None:
            raise ConfigurationError(item.id, f"depends on {item.parent!r}, which is not before it", "Reorder.")
        allowed = ("yes", "no") if parent.type == "yes-no" else tuple(parent.values)
        if unknown := [v for v in item.parent_values if allowed and v not in allowed]:
            raise ConfigurationError(item.id, f"waits for {unknown}, which {parent.id} cannot be", "Mend `when`.")
    for name in (*(item.finding.any if item.finding else ()), *(item.finding.anatomy if item.finding else ())):
        ontology().entry(name)
