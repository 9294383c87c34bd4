"""The command line. Commands import what they need when they run, so `--help` stays instant."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from groundglass import __version__
from groundglass.app.archive.commands import archive
from groundglass.app.compare.commands import compare, rank
from groundglass.app.mcp.commands import mcp
from groundglass.app.node.commands import node
from groundglass.app.segment.commands import segment
from groundglass.app.serve.commands import serve
from groundglass.app.synthesize.commands import synthesize
from groundglass.app.text_commands import graph, structure, timeline

app = typer.Typer(
    name="groundglass",
    help="Biomedical images in; grounded, measured, checked findings and reports out. Not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Out = Annotated[Path, typer.Option("-o", "--out", help="Folder (or file) to write.")]
Json = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON on stdout.")]
Data = Annotated[
    Optional[Path],  # noqa: UP045 (typer resolves the annotation at run time)
    typer.Option("--data", envvar="GROUNDGLASS_DATA", help="Folder of the open data sets."),
]


@app.command()
def read(
    images: Annotated[list[Path], typer.Argument(help="Files, DICOM folders or zips of ONE study.")],
    out: Out,
    mask: Annotated[list[str], typer.Option("--mask", help="TERM=FILE, for instance liver=liver.nii.gz.")] = [],  # noqa: B006
    prior: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Earlier output folder, report.json, report in words or study."),
    ] = None,
    report: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="This exam's report in words (text, HTML, RTF, HL7), shown beside the findings."),
    ] = None,
    clinical: Annotated[str, typer.Option(help="Clinical question, printed as the indication.")] = "",
    only: Annotated[str, typer.Option(help="Terms to report, separated by commas.")] = "",
    engine: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="totalsegmentator, or the folder of a MONAI bundle or of nnU-Net results."),
    ] = None,
    language: Annotated[str, typer.Option(help="Language of the report: en or id.")] = "en",
    json: Json = False,
) -> None:
    """Read a scan: find, measure and report what is in it."""
    from groundglass.app.console import progress
    from groundglass.app.read import read as read_study_to

    terms = [term.strip() for term in only.split(",") if term.strip()]
    with progress() as tell:
        outcome = read_study_to(
            images, out, masks=mask, prior=prior, written=report, clinical=clinical, only=terms, engine=engine,
            language=language, progress=tell,
        )  # fmt: skip
    for warning in outcome.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if json:
        from json import dumps

        typer.echo(dumps(outcome.document, ensure_ascii=False))
    else:
        typer.echo(f"report: {out / 'report.html'}")
    if outcome.is_degraded:
        typer.echo("error: no image had usable pixels; the report says why", err=True)
        raise typer.Exit(1)


@app.command()
def info(
    paths: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Argument(help="Files of one study; without any: what this installation can do."),
    ] = None,
    json: Json = False,
) -> None:
    """Say what files are: modality, size, geometry, warnings. Pixels are not decoded."""
    if not paths:
        from groundglass.app.capabilities import show_capabilities

        show_capabilities(as_json=json)
        return
    from groundglass.app.info import show

    show(paths, as_json=json)


@app.command()
def sample(
    kind: Annotated[str, typer.Argument(help="radiograph or brain.")],
    out: Out,
) -> None:
    """Write a sample image that the installation itself brings."""
    from groundglass.app.sample import write_sample

    typer.echo(str(write_sample(kind, out)))


@app.command()
def terms(
    word: Annotated[str, typer.Argument(help="Part of a name or synonym; empty lists all.")] = "", json: Json = False
) -> None:
    """List the terms that --mask and --only take, with their codes."""
    from groundglass.app.info import show_terms

    show_terms(word, as_json=json)


@app.command()
def deidentify(
    paths: Annotated[list[Path], typer.Argument(help="DICOM files, folders or zips.")],
    out: Out,
    secret: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(envvar="GROUNDGLASS_SECRET", help="Key of the new UIDs: the same key gives the same ones."),
    ] = None,
    dates: Annotated[str, typer.Option(help="remove, shift (whole days, one offset per patient) or keep.")] = "remove",
    keep_uids: Annotated[bool, typer.Option("--keep-uids", help="Retain UIDs option.")] = False,
    clean_descriptors: Annotated[bool, typer.Option("--clean-descriptors", help="Keep DICOM's own words.")] = False,
    burned_in: Annotated[
        bool, typer.Option("--burned-in", help="Also files that may show text in the picture.")
    ] = False,
    json: Json = False,
) -> None:
    """Remove the patient's identity by the DICOM PS3.15 basic profile."""
    from groundglass.app.deidentify import run
    from groundglass.core import ConfigurationError
    from groundglass.io import DeidentifyOptions

    if dates not in ("remove", "shift", "keep"):
        raise ConfigurationError(f"--dates {dates}", "is not a way to treat dates", "Use remove, shift or keep.")
    options = DeidentifyOptions(retain_uids=keep_uids, dates=dates, clean_descriptors=clean_descriptors)
    raise typer.Exit(run(paths, out, secret=secret, options=options, burned_in=burned_in, as_json=json))


