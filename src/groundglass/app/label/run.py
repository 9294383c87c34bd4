"""Many reports through label sets, in order, on several processes, with a bounded number under way."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import typer

from groundglass.app.label.sources import Source, sources
from groundglass.app.label.tables import holds_words, writer_to
from groundglass.core import Finding, GroundglassError
from groundglass.text import decode_report, in_order, label, label_set, label_sets, label_values, read_report
from groundglass.text.labels import Label, Policy


class Labelled(NamedTuple):
    """One report's label values by column with their evidence, or the `problem` why it has none."""

    name: str
    values: dict[str, float | None]
    evidence: dict[str, list[dict[str, Any]]]
    problem: str = ""


def chosen_sets(asked: str) -> tuple[str, ...]:
    """Names of the label sets of an option: names separated by commas, or `all`."""
    names = label_sets() if asked == "all" else tuple(name.strip() for name in asked.split(",") if name.strip())
    for name in names:
        label_set(name)
    return names


def run(
    paths: Sequence[Path],
    out: Path | None,
    *,
    sets: str,
    uncertain: Policy | None,
    language: str,
    column: str | None,
    id_column: str | None,
    lines: bool,
    processes: int | None,
) -> int:
    """Label all reports; 0 when every one could be read, 1 when some were left out (they are named on stderr)."""
    names = chosen_sets(sets)
    columns = [column_of(name, row, names) for name in names for row in label_set(name).rules]
    # Values alone are several times as fast as values with the words that gave them.
    made = with_words if holds_words(out, lines=lines) else values_only
    work = partial(made, sets=names, uncertain=uncertain, language=language)
    given = sources(paths, column=column, id_column=id_column)
    count, problems = 0, 0
    with writer_to(out, columns, sys.stdout, lines=lines) as table:
        for row in in_order(work, given, workers=processes or 0):
            if row.problem:
                problems += 1
                typer.echo(f"left out: {row.problem}", err=True)
                continue
            table.write(row.name, row.values, row.evidence)
            count += 1
    typer.echo(f"{count} reports labelled, {problems} left out", err=True)
    return 1 if problems else 0


def column_of(name: str, row: str, names: Sequence[str]) -> str:
    """The column of a label; with several sets its set stands before it."""
    return row if len(names) == 1 else f"{name}: {row}"


def values_only(
    batch: Sequence[Source], *, sets: tuple[str, ...], uncertain: Policy | None, language: str
) -> list[Labelled]:
    """The label values of a few reports."""
    rows = []
    for source in batch:
        text, problem = _text(source)
        values = (
            {}
            if problem
            else {
                column_of(name, row, sets): Label(value).number
                for name in sets
                for row, value in label_values(text, name, uncertain=uncertain, language=language).items()
            }
        )
        rows.append(Labelled(source.name, values, {}, problem))
    return rows


def with_words(
    batch: Sequence[Source], *, sets: tuple[str, ...], uncertain: Policy | None, language: str
) -> list[Labelled]:
    """The label values of a few reports, with the findings that gave them."""
    rows = []
    for source in batch:
        text, problem = _text(source)
        found = {} if problem else _labels(text, sets, uncertain, language)
        values = {column: answer.number for column, answer in found.items()}
        evidence = {c: [_words(f, text) for f in answer.findings] for c, answer in found.items() if answer.findings}
        rows.append(Labelled(source.name, values, evidence, problem))
    return rows


def _labels(text: str, sets: tuple[str, ...], uncertain: Policy | None, language: str) -> dict[str, Label]:
    report = read_report(text, language=language)
    return {
        column_of(name, row, sets): answer
        for name in sets
        for row, answer in label(report, name, uncertain=uncertain).items()
    }


def _text(source: Source) -> tuple[str, str]:
    """The text of a source, and what kept it from being read ("": nothing)."""
    if source.problem:
        return "", f"{source.name}: {source.problem}"
    if source.file is None:
        return source.text, ""
    try:
        return decode_report(source.file.read_bytes(), source.name), ""
    except (GroundglassError, OSError) as error:
        return "", str(error)


def _words(finding: Finding, text: str) -> dict[str, Any]:
    """The words that name a finding, and where in the report they stand."""
    span = next((e.span for e in reversed(finding.evidence) if e.span), None)
    words = text[slice(*span)] if span else ""
    return {"finding": finding.what.name, "status": finding.status, "span": span, "words": words}
