"""The rooms' rule that import-linter cannot say: of another task room, only what its `__init__` exports."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "groundglass"
TASK_ROOMS = ("classification", "measurement", "models", "report", "segmentation", "synthesis")


def imported(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
    return names


def test_task_rooms_use_only_the_doors_of_other_task_rooms() -> None:
    broken = []
    for room in TASK_ROOMS:
        for path in (SOURCE / room).rglob("*.py"):
            for name in imported(path):
                parts = name.split(".")
                if len(parts) > 2 and parts[0] == "groundglass" and parts[1] in TASK_ROOMS and parts[1] != room:
                    broken.append(f"{path.relative_to(SOURCE)} imports {name}")
    assert broken == []


def test_no_module_is_a_drawer_or_too_long() -> None:
    for path in SOURCE.rglob("*.py"):
        assert path.stem not in ("utils", "util", "helpers", "misc", "common"), path
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 350, path