@app.command()
def label(
    reports: Annotated[list[Path], typer.Argument(help="Text files, folders of them, CSV, TSV or JSON-lines tables.")],
    sets: Annotated[str, typer.Option("--set", help="Label sets, by commas; or all, or findings.")] = "chexpert14",
    uncertain: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Doubtful findings: keep, ones, zeros, ignore or probable; else as the set has it."),
    ] = None,
    language: Annotated[str, typer.Option("--lang", help="en, it, ja, zh or auto.")] = "en",
    column: Annotated[Optional[str], typer.Option(help="Column of a table with the text.")] = None,  # noqa: UP045
    id_column: Annotated[Optional[str], typer.Option(help="Column of a table with the id.")] = None,  # noqa: UP045
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("-o", "--out", help="File to write: .csv, .jsonl (with the words that decided) or .parquet."),
    ] = None,
    processes: Annotated[Optional[int], typer.Option(help="Processes; else one per core.")] = None,  # noqa: UP045
    json: Annotated[bool, typer.Option("--json", help="JSON lines on stdout instead of CSV.")] = False,
) -> None:
    """Label free-text reports: 1 present, 0 absent, -1 uncertain, empty where nothing speaks of it."""
    from typing import get_args

    from groundglass.app.label.run import run
    from groundglass.core import ConfigurationError
    from groundglass.text.labels import Policy

    if uncertain not in (None, *get_args(Policy)):
        raise ConfigurationError(f"--uncertain {uncertain}", "is not a policy", f"Use one of {get_args(Policy)}.")
    raise typer.Exit(
        run(
            reports, out, sets=sets, uncertain=uncertain, language=language, column=column, id_column=id_column,  # type: ignore[arg-type]
            lines=json, processes=processes,
        )
    )  # fmt: skip


@app.command()
def systems(json: Json = False) -> None:
    """The published systems: number, name, kind, state, entry point, last proof."""
    from groundglass.app.systems import show_systems

    show_systems(as_json=json)


@app.command()
def prove(
    numbers: Annotated[Optional[list[int]], typer.Argument(help="Numbers of systems.")] = None,  # noqa: UP045
    stale: Annotated[bool, typer.Option("--stale", help="Those whose code changed since their record.")] = False,
    record: Annotated[Path, typer.Option(help="Folder of the records.")] = Path("proofs"),
    data: Data = None,
    json: Json = False,
) -> None:
    """Run the checks that show that a system works, and record them."""
    from groundglass.app.systems import run_proofs

    raise typer.Exit(run_proofs(numbers or [], stale=stale, folder=record, data=data, as_json=json))


@app.command("train-builtin")
def train_builtin(
    name: Annotated[str, typer.Argument(help="A built-in model, see `groundglass models`.")],
    out: Out,
    data: Data = None,
    seed: Annotated[int, typer.Option()] = 0,
    steps: Annotated[Optional[int], typer.Option(help="Fewer steps than the recipe, for a trial.")] = None,  # noqa: UP045
) -> None:
    """Train a shipped model again by its recipe; a run that was stopped goes on."""
    from groundglass.app.train import train_builtin as run

    run(name, out, data=data, seed=seed, steps=steps)


@app.command()
def models(name: Annotated[str, typer.Argument(help="Print this model's card.")] = "", json: Json = False) -> None:
    """The models that ship, or one model's card."""
    from groundglass.app.info import show_models

    show_models(name, as_json=json)


app.command()(structure)
app.command()(timeline)
app.command()(graph)
app.add_typer(compare)
app.add_typer(synthesize)
app.command()(rank)
app.command()(segment)
app.command()(archive)
app.command()(mcp)
app.command()(node)
app.command()(serve)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"groundglass {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before the command."""


def main() -> None:
    """Run; typed errors become one line on stderr and exit code 2, others a line and exit code 1."""
    try:
        app()
    except MemoryError:
        _leave("error: this input needs more memory than the machine has. Give a smaller image.", 2)
    except Exception as error:
        # core brings numpy, a third of the time that `--help` may take.
        from groundglass.core.errors import GroundglassError

        if isinstance(error, GroundglassError):
            _leave(f"error: {error}", 2)
        if os.environ.get("GROUNDGLASS_TRACEBACK"):
            raise
        kind = type(error).__name__
        _leave(f"internal error: {kind}: {error}. Please report it; GROUNDGLASS_TRACEBACK=1 shows where.", 1)


def _leave(message: str, code: int) -> None:
    sys.stderr.write(" ".join(message.split()) + "\n")
    raise SystemExit(code)
