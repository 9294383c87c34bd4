"""Prompts as the command line writes them, a session, and the mask it leaves."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray

from groundglass.app.console import progress
from groundglass.core import ConfigurationError, GeometryError, Image, InputError
from groundglass.io import is_dicom, read_image, write_nifti
from groundglass.io.atomic import atomic_path
from groundglass.segmentation.interactive import Session, named_engine

CLICK_FORM = "Write X,Y, and ,- after it for a point outside, for instance --click 120,88 or --click 30,40,-."


def run(
    image: Path,
    out: Path,
    *,
    clicks: Sequence[str] = (),
    box: str | None = None,
    scribbles: Sequence[Path] = (),
    index: int | None = None,
    axis: int | None = None,
    propagate: bool = False,
    model: str | None = None,
    as_json: bool = False,
) -> None:
    """Box, strokes, then clicks in their order on one slice; the mask goes to `out`.

    Raises ConfigurationError without a prompt or without the slice of a volume, InputError and GeometryError for
    prompts that do not fit.
    """
    loaded = read_image(image)
    engine = None if model is None else named_engine(model)
    session = Session(loaded, axis=stacking_axis(loaded) if axis is None else axis, engine=engine)
    if not (clicks or box or scribbles):
        raise ConfigurationError("segment", "was given no prompt", "Add --click, --box or --scribble.")
    if session.axis is not None and index is None:
        raise ConfigurationError("--slice", "is missing for a volume", f"Give one of 0 to {session.planes.count - 1}.")
    if box is not None:
        session.box(_numbers(f"--box {box}", box, 4, "Write X0,Y0,X1,Y1."), index)
    for path in scribbles:
        _draw(session, path, index)
    for text in clicks:
        point, positive = parse_click(text)
        session.click(point, positive, index)
    if propagate:
        with progress() as tell:
            session.propagate(lambda share: tell(f"propagating, {share:.0%}"))
    mask = session.mask
    _write(mask, loaded, out)
    cited = session.engine.citation
    facts = {
        "mask": str(out),
        "voxels": int(mask.sum()),
        "mL": _millilitres(mask, loaded),
        "prompts": len(session.prompts),
        "model": cited.name,
        "version": cited.version,
    }
    typer.echo(json.dumps(facts) if as_json else f"{out}: {facts['voxels']} voxels")


def parse_click(text: str) -> tuple[tuple[float, float], bool]:
    """ "120,88", "120,88,+" or "120,88,-" as ((x, y), positive). Raises InputError."""
    numbers, _, sign = text.rpartition(",") if text.rstrip().endswith(("+", "-")) else (text, "", "+")
    x, y = _numbers(f"--click {text}", numbers, 2, CLICK_FORM)
    return (x, y), sign.strip() == "+"


def stacking_axis(image: Image) -> int | None:
    """The axis along which a file stacks slices: the first of a DICOM series, the last of other volumes."""
    return 0 if image.is_volume and is_dicom(image) else None


def _numbers(name: str, text: str, count: int, form: str) -> Sequence[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(name, "is not made of numbers", form) from error
    if len(values) != count:
        raise InputError(name, f"has {len(values)} numbers, not {count}", form)
    return values


def _draw(session: Session, path: Path, index: int | None) -> None:
    """Green or white (or any non-zero grey) strokes as positive, red ones as negative."""
    inside, outside = strokes_of(path)
    wanted = session.planes.shape
    if inside.shape != wanted:
        raise GeometryError(path, f"is {inside.shape}, the slice is {wanted}", "Draw on a picture of its size.")
    if not (inside.any() or outside.any()):
        raise InputError(path, "holds no green, white or red stroke", "Draw in one of these colours on black.")
    for marks, positive in ((inside, True), (outside, False)):
        if marks.any():
            session.scribble(marks, positive, index)


def strokes_of(path: Path) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(rows, columns) of a stroke picture: where it says inside, where outside."""
    array = read_image(path).array
    if array.ndim != 3:
        raise GeometryError(path, "is no flat picture", "Draw on a picture of the slice's size.")
    if len(array) == 1:
        return array[0] > 0, np.zeros(array.shape[1:], dtype=bool)
    red, green, blue = (plane.astype(np.int32) for plane in array[:3])
    half = np.iinfo(array.dtype).max // 2 if array.dtype.kind in "ui" else 0.5
    return (green > half) & (green >= red) & (green >= blue), (red > half) & (green <= half) & (blue <= half)


def _write(mask: NDArray[np.bool_], image: Image, out: Path) -> None:
    if out.suffix.lower() != ".png":
        write_nifti(mask, image, out)
        return
    if mask.ndim != 2:
        raise InputError(out, "cannot hold a volume", "End it in .nii.gz.")
    import PIL.Image

    with atomic_path(out) as temporary:
        PIL.Image.fromarray(mask.astype(np.uint8) * 255).save(temporary)


def _millilitres(mask: NDArray[np.bool_], image: Image) -> float | None:
    if not (image.is_volume and image.spacing_known):
        return None
    return round(float(mask.sum()) * math.prod(image.spacing) / 1000, 3)
