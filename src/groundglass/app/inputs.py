"""What the user names on the command line, turned into a study, masks and a prior reading."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from groundglass.core import GeometryError, Image, InputError, Mask, Reading, Report, Study, from_dict, ontology
from groundglass.reading import Request, read_findings


def parse_masks(options: Sequence[str], study: Study) -> dict[str, Mask]:
    """`TERM=FILE` options to masks on the grid of the image that they fit.

    Raises InputError for a malformed option, ConfigurationError for an unknown term and GeometryError when the
    mask fits no image of the study.
    """
    masks: dict[str, Mask] = {}
    for option in options:
        term, separator, file = option.partition("=")
        if not separator or not term.strip() or not file.strip():
            raise InputError(f"--mask {option}", "is not TERM=FILE", "Write for instance --mask liver=liver.nii.gz.")
        masks[ontology()[term].name] = mask_on_study(Path(file), study)
    return masks


def mask_on_study(path: Path, study: Study) -> Mask:
    """The mask file on the first image that it fits; images with the mask's own shape are tried first."""
    from groundglass.io import read_image, read_mask

    shape = read_image(path).shape
    last: GeometryError | None = None
    for image in sorted(study.images, key=lambda image: sorted(image.shape) != sorted(shape)):
        try:
            return read_mask(path, like=image)
        except GeometryError as error:
            last = error
    raise last or GeometryError(path, "there is no image that it could lie on", "Give the image it was drawn on.")


def prior_reading(path: Path, request: Request) -> tuple[Reading, Study]:
    """A prior as findings: an output folder of `read`, its report.json, or the images themselves."""
    from groundglass.io import read_study

    report = path / "report.json" if path.is_dir() else path
    if report.name.endswith(".json") and report.is_file():
        return reading_of_report(report), Study(images=(), date=_date_of(report))
    study = read_study([path])
    return read_findings(Request(study=study, only=request.only, progress=request.progress)), study


def reading_of_report(path: Path) -> Reading:
    """The findings of a report.json. Raises InputError when it is not one."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        report = from_dict(held["report"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            path, f"is not a report.json ({error})", "Give the output folder of `groundglass read`."
        ) from error
    if not isinstance(report, Report):
        raise InputError(path, "holds no report", "Give the output folder of `groundglass read`.")
    return Reading(findings=report.findings, models=report.models)


def _date_of(path: Path) -> str | None:
    held = json.loads(path.read_text(encoding="utf-8"))
    date = held.get("study", {}).get("date")
    return str(date) if date else None


def with_clinical(study: Study, clinical: str, priors: tuple[Study, ...]) -> Study:
    """The study with the clinical question and earlier studies beside it."""
    from dataclasses import replace

    return replace(study, clinical=clinical or study.clinical, priors=priors)


def images_with_masks(images: Sequence[Image], reading: Reading) -> list[tuple[Image, list[int]]]:
    """Each image with the indices of the findings that were drawn on it."""
    return [
        (image, [i for i, f in enumerate(reading.findings) if f.where.mask is not None and f.where.image == image.name])
        for image in images
    ]
