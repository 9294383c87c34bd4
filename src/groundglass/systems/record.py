"""Running a proof and keeping its record: figures, seeds, data, machine, and the code that it exercised."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import platform
import sys
import time
import tokenize
from dataclasses import asdict
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from groundglass import __version__
from groundglass.core import ConfigurationError
from groundglass.io.atomic import write_json_atomic
from groundglass.systems.proof import Proof
from groundglass.systems.registry import system

_PACKAGE = Path(__file__).resolve().parents[1]
_LIBRARIES = ("torch", "numpy", "scipy", "monai", "SimpleITK", "scikit-image", "pydicom", "highdicom", "transformers")


def prove(number: int, workdir: Path, data: Path | None) -> dict[str, Any]:
    """Run the proof of a system and return its record. Raises ConfigurationError when it is only planned."""
    built = system(number)
    if built.module is None:
        raise ConfigurationError(
            f"system {number}", f"{built.name} is planned, not built", "See `groundglass systems`."
        )
    started = time.perf_counter()
    proof = import_module(f"groundglass.systems.{built.module}").prove(workdir, data)
    return record_of(proof, seconds=time.perf_counter() - started)


def record_of(proof: Proof, *, seconds: float) -> dict[str, Any]:
    """The record as it is written to proofs/NN.json."""
    return {
        "system": proof.number,
        "name": system(proof.number).name,
        "passed": proof.passed,
        "claims": [{key: _plain(value) for key, value in asdict(claim).items()} for claim in proof.claims],
        "seeds": list(proof.seeds),
        "data": list(proof.data),
        "notes": list(proof.notes),
        "seconds": round(seconds, 1),
        "machine": {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
        "versions": {
            "groundglass": __version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _LIBRARIES},
        },
        "code": code_hashes(loaded_files()),
    }


def write_record(record: dict[str, Any], folder: Path) -> Path:
    """Write proofs/NN.json; the path written."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record['system']:02d}.json"
    write_json_atomic(path, record)
    return path


def read_record(number: int, folder: Path) -> dict[str, Any] | None:
    """The recorded proof of a system, None when there is none."""
    path = folder / f"{number:02d}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def is_stale(record: dict[str, Any]) -> bool:
    """True when a file that the recorded run had loaded has changed or gone since."""
    return any(_hash(_PACKAGE / name) != digest for name, digest in record["code"].items())


def loaded_files() -> list[Path]:
    """Modules of this package that the process has imported, with the data files beside them.

    The command line, which only started the run, is left out.
    """
    files: set[Path] = set()
    for name, module in sys.modules.items():
        path = getattr(module, "__file__", None)
        if name.startswith("groundglass.") and not name.startswith("groundglass.app") and path:
            files.add(Path(path).resolve())
    for folder in {path.parent for path in files}:
        files |= {path for path in (folder / "data").rglob("*.*") if path.suffix in (".json", ".yaml", ".csv", ".j2")}
    return sorted(files)


def code_hashes(files: list[Path]) -> dict[str, str]:
    """First 16 hexadecimal digits of the SHA-256 of what each file does, by its path in the package."""
    return {path.relative_to(_PACKAGE).as_posix(): _hash(path) for path in files}


def _hash(path: Path) -> str:
    return _hash_since(path, path.stat().st_mtime_ns) if path.is_file() else "gone"


@cache
def _hash_since(path: Path, changed: int) -> str:
    """Of a file last changed at `changed` (ns): many records share a file, and each is parsed but once."""
    text = path.read_text(encoding="utf-8")
    return hashlib.sha256((substance(text) if path.suffix == ".py" else text).encode()).hexdigest()[:16]


def substance(source: str) -> str:
    """Python source without what changes no figure: comments, docstrings, empty lines, a room's table of exports."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in _silent(ast.parse(source)):
        if lines[node.lineno - 1][: node.col_offset].strip():
            continue  # in one line with what it explains
        lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or node.lineno) - node.lineno + 1)
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _silent(module: ast.Module) -> list[ast.stmt]:
    """Docstrings, and the table from which a room loads its names when they are asked for (`core.lazy`)."""
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = [n.body[0] for n in ast.walk(module) if isinstance(n, holders) and ast.get_docstring(n, clean=False)]
    for node in module.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == "_EXPORTS":
            found.append(node)
    return found


def _plain(value: Any) -> Any:
    """JSON-ready, with floats rounded to what a reader can use."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, float):
        return float(f"{value:.6g}")
    return value


def main(arguments: list[str]) -> int:
    """`NUMBER WORKDIR RESULT [DATA]`: run one proof in this process and write its record to RESULT."""
    number, workdir, result = int(arguments[0]), Path(arguments[1]), Path(arguments[2])
    data = Path(arguments[3]) if len(arguments) > 3 else None
    write_json_atomic(result, prove(number, workdir, data))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
