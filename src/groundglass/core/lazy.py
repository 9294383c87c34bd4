"""A room's door: public names that load their module at first use, so that a light command pays for no heavy one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_exports(package: str, where: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The module-level `__getattr__` and `__dir__` (PEP 562) of `package`, from a table of public name -> module.

    Modules are named relative to the package, without a leading dot ("brain", "segmentation.dice"). A name that is
    the module's own last part exports the module itself: importing a submodule would bind that name to it anyway.

        _EXPORTS = {"dice": "overlap", "hd95": "surface"}
        __getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
        __all__ = sorted(_EXPORTS)

    A name that is not in the table raises AttributeError; a module that does not import raises its own error.
    """

    def find(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(f"{package}.{where[name]}")
        return module if where[name].rpartition(".")[2] == name else getattr(module, name)

    def names() -> list[str]:
        return sorted(where)

    return find, names
