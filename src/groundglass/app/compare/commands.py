"""The commands of `groundglass compare`. They import what they need when they run, so `--help` stays instant."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

if TYPE_CHECKING:
    from groundglass.app.compare.kind import Kind

compare = typer.Typer(
    name="compare",
    help="Score predictions against the truth: a table with intervals, and tests between two predictions.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_OptionalText = Optional[str]  # noqa: UP045 (typer resolves the annotation at run time)
_OptionalPath = Optional[Path]  # noqa: UP045
_OptionalInt = Optional[int]  # noqa: UP045
_OptionalNumber = Optional[float]  # noqa: UP045


def _shared(
    prediction: Annotated[Path, typer.Argument(metavar="PRED", help="Predictions: a file or a folder.")],
    truth: Annotated[Path, typer.Argument(metavar="TRUTH", help="Truths: a file or a folder, paired by case id.")],
    against: Annotated[
        _OptionalPath, typer.Option(metavar="PRED2", help="A second prediction: paired tests with Holm correction.")
    ] = None,
    allow_missing: Annotated[
        _OptionalText,
        typer.Option(
            metavar="RULE",
            help="Cases without prediction: skip (leave them out) or worst (worst value of each metric). "
            "Without it they are an error.",
        ),
    ] = None,
    case_from: Annotated[
        _OptionalText, typer.Option(metavar="REGEX", help="Case id: first group found in the path within the folder.")
    ] = None,
    patient_from: Annotated[
        _OptionalText,
        typer.Option(metavar="REGEX", help="Patient id, likewise; else BIDS sub-*, else each case is one patient."),
    ] = None,
    case_column: Annotated[_OptionalText, typer.Option(metavar="NAME", help="Column of a table with the case.")] = None,
    patient_column: Annotated[
        _OptionalText, typer.Option(metavar="NAME", help="Column of a table with the patient.")
    ] = None,
    metrics: Annotated[str, typer.Option(help="Metrics to report, separated by commas; else the usual ones.")] = "",
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples of patients.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the resamples.")] = 0,
    processes: Annotated[_OptionalInt, typer.Option(help="Processes; else as many as there are cores.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print all results as JSON on stdout.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print the table as CSV on stdout.")] = False,
    rows: Annotated[
        _OptionalPath, typer.Option(metavar="FILE", help="Write every single value as CSV, as `rank` reads it.")
    ] = None,
) -> Callable[[Any], None]:
    """What runs a kind with the options that all kinds share."""

    def run(kind: Kind) -> None:
        from groundglass.app.compare.run import Output, run_comparison
        from groundglass.app.compare.settings import Settings

        settings = Settings.of(
            allow_missing=allow_missing,
            case_from=case_from,
            patient_from=patient_from,
            case_column=case_column,
            patient_column=patient_column,
            metrics=metrics,
            resamples=resamples,
            seed=seed,
            processes=processes,
        )
        output = Output.of(as_json=json, as_csv=csv, rows=rows)
        raise typer.Exit(run_comparison(kind, prediction, truth, against, settings, output))

    return run


def _with_shared_options(make: Callable[..., Any]) -> Callable[..., None]:
    """A command with the shared options and those of `make`, which says what kind of comparison they describe."""
    own = inspect.signature(make, eval_str=True)
    shared = inspect.signature(_shared, eval_str=True)
    parameters = {**shared.parameters, **own.parameters}

    @wraps(make)
    def command(**given: Any) -> None:
        run = _shared(**{name: given[name] for name in shared.parameters})
        run(make(**{name: given[name] for name in own.parameters}))

    # Typer reads the options from here.
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters.values()]
    )
    command.__annotations__ = {name: p.annotation for name, p in parameters.items()}
    del command.__wrapped__  # type: ignore[attr-defined]
    return command


def _names(option: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in option.split(",") if name.strip())


@compare.command()
@_with_shared_options
def seg(
    labels: Annotated[
        _OptionalText,
        typer.Option(
            metavar="FILE",
            help="Labels to compare and their names: CSV, JSON, dataset.json, ITK-SNAP; or 1=liver,2=spleen.",
        ),
    ] = None,
    spacing_from: Annotated[
        _OptionalPath,
        typer.Option(
            metavar="PATH", help="Take spacing and place from these images (often TRUTH), not from the masks."
        ),
    ] = None,
    tolerance: Annotated[
        _OptionalNumber, typer.Option(metavar="MM", help="Tolerance of NSD; else the convention's.")
    ] = None,
    convention: Annotated[
        str,
        typer.Option(help="Rules for empty masks and lesions: plain, penalised, isles22, brats23, verse, monai, ..."),
    ] = "plain",
) -> Any:
    """Masks (NIfTI, NRRD, MHA, PNG, DICOM SEG): Dice to lesion-wise scores."""
    from groundglass.app.compare.label_names import read_labels
    from groundglass.app.compare.seg import Segmentation

    return Segmentation(read_labels(labels) if labels else (), spacing_from, tolerance, convention)


@compare.command("labels")
@_with_shared_options
def labels_command(
    labels: Annotated[
        str, typer.Option(help="Columns to compare, separated by commas; else all that are no ids.")
    ] = "",
    threshold: Annotated[float, typer.Option(help="Scores from here on are a yes.")] = 0.5,
    specificity: Annotated[float, typer.Option(help="Where sensitivity_at_specificity is told.")] = 0.9,
    group: Annotated[
        _OptionalText, typer.Option(metavar="NAME", help="Column of TRUTH with subgroups: their figures and the gap.")
    ] = None,
) -> Any:
    """Tables of labels or classes (CSV, JSON): AUROC to kappa."""
    from groundglass.app.compare.labels import Labels

    return Labels(_names(labels), threshold, specificity, group)


@compare.command()
@_with_shared_options
def boxes(
    labels: Annotated[str, typer.Option(help="Labels to compare, separated by commas; else those of the truth.")] = "",
    iou: Annotated[float, typer.Option(help="Overlap that makes a hit of precision, recall and F1.")] = 0.5,
    froc_iou: Annotated[float, typer.Option(help="Overlap that makes a hit of FROC.")] = 0.1,
    threshold: Annotated[float, typer.Option(help="Scores from here on count in precision, recall and F1.")] = 0.5,
) -> Any:
    """Boxes (COCO, CSV, JSON, report.json): AP as COCO, FROC, precision and recall."""
    from groundglass.app.compare.boxes import Boxes

    return Boxes(_names(labels), iou, froc_iou, threshold)


@compare.command()
@_with_shared_options
def points(
    labels: Annotated[str, typer.Option(help="Labels to compare, separated by commas; else those of the truth.")] = "",
    mode: Annotated[str, typer.Option(help="landmarks (a name occurs once in a case), objects, or auto.")] = "auto",
    within: Annotated[
        _OptionalNumber, typer.Option(metavar="D", help="Largest distance of a hit; else 20 (landmarks), 10 (objects).")
    ] = None,
    spacing: Annotated[str, typer.Option(metavar="X,Y[,Z]", help="Size of a coordinate's step, if it is not 1.")] = "",
    unit: Annotated[str, typer.Option(help="Name of the unit that distances have then.")] = "mm",
    threshold: Annotated[float, typer.Option(help="Scores from here on count in precision, recall and F1.")] = 0.5,
) -> Any:
    """Points (CSV, JSON, VerSe centroids, DICOM SR): identification, distances, FROC."""
    from groundglass.app.compare.points import Points, parsed_spacing

    return Points(_names(labels), mode, within, parsed_spacing(spacing), unit, threshold)


@compare.command()
@_with_shared_options
def tracks(
    time_axis: Annotated[str, typer.Option(help="first or last: the time in mask files of three axes.")] = "first",
    pixel_mm: Annotated[float, typer.Option(help="Size of a pixel.")] = 1.0,
    sigma: Annotated[float, typer.Option(help="Blur of the dose in mm: 6 for lung, else 4.")] = 4.0,
    variant: Annotated[str, typer.Option(help="corrected, or script: as the organisers' scripts.")] = "corrected",
) -> Any:
    """Targets on cine MR (masks), steps and instruments of operations (CSV per video)."""
    from groundglass.app.compare.tracks import Tracks

    return Tracks(time_axis, pixel_mm, sigma, variant)


@compare.command()
@_with_shared_options
def images(
    data_range: Annotated[
        _OptionalText,
        typer.Option(metavar="RANGE", help="Of PSNR and SSIM: a number, LOW,HIGH or truth; else 255 for 8 bits."),
    ] = None,
    mask: Annotated[
        _OptionalPath,
        typer.Option(metavar="PATH", help="Only these voxels count: a file, or a folder with one per case."),
    ] = None,
    convention: Annotated[str, typer.Option(help="plain or synthrad.")] = "plain",
) -> Any:
    """Images against real ones on the same grid: MAE, PSNR, SSIM, VIF."""
    from groundglass.app.compare.images import Images

    return Images(data_range, mask, convention)


@compare.command("reports")
@_with_shared_options
def reports_command(
    judge: Annotated[
        list[str], typer.Option(help="builtin, none, or the address of an OpenAI-compatible endpoint; repeatable.")
    ] = ["builtin"],  # noqa: B006
    model: Annotated[str, typer.Option(help="The endpoint's model.")] = "",
    transcripts: Annotated[
        _OptionalPath,
        typer.Option(metavar="FILE", help="Keeps the endpoint's answers: the same question is asked once."),
    ] = None,
    text_column: Annotated[_OptionalText, typer.Option(help="Column of a table with the report.")] = None,
    labels: Annotated[
        str, typer.Option(help="Label sets of clinical F1, separated by commas: chexpert14, chexpert5, nih14, ...")
    ] = "chexpert14",
    encoder: Annotated[
        _OptionalText, typer.Option(metavar="NAME_OR_FOLDER", help="Adds BERTScore by this text encoder.")
    ] = None,
    encoder_layer: Annotated[int, typer.Option(help="Its hidden states: 0 the embeddings, -1 the last.")] = -1,
) -> Any:
    """Reports (.txt, report.json, DICOM SR, tables): BLEU to CIDEr, clinical F1, RadFact, CheXprompt, GREEN."""
    from groundglass.app.compare.clinical import checked_label_sets
    from groundglass.app.compare.encoder import Encoder
    from groundglass.app.compare.judges import choices
    from groundglass.app.compare.reports import Reports

    judges, sets = choices(judge, model, transcripts), checked_label_sets(_names(labels))
    return Reports(judges, text_column, sets, Encoder(encoder, encoder_layer) if encoder else None)


def rank(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="Table: method, case, metric, value; or a column per metric.")
    ],
    scheme: Annotated[str, typer.Option(help="isles, verse, synthrad, trackrad, pitvis, mc-mri, ...")],
    label: Annotated[_OptionalText, typer.Option(help="Rank by this label; else by the mean over labels.")] = None,
    baseline: Annotated[_OptionalText, typer.Option(help="A method that is not ranked, but must be beaten.")] = None,
    allow_missing: Annotated[
        _OptionalText,
        typer.Option(metavar="RULE", help="Missing values: skip, worst or error; else as the scheme says."),
    ] = None,
    resamples: Annotated[int, typer.Option(help="Bootstrap samples of patients for the stability.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the samples.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the ranking as JSON on stdout.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print the ranking as CSV on stdout.")] = False,
) -> None:
    """Rank methods by a challenge's rule, with bootstrap stability."""
    from groundglass.app.rank import Options, run

    run(results, Options(scheme, label, baseline, allow_missing, resamples, seed), as_json=json, as_csv=csv)
