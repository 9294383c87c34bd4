"""Rooms' doors load their modules at first use, and every name in their tables is there."""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path

import pytest

from groundglass.core.lazy import lazy_exports

SOURCE = Path(__file__).parents[2] / "src" / "groundglass"


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    package = tmp_path / "lazy_room_for_test"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text(
        "from groundglass.core.lazy import lazy_exports\n"
        "_EXPORTS = {'f': 'part', 'g': 'deep.inner', 'lost': 'part'}\n"
        "__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)\n"
        "__all__ = sorted(_EXPORTS)\n"
    )
    (package / "part.py").write_text("def f(): return 1\n")
    (package / "deep" / "__init__.py").write_text("")
    (package / "deep" / "inner.py").write_text("def g(): return 2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package.name
    for name in [name for name in sys.modules if name.split(".")[0] == package.name]:
        del sys.modules[name]


def test_names_load_at_first_use(room: str) -> None:
    door = import_module(room)
    assert f"{room}.part" not in sys.modules
    assert door.f() == 1 and door.g() == 2
    assert f"{room}.part" in sys.modules
    assert dir(door) == ["f", "g", "lost"]


def test_a_name_that_its_module_would_hide_is_refused() -> None:
    with pytest.raises(ValueError, match="exports fill from modules of the same name"):
        lazy_exports("package", {"fill": "fill", "other": "fill"})
    find, _ = lazy_exports("package", {"fill": "deep.fill"})  # a deeper module binds its name elsewhere
    assert callable(find)


def test_unknown_names_are_attribute_errors(room: str) -> None:
    door = import_module(room)
    with pytest.raises(AttributeError, match=f"'{room}' has no attribute 'h'"):
        _ = door.h
    with pytest.raises(AttributeError, match="lost"):
        _ = door.lost


def defined(module: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return names


def test_every_name_of_every_door_is_defined() -> None:
    checked = 0
    for door in SOURCE.rglob("__init__.py"):
        table = next(
            (
                ast.literal_eval(node.value)
                for node in ast.parse(door.read_text(encoding="utf-8")).body
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_EXPORTS"
            ),
            {},
        )
        for name, where in table.items():
            path = door.parent.joinpath(*where.split("."))
            module = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
            assert module.exists(), f"{door.parent.name}: {where} is not there"
            if module.name != "__init__.py":
                assert name in defined(module), f"{door.parent.name}: {where} does not define {name}"
            checked += 1
    assert checked > 100
