"""`groundglass synthesize phantom`: examinations of simulated patients, in the folder layout of another tool."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

_OptionalText = Optional[str]  # noqa: UP045 (typer resolves the annotation at run time)
_OptionalNumber = Optional[float]  # noqa: UP045


def phantom(
    kind: Annotated[str, typer.Argument(help="chest-ct, abdomen-ct, petct, radiograph, retina, microscopy, ...")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write.")],
    number: Annotated[int, typer.Option("-n", "--number", help="Patients.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
    start: Annotated[int, typer.Option(help="Number of the first patient: a set can be made in parts.")] = 0,
    visits: Annotated[int, typer.Option(help="Examinations of each patient; their findings change.")] = 1,
    layout: Annotated[str, typer.Option(help="plain, bids, msd, coco or mimic.")] = "plain",
    size: Annotated[
        _OptionalText, typer.Option(help="Voxels: 128x128x96 for a volume, 512 for a picture; else the kind's own.")
    ] = None,
    noise: Annotated[_OptionalNumber, typer.Option(help="CT: standard deviation in HU; else drawn.")] = None,
    phase: Annotated[_OptionalText, typer.Option(help="CT: plain or 'portal venous'; else drawn.")] = None,
    language: Annotated[str, typer.Option("--lang", help="Language of the reports.")] = "en",
    workers: Annotated[int, typer.Option(help="Processes; 0: one per core.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print a record per examination on stdout.")] = False,
) -> None:
    """Simulated patients: images, exact masks, boxes and measurements, a report, questions and answers."""
    from groundglass.app.console import progress
    from groundglass.synthesis.phantoms import write_phantoms

    options: dict[str, Any] = {"language": language}
    if size is not None:
        options |= _size(size)
    if noise is not None:
        options["noise"] = noise
    if phase is not None:
        options["phase"] = phase
    with progress() as tell:
        records = write_phantoms(
            kind, number, seed, out, layout=layout, start=start, visits=visits, workers=workers, tell=tell, **options
        )
    if json:
        from json import dumps

        for record in records:
            typer.echo(dumps(record, ensure_ascii=False))
    else:
        typer.echo(f"{len(records)} simulated examinations: {out}")


def _size(text: str) -> dict[str, Any]:
    """ "128x128x96" -> shape, "512" -> size. Raises ConfigurationError."""
    from groundglass.core import ConfigurationError

    parts = text.lower().split("x")
    if len(parts) not in (1, 3) or not all(part.isdigit() for part in parts):
        raise ConfigurationError(f"--size {text}", "is no size", "Write 128x128x96 or 512.")
    numbers = tuple(int(part) for part in parts)
    return {"size": numbers[0]} if len(numbers) == 1 else {"shape": numbers}
