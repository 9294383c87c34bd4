"""The command `groundglass archive`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def archive(
    given: Annotated[
        str, typer.Argument(metavar="IN", help="Folder, file, CSV with a column path, or DICOMweb address.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of results.parquet and a folder per study.")],
    task: Annotated[str, typer.Option(help="read, info, check or label.")] = "read",
    workers: Annotated[Optional[int], typer.Option(min=1, help="Processes; else one per core.")] = None,  # noqa: UP045
    engine: Annotated[str, typer.Option(help="pool (this machine) or ray (a cluster).")] = "pool",
    ray_address: Annotated[str, typer.Option(help="Address of a Ray cluster; else one is started here.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what an earlier run left.")] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Resume, and do studies anew that were set aside or have changed.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that one study may take.")] = 1800.0,
    memory: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(min=0.1, help="GiB that one worker may hold; else four fifths of the machine's, shared out."),
    ] = None,
    group: Annotated[
        str, typer.Option(help="file: each image is a study; folder: the images of a folder are.")
    ] = "file",
    only: Annotated[str, typer.Option(help="read: terms to report, separated by commas.")] = "",
    language: Annotated[str, typer.Option(help="read, label: language of the reports.")] = "",
    segment_with: Annotated[str, typer.Option(help="read: totalsegmentator, or a model folder.")] = "",
    sets: Annotated[str, typer.Option("--set", help="label: label sets, separated by commas, or all.")] = "",
    token: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(envvar="GROUNDGLASS_DICOMWEB_TOKEN", help="Bearer token of the DICOMweb server."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print machine-readable JSON on stdout.")] = False,
) -> None:
    """Carry thousands of studies through a task; stop and resume at any moment."""
    import sys
    from contextlib import redirect_stdout
    from dataclasses import asdict
    from json import dumps

    from groundglass.app.archive.printing import print_summary, progress_bar
    from groundglass.app.archive.run import Settings, run
    from groundglass.core.errors import ConfigurationError

    for name, value, known in (("engine", engine, ("pool", "ray")), ("group", group, ("file", "folder"))):
        if value not in known:
            raise ConfigurationError(f"--{name} {value}", "is not known", f"Use {' or '.join(known)}.")
    settings = Settings(
        task=task,
        options={"only": only, "language": language, "segment_with": segment_with, "sets": sets},
        engine=engine,  # type: ignore[arg-type]
        ray_address=ray_address,
        token=token,
        workers=workers or 0,
        timeout=timeout,
        memory=int((memory or 0) * 2**30),
        group=group,  # type: ignore[arg-type]
        resume=resume or retry,
        retry=retry,
    )
    # What a library prints (Ray tells of dead workers so) must not mix with the JSON.
    with progress_bar() as listen, redirect_stdout(sys.stderr):
        summary = run(given, out, settings, listen)
    if json:
        faults = [{"source": source, **asdict(fault)} for source, fault in summary.quarantine]
        typer.echo(dumps({**summary.figures, "quarantine": faults}, ensure_ascii=False))
    else:
        print_summary(summary)
    if summary.quarantine:
        raise typer.Exit(1)
