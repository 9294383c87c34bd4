"""A run on the screen: a progress bar while it goes, a table of what became of it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from groundglass.app.archive.run import Listener, Summary

_SHOWN = 20


@contextmanager
def progress_bar() -> Iterator[Listener]:
    """A listener that draws on stderr where that is a terminal, else one that is silent."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} set aside"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        line = bar.add_task("discovering", total=None, failed=0)

        def listen(step: str, done: int, failed: int, total: int) -> None:
            known = total if step == "working" else None
            completed = total if step == "discovering" else done + failed
            bar.update(line, description=step, completed=completed, total=known, failed=failed)

        yield listen


def print_summary(summary: Summary) -> None:
    """Numbers, reasons, and the first studies that were set aside, as tables on stdout."""
    from rich.console import Console
    from rich.table import Table

    console, figures = Console(), summary.figures
    studies, seconds = figures["studies"], figures["seconds"]
    table = Table(title=f"{figures['task']} of {sum(studies.values())} studies", show_header=False)
    rows = {
        "done": studies["done"],
        "set aside": studies["failed"],
        "done before this run": figures["done_before"],
        "copies left out": figures["copies"],
        "workers lost": figures["workers_lost"],
        "seconds of discovery": f"{seconds['discovery']:.1f}",
        "seconds of work": f"{seconds.get('work', 0):.1f}",
        "peak memory": f"{figures['peak_worker_bytes'] / 2**20:.0f} MiB a worker, "
        f"{figures['peak_runner_bytes'] / 2**20:.0f} MiB the runner",
        "table": figures["results"],
    }
    for name, value in rows.items():
        table.add_row(name, str(value))
    console.print(table)
    if figures["changed_since"]:
        console.print(f"{figures['changed_since']} studies have other files than when they were done: --retry.")
    if summary.quarantine:
        reasons = Table("error", "studies", title="set aside")
        for error, count in Counter(fault.type for _source, fault in summary.quarantine).most_common():
            reasons.add_row(error, str(count))
        console.print(reasons)
        for source, fault in summary.quarantine[:_SHOWN]:
            console.print(f"{source}: {fault.problem}. {fault.remedy}", markup=False, highlight=False, soft_wrap=True)
        more = len(summary.quarantine) - _SHOWN
        if more > 0:
            console.print(f"and {more} more: see {figures['results']}", markup=False, highlight=False, soft_wrap=True)
