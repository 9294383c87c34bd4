"""One tree of anatomy, findings, modalities and measurements, loaded from data files in the package.

Codes are those that DICOM publishes in its context groups (SNOMED CT, DCM, UCUM); concepts that DICOM
does not publish carry the private scheme `99GROUNDGLASS`. A data file is a JSON list of entries
`{"name", "code", "scheme", "kind", "parents": [name], "synonyms": {"en": [...]}, "side": bool}`.
`side: true` marks paired structures: their left and right forms are made by `Location.side`, not by codes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from groundglass.core.errors import ConfigurationError
from groundglass.core.term import Term

PRIVATE_SCHEME = "99GROUNDGLASS"
KINDS = ("anatomy", "finding", "modality", "measurement", "attribute", "procedure", "device")


@dataclass(frozen=True, slots=True)
class Entry:
    """One concept with its place in the tree. `synonyms` maps a language tag to words."""

    term: Term
    kind: str
    parents: tuple[str, ...] = ()
    synonyms: dict[str, tuple[str, ...]] = field(default_factory=dict)
    paired: bool = False


class Ontology:
    """Look-up by name, synonym or code. Names are case-insensitive; underscores read as spaces."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._by_name: dict[str, Entry] = {}
        self._by_code: dict[tuple[str, str], Entry] = {}
        self._by_synonym: dict[str, Entry] = {}
        for entry in entries:
            name = _key(entry.term.name)
            if name in self._by_name:
                raise ConfigurationError(entry.term.name, "is defined twice in the ontology", "Remove one entry.")
            self._by_name[name] = entry
            self._by_code.setdefault((entry.term.code, entry.term.scheme), entry)
            for words in entry.synonyms.values():
                for word in words:
                    self._by_synonym.setdefault(_key(word), entry)
        for entry in self._by_name.values():
            for parent in entry.parents:
                if _key(parent) not in self._by_name:
                    raise ConfigurationError(
                        entry.term.name, f"has the unknown parent {parent!r}", "Define the parent first."
                    )

    def __contains__(self, name: str) -> bool:
        return self.find(name) is not None

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def find(self, name: str) -> Entry | None:
        """The entry of a name or synonym, else None."""
        key = _key(name)
        return self._by_name.get(key) or self._by_synonym.get(key)

    def entry(self, name: str) -> Entry:
        """The entry of a name or synonym. Raises ConfigurationError with the nearest names."""
        found = self.find(name)
        if found is None:
            from difflib import get_close_matches

            near = get_close_matches(_key(name), [*self._by_name, *self._by_synonym], n=3)
            hint = f"Did you mean {', '.join(near)}?" if near else "List the terms with `groundglass terms`."
            raise ConfigurationError(name, "is not a term of the ontology", hint)
        return found

    def __getitem__(self, name: str) -> Term:
        return self.entry(name).term

    def of_code(self, code: str, scheme: str) -> Term | None:
        """The term with this code, else None."""
        entry = self._by_code.get((code, scheme))
        return entry.term if entry else None

    def ancestors(self, name: str) -> tuple[Term, ...]:
        """All broader terms, nearest first."""
        seen: dict[str, Entry] = {}
        queue = list(self.entry(name).parents)
        while queue:
            parent = self.entry(queue.pop(0))
            if _key(parent.term.name) not in seen:
                seen[_key(parent.term.name)] = parent
                queue.extend(parent.parents)
        return tuple(entry.term for entry in seen.values())

    def is_a(self, name: str, ancestor: str) -> bool:
        """True when `ancestor` is the term itself or one of its broader terms."""
        wanted = self[ancestor]
        return self[name] == wanted or wanted in self.ancestors(name)

    def children(self, name: str) -> tuple[Term, ...]:
        """Terms directly below."""
        wanted = self[name]
        return tuple(e.term for e in self if any(self[p] == wanted for p in e.parents))


def _key(name: str) -> str:
    return " ".join(name.replace("_", " ").split()).casefold()


def read_entries(text: str, source: str) -> list[Entry]:
    """Entries of one data file. Raises ConfigurationError on a kind that does not exist."""
    entries = []
    for row in json.loads(text):
        if row["kind"] not in KINDS:
            raise ConfigurationError(
                source, f"{row['name']} has the unknown kind {row['kind']!r}", f"Use one of {KINDS}."
            )
        scheme = row.get("scheme", PRIVATE_SCHEME)
        code = row.get("code") or _key(row["name"]).replace(" ", "-")
        entries.append(
            Entry(
                term=Term(code, scheme, row["name"]),
                kind=row["kind"],
                parents=tuple(row.get("parents", ())),
                synonyms={lang: tuple(words) for lang, words in row.get("synonyms", {}).items()},
                paired=bool(row.get("side", False)),
            )
        )
    return entries


@cache
def ontology() -> Ontology:
    """The ontology that ships with the package, read once."""
    folder = resources.files("groundglass.core") / "data" / "ontology"
    entries: list[Entry] = []
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".json"):
            entries += read_entries(file.read_text(encoding="utf-8"), file.name)
    return Ontology(entries)
