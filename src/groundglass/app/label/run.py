"""Many reports through label sets, in order, on several processes, with a bounded number under way."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import typer

from groundglass.app.label.sources import Source, sources
from groundglass.app.label.tables import writer_to
from groundglass.core import GroundglassError
from groundglass.text import decode_report, label, label_set, label_sets, read_report
from groundglass.text.labels import Policy

BATCH = 200


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
    work = partial(label_batch, sets=names, uncertain=uncertain, language=language)
    given = sources(paths, column=column, id_column=id_column)
    count, problems = 0, 0
    with writer_to(out, columns, sys.stdout, lines=lines) as table:
        for row in _labelled(work, given, processes or _cores()):
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


def label_batch(
    batch: Sequence[Source], *, sets: tuple[str, ...], uncertain: Policy | None, language: str
) -> list[Labelled]:
    """The labels of a few reports."""
    return [_label(source, sets, uncertain, language) for source in batch]


def _label(source: Source, sets: tuple[str, ...], uncertain: Policy | None, language: str) -> Labelled:
    if source.problem:
        return Labelled(source.name, {}, {}, f"{source.name}: {source.problem}")
    try:
        text = source.text if source.file is None else decode_report(source.file.read_bytes(), source.name)
    except (GroundglassError, OSError) as error:
        return Labelled(source.name, {}, {}, str(error))
    report = read_report(text, language=language)
    values: dict[str, float | None] = {}
    evidence: dict[str, list[dict[str, Any]]] = {}
    for name in sets:
        for row, found in label(report, name, uncertain=uncertain).items():
            column = column_of(name, row, sets)
            values[column] = found.number
            if found.findings:
                evidence[column] = [_words(finding, text) for finding in found.findings]
    return Labelled(source.name, values, evidence)


def _words(finding: Any, text: str) -> dict[str, Any]:
    """The words that name a finding, and where in the report they stand."""
    span = next((e.span for e in reversed(finding.evidence) if e.span), None)
    return {
        "finding": finding.what.name,
        "status": finding.status,
        "span": span,
        "words": text[slice(*span)] if span else "",
    }


def _labelled(work: Any, given: Iterable[Source], processes: int) -> Iterator[Labelled]:
    batches = _batches(given)
    begun = list(islice(batches, 2))
    if processes == 1 or len(begun) < 2:
        for batch in chain(begun, batches):
            yield from work(batch)
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        under_way: deque[Future[list[Labelled]]] = deque()
        for batch in chain(begun, batches):
            under_way.append(pool.submit(work, batch))
            # A bounded queue: a million reports must not stand in memory.
            if len(under_way) > 2 * processes:
                yield from under_way.popleft().result()
        while under_way:
            yield from under_way.popleft().result()


def _batches(given: Iterable[Source]) -> Iterator[list[Source]]:
    stream = iter(given)
    while batch := list(islice(stream, BATCH)):
        yield batch


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
