"""`groundglass systems` and `groundglass prove`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from groundglass.core import ConfigurationError
from groundglass.systems.record import is_stale, read_record, write_record
from groundglass.systems.registry import System, system, systems


def show_systems(*, as_json: bool, folder: Path = Path("proofs")) -> None:
    """The table of all systems with the state of their proofs."""
    rows = [_row(entry, read_record(entry.number, folder)) for entry in systems()]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        kinds = ", ".join(row["kind"])
        name, state = f"{row['name'][:42]:42} {kinds[:36]:36}", f"{row['state']:8} {row['proof']:8}"
        typer.echo(f"{row['number']:>2}  {name} {state}{row['entry']}")
    built = sum(row["state"] == "built" for row in rows)
    typer.echo(f"{built} of {len(rows)} built, {sum(row['proof'] == 'passed' for row in rows)} with a passing proof")


def _row(entry: System, record: dict[str, Any] | None) -> dict[str, Any]:
    proof = "" if record is None else "stale" if is_stale(record) else "passed" if record["passed"] else "failed"
    return {
        "number": entry.number,
        "name": entry.name,
        "what": entry.what,
        "kind": list(entry.kinds),
        "state": "built" if entry.is_built else "planned",
        "proof": proof,
        "entry": entry.entry,
    }


def run_proofs(numbers: Sequence[int], *, stale: bool, folder: Path, data: Path | None, as_json: bool) -> int:
    """Run proofs, print and record their claims; 0 when all claims hold, 1 when one does not.

    Each proof runs in a process of its own, so that its record lists only the code that it loaded.
    """
    chosen = [system(number) for number in numbers]
    if stale:
        chosen += [s for s in systems() if s.is_built and _needs_run(s.number, folder)]
    elif not chosen:
        raise ConfigurationError("prove", "which system?", "Name numbers, or ask for --stale.")
    records = []
    for entry in chosen:
        record = _in_own_process(entry, data)
        write_record(record, folder)
        records.append(record)
        if not as_json:
            _print_record(record)
    if as_json:
        typer.echo(json.dumps(records, ensure_ascii=False))
    return 0 if all(record["passed"] for record in records) else 1


def _needs_run(number: int, folder: Path) -> bool:
    record = read_record(number, folder)
    return record is None or is_stale(record)


def _in_own_process(entry: System, data: Path | None) -> dict[str, Any]:
    if not entry.is_built:
        raise ConfigurationError(
            f"system {entry.number}", f"{entry.name} is planned, not built", "See `groundglass systems`."
        )
    with tempfile.TemporaryDirectory() as workdir:
        result = Path(workdir) / "record.json"
        command = [sys.executable, "-m", "groundglass.systems.record", str(entry.number), workdir, str(result)]
        done = subprocess.run([*command, *([str(data)] if data else [])], check=False)
        if done.returncode != 0 or not result.is_file():
            raise ConfigurationError(f"system {entry.number}", "its proof did not end", "Its own message stands above.")
        record: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return record


def _print_record(record: dict[str, Any]) -> None:
    typer.echo(
        f"{record['system']}. {record['name']}: {'passed' if record['passed'] else 'FAILED'} in {record['seconds']} s"
    )
    for claim in record["claims"]:
        interval = f" [{claim['low']:g}, {claim['high']:g}]" if claim["low"] is not None else ""
        baseline = f", baseline {claim['baseline']:g}" if claim["baseline"] is not None else ""
        verdict = "holds " if claim["passed"] else "FAILS "
        typer.echo(f"  {verdict} {claim['name']}: {claim['measured']:g}{interval}{baseline} ({claim['required']})")
