"""Which corruptions, how severe, for which set: the published table, read from data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from groundglass.core import ConfigurationError

Parameter = float | tuple[float, ...]
LEVELS = 5


@dataclass(frozen=True, slots=True)
class CorruptionSet:
    """The corruptions of one data set: kind -> parameters from mild to severe (the first five are the levels)."""

    name: str
    in_colour: bool
    kinds: Mapping[str, tuple[Parameter, ...]]
    not_monotone: tuple[str, ...] = ()

    def parameter(self, kind: str, severity: int) -> Parameter:
        """Of severity 1 to 5. Raises ConfigurationError for another kind or severity."""
        if kind not in self.kinds:
            raise ConfigurationError(f"kind {kind}", f"is none of {self.name}", f"Use {', '.join(self.kinds)}.")
        if not 1 <= severity <= LEVELS:
            raise ConfigurationError(f"severity {severity}", "is no level", f"Use 1 to {LEVELS}.")
        return self.kinds[kind][severity - 1]


@cache
def corruption_sets() -> Mapping[str, CorruptionSet]:
    """All sets by name."""
    return {
        name: CorruptionSet(
            name,
            bool(row["colour"]),
            {kind: tuple(map(_parameter, values)) for kind, values in row["kinds"].items()},
            tuple(row.get("not_monotone", ())),
        )
        for name, row in _table()["sets"].items()
    }


def corruption_set(name: str) -> CorruptionSet:
    """The set of this name. Raises ConfigurationError where there is none."""
    if name not in corruption_sets():
        raise ConfigurationError(f"set {name}", "has no table", f"Use {', '.join(corruption_sets())}.")
    return corruption_sets()[name]


@cache
def corruption_groups() -> Mapping[str, tuple[str, ...]]:
    """Group -> kinds: digital, noise, blur, colour, task-specific."""
    return {name: tuple(kinds) for name, kinds in _table()["groups"].items()}


def group_of(kind: str) -> str:
    """The group of a kind. Raises ConfigurationError for another kind."""
    for name, kinds in corruption_groups().items():
        if kind in kinds:
            return name
    raise ConfigurationError(f"kind {kind}", "is no corruption", "See `groundglass synthesize corrupt --help`.")


def _parameter(value: float | list[float]) -> Parameter:
    return tuple(float(v) for v in value) if isinstance(value, list) else float(value)


@cache
def _table() -> dict[str, dict[str, dict]]:  # type: ignore[type-arg]
    import yaml

    text = (resources.files("groundglass.synthesis.corruptions") / "data" / "medmnist_c.yaml").read_text("utf-8")
    held: dict[str, dict[str, dict]] = yaml.safe_load(text)  # type: ignore[type-arg]
    return held
