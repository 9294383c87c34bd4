"""`groundglass segment`: a mask from clicks, boxes and strokes, or from a sentence about a PET/CT."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def segment(
    image: Annotated[Path, typer.Argument(help="Image, volume or DICOM folder.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Mask to write: .nii, .nii.gz, or .png of a flat image.")],
    click: Annotated[list[str], typer.Option(help="X,Y[,+|-]: column, row; + inside (default), - outside.")] = [],  # noqa: B006
    box: Annotated[Optional[str], typer.Option(help="X0,Y0,X1,Y1 around the structure.")] = None,  # noqa: UP045
    scribble: Annotated[
        list[Path],
        typer.Option(help="Picture of the slice's size with strokes: green or white inside, red outside."),
    ] = [],  # noqa: B006
    slice_: Annotated[Optional[int], typer.Option("--slice", help="Slice of a volume, from 0.")] = None,  # noqa: UP045
    axis: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Array axis that slices are counted along; else as the file stacks them."),
    ] = None,
    propagate: Annotated[bool, typer.Option("--propagate", help="Carry the mask through the volume.")] = False,
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Folder, file of published weights or OWNER/NAME:FILE of the hub; else the built-in one."),
    ] = None,
    sentence: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="What a report says of one lesion; IMAGE is then a PET, with --ct and --model."),
    ] = None,
    ct: Annotated[Optional[Path], typer.Option("--ct", help="CT of the same exam, for --sentence.")] = None,  # noqa: UP045
    suv: Annotated[
        bool, typer.Option("--suv", help="The PET's values are SUV (a NIfTI file cannot say so); for --sentence.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Outline any structure by clicks, a box or strokes, in one slice or through a volume; or by a sentence."""
    from groundglass.core import ConfigurationError

    if sentence is not None:
        if click or box or scribble or propagate or slice_ is not None or axis is not None:
            raise ConfigurationError(
                "--sentence", "does not go with clicks, boxes, strokes or slices", "Give one or the other."
            )
        from groundglass.app.segment.by_text import run_by_text

        run_by_text(image, out, sentence=sentence, ct=ct, suv=suv, model=model, as_json=as_json)
        return
    if ct is not None or suv:
        raise ConfigurationError("--ct and --suv", "belong to a sentence", "Add --sentence TEXT.")
    from groundglass.app.segment.run import run

    run(
        image, out, clicks=click, box=box, scribbles=scribble, index=slice_, axis=axis, propagate=propagate,
        model=model, as_json=as_json,
    )  # fmt: skip
