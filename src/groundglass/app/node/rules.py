"""Which studies are read, how, and where their results go: data, not code.

    rules:
      - name: chest films
        modality: [CR, DX]
        body_part: [CHEST, THORAX]
        read: {only: [heart, lung], language: en}
        send: [PACS@10.0.0.5:104, "https://archive.example/dicom-web"]
      - name: the rest
        ignore: true

The first rule whose every condition fits one of the study's series is the study's. A rule without conditions fits all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from groundglass.core import ConfigurationError, ontology
from groundglass.io import Peer

READ_OPTIONS = ("only", "language", "engine")


@dataclass(frozen=True, slots=True)
class Series:
    """What rules ask of a series."""

    modality: str
    body_part: str


@dataclass(frozen=True, slots=True)
class Rule:
    """`read` holds options of `groundglass read`, `send` the destinations; an ignored study is kept, but not read."""

    name: str
    modality: tuple[str, ...] = ()
    body_part: tuple[str, ...] = ()
    read: dict[str, Any] = field(default_factory=dict)
    send: tuple[str, ...] = ()
    ignore: bool = False

    def fits(self, series: Series) -> bool:
        """True when every condition holds; letters' case does not matter."""
        return (not self.modality or series.modality.upper() in self.modality) and (
            not self.body_part or series.body_part.upper() in self.body_part
        )

    def to_json(self) -> str:
        """All of it, the same text for the same rule."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Rule:
        """What `to_json` wrote."""
        values = json.loads(text)
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})  # type: ignore[arg-type]


def read_rules(path: Path | None, send: Sequence[str]) -> tuple[Rule, ...]:
    """The rules of a YAML file; without a file one rule that reads everything. `send` is where a rule names nothing.

    Raises ConfigurationError for what is not a rule, and for destinations that are none.
    """
    for destination in send:
        require_destination(destination, "--send or --stow")
    if path is None:
        return (Rule("all", send=tuple(send)),)
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(path, f"cannot be read ({error})", "See docs/how-to/dicom-node.md.") from error
    rows = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not rows:
        raise ConfigurationError(path, "holds no list `rules`", "See docs/how-to/dicom-node.md.")
    rules = tuple(_rule(row, number, path, send) for number, row in enumerate(rows, start=1))
    if len({rule.name for rule in rules}) < len(rules):
        raise ConfigurationError(path, "names two rules alike", "Give each its own name.")
    return rules


def rule_for(series: Iterable[Series], rules: Sequence[Rule]) -> Rule | None:
    """The first rule that fits one of a study's series."""
    held = list(series)
    return next((rule for rule in rules if any(rule.fits(one) for one in held)), None)


def require_destination(text: str, where: object) -> None:
    """Raises ConfigurationError where `text` is neither AET@HOST:PORT nor a DICOMweb address."""
    if not text.startswith(("http://", "https://")):
        try:
            Peer.parse(text)
        except ConfigurationError as error:
            raise ConfigurationError(
                where, f"sends to {text}, which is no destination", "Write AET@HOST:PORT or a DICOMweb address."
            ) from error


def _rule(row: Any, number: int, path: Path, send: Sequence[str]) -> Rule:
    where = f"{path}, rule {number}"
    if not isinstance(row, dict):
        raise ConfigurationError(where, "is not a mapping", "See docs/how-to/dicom-node.md.")
    unknown = set(row) - {"name", "modality", "body_part", "read", "send", "ignore"}
    read = row.get("read") or {}
    unknown |= (
        {f"read.{key}" for key in read} - {f"read.{key}" for key in READ_OPTIONS}
        if isinstance(read, dict)
        else {"read"}
    )
    if unknown:
        raise ConfigurationError(where, f"has unknown keys: {', '.join(sorted(unknown))}", "Remove them.")
    only = _words(read.get("only", []), where, "read.only")
    for term in only:
        ontology().entry(term)
    destinations = _words(row.get("send", list(send)), where, "send")
    for destination in destinations:
        require_destination(destination, where)
    ignore = row.get("ignore", False)
    if not isinstance(ignore, bool):
        raise ConfigurationError(where, "`ignore` is neither true nor false", "Write one of the two.")
    return Rule(
        name=str(row.get("name") or f"rule {number}"),
        modality=tuple(word.upper() for word in _words(row.get("modality", []), where, "modality")),
        body_part=tuple(word.upper() for word in _words(row.get("body_part", []), where, "body_part")),
        read={**read, "only": list(only)},
        send=destinations,
        ignore=ignore,
    )


def _words(value: Any, where: str, key: str) -> tuple[str, ...]:
    """One word or a list of them."""
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) and word.strip() for word in words):
        raise ConfigurationError(where, f"`{key}` is not a list of words", "Write [CR, DX] or one word.")
    return tuple(word.strip() for word in words)
