"""All published systems of the plan: number, name, kind, and what of them is built."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from groundglass.core import ConfigurationError

_FOLDER = Path(str(resources.files("groundglass.systems")))


@dataclass(frozen=True, slots=True)
class System:
    """One published system. `module` is the stem of its file here, None while it is only planned."""

    number: int
    name: str
    what: str
    kinds: tuple[str, ...]
    paper: str
    module: str | None

    @property
    def is_built(self) -> bool:
        return self.module is not None

    @property
    def entry(self) -> str:
        """The command or function where a user meets the system: the constant `ENTRY` of its file."""
        if self.module is None:
            return ""
        return _constant((_FOLDER / f"{self.module}.py").read_text(encoding="utf-8"), "ENTRY")


@cache
def systems() -> tuple[System, ...]:
    """Every system in the order of its number."""
    rows = json.loads((_FOLDER / "data" / "systems.json").read_text(encoding="utf-8"))
    modules = {int(path.stem[1:3]): path.stem for path in _FOLDER.glob("s[0-9][0-9]_*.py")}
    return tuple(
        System(row["number"], row["name"], row["what"], tuple(row["kind"]), row["paper"], modules.get(row["number"]))
        for row in rows
    )


def system(number: int) -> System:
    """The system with this number. Raises ConfigurationError when there is none."""
    for candidate in systems():
        if candidate.number == number:
            return candidate
    raise ConfigurationError(number, "is not the number of a system", "List them with `groundglass systems`.")


def _constant(source: str, name: str) -> str:
    """A string constant of a module's source: reading it must not import torch for a table."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            return str(ast.literal_eval(node.value))
    return ""
