"""From the structures of a CT to the classes of a radiograph: unions by name, then rules. The table is data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import InputError
from groundglass.synthesis.chest_labels import rules

Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RadiographClass:
    """`name` of a class, its `group` (lungs, mediastinum, bones, diaphragm), and whether it is `open` at the ends of
    any chest scan."""

    name: str
    group: str
    is_open: bool


@cache
def radiograph_classes() -> tuple[RadiographClass, ...]:
    """Every class in the order of the target's planes."""
    made = []
    for row in _table():
        for name in _names(row):
            made.append(RadiographClass(name, row["group"], bool(row.get("open"))))
            if row.get("parts"):
                made += [RadiographClass(f"{name}, {part}", row["group"], False) for part in ("anterior", "posterior")]
    return tuple(made)


def ct_classes(structures: Mapping[str, NDArray[Any]], *, body: NDArray[Any] | None = None) -> dict[str, Bool]:
    """The classes that a labelled CT has, by name. `structures`: boolean arrays in RAS axes of one shape, by
    TotalSegmentator's or the simulated chests' names; unknown names are passed over. `body` adds the abdomen.

    A class of which nothing is labelled is left out. Raises InputError for arrays of different shapes.
    """
    shapes = {np.shape(array) for array in structures.values()}
    if len(shapes) > 1:
        raise InputError("structures", f"have the shapes {sorted(shapes)}", "Bring them to one grid first.")
    held: dict[str, Bool] = {}
    rows = _table()
    for row in rows:
        for number, name in enumerate(_names(row), start=1):
            parts = [source.format(n=number) for source in row.get("of", ())]
            found = [np.asarray(structures[part], dtype=bool) for part in parts if part in structures]
            if found:
                _keep(held, name, np.logical_or.reduce(found))
    spine = [held[name] for name in held if name.endswith(" vertebra")]
    if spine:
        _keep(held, "spine", np.logical_or.reduce(spine))
    for row in rows:
        rule = row.get("rule")
        if rule == "abdomen":
            _keep(held, row["name"], rules.abdomen(held, None if body is None else np.asarray(body, dtype=bool)))
        elif rule is not None and row["name"] not in held:
            _keep(held, row["name"], rules.RULES[rule](held))
        if row.get("parts"):
            for name in _names(row):
                if name in held:
                    front, back = rules.rib_parts(held[name])
                    _keep(held, f"{name}, anterior", front)
                    _keep(held, f"{name}, posterior", back)
    return {c.name: held[c.name] for c in radiograph_classes() if c.name in held}


def without_table(hounsfield: NDArray[Any], *, air: float = -1000.0) -> tuple[NDArray[Any], Bool]:
    """The CT with everything outside of the largest body component set to air, and that component, filled slice by
    slice (the third axis is along the body). Raises InputError when nothing is denser than -400 HU."""
    from scipy.ndimage import binary_fill_holes, binary_opening, label

    # Opening parts the couch from the back that lies on it.
    dense = binary_opening(np.asarray(hounsfield) > -400, np.ones((3, 3, 1)), iterations=1)
    parts, count = label(dense)
    if count == 0:
        raise InputError("CT", "holds nothing denser than -400 HU", "Give a CT in HU.")
    body = parts == 1 + int(np.bincount(parts.ravel())[1:].argmax())
    body = np.stack([binary_fill_holes(body[..., z]) for z in range(body.shape[2])], axis=2)
    return np.where(body, hounsfield, np.asarray(air, dtype=np.asarray(hounsfield).dtype)), body


def _keep(held: dict[str, Bool], name: str, mask: Bool | None) -> None:
    if mask is not None and mask.any():
        held[name] = mask


def _names(row: dict[str, Any]) -> list[str]:
    return [row["name"].format(n=n) for n in range(1, row.get("count", 1) + 1)]


@cache
def _table() -> list[dict[str, Any]]:
    import yaml

    text = (resources.files("groundglass.synthesis.chest_labels") / "data" / "classes.yaml").read_text("utf-8")
    held: list[dict[str, Any]] = yaml.safe_load(text)["classes"]
    return held
