"""What the user names on the command line, turned into a study, masks and a prior reading."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from groundglass.core import GeometryError, InputError, Mask, Report, Study, from_dict
from groundglass.core.mask_name import mask_name
from groundglass.core.schema import require_version
from groundglass.reading import Request, read_findings, recognise_study


def parse_masks(options: Sequence[str], study: Study, warn: Callable[[str], None]) -> dict[str, Mask]:
    """`TERM=FILE` options to masks on the grid of the image that they fit; `warn` is told of resampling.

    Raises InputError for a malformed option, ConfigurationError for an unknown term and GeometryError when the
    mask fits no image of the study.
    """
    masks: dict[str, Mask] = {}
    for option in options:
        term, separator, file = option.partition("=")
        if not separator or not term.strip() or not file.strip():
            raise InputError(f"--mask {option}", "is not TERM=FILE", "Write for instance --mask liver=liver.nii.gz.")
        named = mask_name(term)
        name = f"{named.side} {named.term.name}" if named.side else named.term.name
        if name in masks:
            raise InputError(f"--mask {option}", f"gives {name} a second time", "Put both into one file.")
        masks[name] = mask_on_study(Path(file), study, warn)
    return masks


def mask_on_study(path: Path, study: Study, warn: Callable[[str], None]) -> Mask:
    """The mask file on the first image that it fits; images with the mask's own shape are tried first."""
    from groundglass.io import read_image, read_mask

    shape = read_image(path).shape
    last: GeometryError | None = None
    for image in sorted(study.images, key=lambda image: sorted(image.shape) != sorted(shape)):
        try:
            return read_mask(path, like=image, warn=warn)
        except GeometryError as error:
            last = error
    raise last or GeometryError(path, "there is no image that it could lie on", "Give the image it was drawn on.")


WRITTEN = (".txt", ".html", ".htm", ".rtf", ".hl7")
"""Suffixes of a report in words."""


def written_report(path: Path) -> Report:
    """The findings of a report in words. Raises InputError when the file cannot be read or is not text."""
    from groundglass.text import decode_report, read_report

    try:
        return read_report(decode_report(path.read_bytes(), str(path)))
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", "Give the file of one report.") from error


def prior_study(path: Path, request: Request) -> Study:
    """An earlier study with its findings: an output folder of `read`, its report.json, a report in words, or images."""
    from groundglass.io import read_study

    report = path / "report.json" if path.is_dir() else path
    if report.name.endswith(".json") and report.is_file():
        return study_of_report(report)
    if path.is_file() and path.suffix.lower() in WRITTEN:
        return Study((), (written_report(path),))
    study = recognise_study(read_study([path]))
    reading = read_findings(replace(request, study=study, masks={}))
    return replace(study, reports=(*study.reports, Report((), reading.findings, models=reading.models)))


def study_of_report(path: Path) -> Study:
    """The study that a report.json tells of, without its images.

    Raises InputError when it is not one, UnsupportedError when a newer version wrote it.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        require_version(document, str(path))
        report = from_dict(document["report"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(path, f"is not a report.json ({error})", "Give the output folder of `read`.") from error
    if not isinstance(report, Report):
        raise InputError(path, "holds no report", "Give the output folder of `groundglass read`.")
    facts = document.get("study", {})
    return Study(
        (), (report,), patient_id=facts.get("patient_id", ""), uid=facts.get("uid", ""), date=facts.get("date")
    )
