"""What files are, what terms exist, what models ship: for people as a table, for scripts as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import typer

from groundglass.app.outputs import image_facts
from groundglass.core import ConfigurationError, ontology


def show(paths: Sequence[Path], *, as_json: bool) -> None:
    """Header facts of every image in `paths`, read as one study."""
    from groundglass.io import read_study

    study = read_study(paths)
    facts = [image_facts(image) for image in study.images]
    if as_json:
        typer.echo(json.dumps({"images": facts, "warnings": list(study.warnings)}, ensure_ascii=False))
        return
    for fact in facts:
        size = " x ".join(str(n) for n in fact["shape"])
        spacing = (
            " x ".join(f"{s:.3g}" for s in fact["spacing_mm"]) + " mm" if fact["spacing_mm"] else "spacing unknown"
        )
        part = f", {fact['body_part'].lower()}" if fact["body_part"] else ""
        typer.echo(f"{fact['name']}: {fact['modality']}{part}, {size}, {spacing}")
        for warning in fact["warnings"]:
            typer.echo(f"  {warning}")
    for warning in study.warnings:
        typer.echo(f"warning: {warning}", err=True)


def show_terms(word: str, *, as_json: bool) -> None:
    """Terms whose name or synonym holds `word`. Raises ConfigurationError when there is none."""
    wanted = word.casefold()
    rows = [
        {"name": entry.term.name, "kind": entry.kind, "code": entry.term.code, "scheme": entry.term.scheme}
        for entry in ontology()
        if any(
            wanted in name.casefold() for name in [entry.term.name, *(w for ws in entry.synonyms.values() for w in ws)]
        )
    ]
    if not rows:
        raise ConfigurationError(word, "matches no term", "Try a part of the word.")
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in sorted(rows, key=lambda row: (row["kind"], row["name"])):
        typer.echo(f"{row['kind']:12} {row['name']:48} {row['code']} ({row['scheme']})")


def show_models(name: str, *, as_json: bool) -> None:
    """The built-in models, or the card of one."""
    from groundglass.models import builtin_models, model_card, model_config

    if name:
        typer.echo(model_card(name))
        return
    rows = []
    for model in builtin_models():
        config = model_config(model)
        rows.append({"name": model, "version": config["version"], "measured_on": config.get("measured_on", "")})
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['name']:18} {row['version']:8} {row['measured_on']}")
