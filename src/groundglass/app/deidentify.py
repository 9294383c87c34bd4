"""`groundglass deidentify`: the basic profile over files and folders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import typer

from groundglass.io import DeidentifyOptions, deidentify


def run(
    paths: Sequence[Path], out: Path, *, secret: str | None, options: DeidentifyOptions, burned_in: bool, as_json: bool
) -> int:
    """De-identify into `out`; 0 when every file was done, 1 when one was refused or could not be read."""
    done = deidentify(paths, out, secret=secret, options=options, allow_burned_in=burned_in)
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "written": [str(target) for _, target in done.written],
                    "skipped": [{"file": source, "reason": reason} for source, reason in done.skipped],
                    "warnings": done.warnings,
                    "actions": dict(done.counts),
                }
            )
        )
    else:
        for source, reason in done.skipped:
            typer.echo(f"skipped: {source}: {reason}", err=True)
        for warning in done.warnings:
            typer.echo(f"warning: {warning}", err=True)
        typer.echo(f"{len(done.written)} files written to {out}, {len(done.skipped)} skipped")
    return 1 if done.skipped else 0
