"""One row per study as Parquet: the same rows in the same order, whatever engine made them and how often it stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from groundglass.core.errors import ConfigurationError
from groundglass.io.atomic import atomic_path

COMMON = {
    "study": "string", "kind": "string", "source": "string", "study_files": "int", "study_bytes": "int",
    "state": "string", "folder": "string", "error": "string", "error_input": "string", "problem": "string",
    "remedy": "string",
}  # fmt: skip
_GROUP = 5_000


def require_parquet() -> None:
    """Raises ConfigurationError where Parquet cannot be written: better now than after a night's work."""
    _pyarrow()


def write_rows(rows: Iterable[dict[str, Any]], columns: Mapping[str, Any], path: Path) -> int:
    """Write rows to `path`, whole or not at all; their number. A few thousand are in memory at a time."""
    pyarrow = _pyarrow()
    schema = pyarrow.schema([(name, _type(pyarrow, kind)) for name, kind in {**COMMON, **columns}.items()])
    stream, count = iter(rows), 0
    with atomic_path(path) as temporary, pyarrow.parquet.ParquetWriter(temporary, schema) as writer:
        while group := list(islice(stream, _GROUP)):
            writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))
            count += len(group)
    return count


def _type(pyarrow: Any, kind: Any) -> Any:
    """The Arrow type of a column: see `TaskKind.columns`."""
    if isinstance(kind, list):
        return pyarrow.list_(_type(pyarrow, kind[0]))
    if isinstance(kind, dict):
        return pyarrow.struct([(name, _type(pyarrow, inner)) for name, inner in kind.items()])
    return {"string": pyarrow.string, "int": pyarrow.int64, "float": pyarrow.float64, "bool": pyarrow.bool_}[kind]()


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ConfigurationError(
            "the table of results", "needs pyarrow, which is not installed", "pip install 'groundglass[tables]'."
        ) from error
    return pyarrow
