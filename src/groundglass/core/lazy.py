"""A room's door: public names that load their module at first use, so that a light command pays for no heavy one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_exports(package: str, where: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The module-level `__getattr__` and `__dir__` (PEP 562) of `package`, from a table of public name -> module.

    Modules are named relative to the package, without a leading dot ("brain", "segmentation.dice"). A name may not be
    that of its own module: whoever imports the module binds the name to it, and the function is gone. A whole module
    needs no entry.

        _EXPORTS = {"dice": "overlap", "hd95": "surface"}
        __getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
        __all__ = sorted(_EXPORTS)

    A name that is not in the table raises AttributeError; a module that does not import raises its own error. Raises
    ValueError at once for names that are their module's.
    """
    hidden = [name for name, module in where.items() if name == module]
    if hidden:
        raise ValueError(f"{package} exports {', '.join(hidden)} from modules of the same name: rename the modules")

    def find(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{where[name]}"), name)

    def names() -> list[str]:
        return sorted(where)

    return find, names
