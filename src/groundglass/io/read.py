"""Any supported file, folder or archive to images and studies."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from groundglass.core import GroundglassError, Image, InputError, Study, TruncatedError, UnsupportedError
from groundglass.io.dicom_header import Header, quiet, read_header
from groundglass.io.sources import Source, sources_of

PathLike = str | os.PathLike[str]
_SUFFIXES = (".nii.gz", ".seg.nrrd", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm", ".dicom", ".img", ".hdr")


def read_image(path: PathLike) -> Image:
    """The one image at `path`: a file, or a folder or archive that holds exactly one image.

    Raises InputError where there are several, else the reader's error: TruncatedError, UnsupportedError,
    GeometryError, UnsafeInputError.
    """
    study = read_study([path])
    if len(study.images) != 1:
        names = ", ".join(image.name for image in study.images[:6])
        raise InputError(
            path, f"holds {len(study.images)} images ({names})", "Read it as a study, or pass one of its files."
        )
    image = study.images[0]
    return replace(image, warnings=tuple(dict.fromkeys((*image.warnings, *study.warnings))))


def read_study(paths: Sequence[PathLike]) -> Study:
    """All images of files, folders and archives of one patient, DICOM series put together.

    What cannot be read is named in `Study.warnings` and left out; localisers come last. Image names are unique.
    Raises the reader's error when nothing can be read.
    """
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    problems: list[GroundglassError] = []
    remarks: list[str] = []
    sources = _sources(paths, problems)
    with quiet():
        headers, images = _by_kind(sources, problems, remarks)
    facts: dict[str, list[str]] = {}
    if headers:
        from groundglass.io.dicom_image import images_of, study_facts

        with quiet():
            images = images_of(headers, problems) + images
            facts = study_facts(headers)
    if not images:
        raise _nothing(paths, problems, remarks)
    patients, dates = facts.get("PatientID", []), facts.get("StudyDate", [])
    if len(patients) > 1:
        remarks.append(f"the files carry {len(patients)} different patient ids")
    if len(facts.get("StudyInstanceUID", [])) > 1:
        remarks.append(f"the files are of {len(facts['StudyInstanceUID'])} different studies")
    return Study(
        images=_named(sorted(images, key=_is_localiser)),
        patient_id=patients[0] if len(patients) == 1 else "",
        uid=next(iter(facts.get("StudyInstanceUID", [])), ""),
        date=_iso(dates[0]) if dates else next((i.acquisition.date for i in images if i.acquisition.date), None),
        warnings=tuple(dict.fromkeys([*(str(p) for p in problems), *remarks])),
    )


def _sources(paths: Iterable[PathLike], problems: list[GroundglassError]) -> list[Source]:
    found: dict[str, Source] = {}
    for path in paths:
        try:
            for source in sources_of(path, problems.append):
                found.setdefault(str(source.path.absolute()), source)
        except GroundglassError as error:
            problems.append(error)
    return list(found.values())


def _by_kind(
    sources: Sequence[Source], problems: list[GroundglassError], remarks: list[str]
) -> tuple[list[Header], list[Image]]:
    headers: list[Header] = []
    images: list[Image] = []
    ignored = 0
    for source in sources:
        if source.kind == "unknown" and len(sources) > 1:
            ignored += 1
            continue
        try:
            if source.kind == "dicom":
                headers.append(read_header(source.path, source.label, keep=source.keep))
            else:
                images.append(_kept(_READERS.get(source.kind, _refuse)(source), source.keep))
        except GroundglassError as error:
            problems.append(error)
    if ignored:
        remarks.append(f"{ignored} file(s) that are no images were left out")
    return headers, images


def _kept(image: Image, keep: Any) -> Image:
    """The image, holding on to the temporary folder that its pixels lie in."""
    if keep is None:
        return image
    load = image.load

    def load_and_keep(_keep: Any = keep) -> NDArray[Any]:
        return load()

    return replace(image, load=load_and_keep)


def _nifti(source: Source) -> Image:
    from groundglass.io.nifti import read_nifti

    return read_nifti(source.path, source.label)


def _raster(source: Source) -> Image:
    from groundglass.io.raster import read_raster

    return read_raster(source.path, source.label)


def _itk(source: Source) -> Image:
    from groundglass.io.itk import read_itk

    return read_itk(source.path, source.label)


def _video(source: Source) -> Image:
    from groundglass.io.video import read_video

    return read_video(source.path, source.label)


def _refuse(source: Source) -> Image:
    if source.kind == "empty":
        raise TruncatedError(source.label, "is empty (0 bytes)", "Copy or export it again.")
    what = {
        "pdf": "is a PDF document, not an image",
        "zip": "is an archive inside an archive",
        "archive": "is an archive of a kind that is not opened",
    }.get(source.kind, "is not an image that can be read")
    raise UnsupportedError(
        source.label, what, "Pass DICOM, NIfTI, NRRD, MHA, PNG, JPEG or TIFF files, or a zip of them."
    )


_READERS: dict[str, Callable[[Source], Image]] = {
    "nifti": _nifti, "raster": _raster, "nrrd": _itk, "meta": _itk, "video": _video,
}  # fmt: skip


def _nothing(paths: Sequence[PathLike], problems: list[GroundglassError], remarks: list[str]) -> GroundglassError:
    """Why there is no image: the one reason as it is, several in one error of the first one's type."""
    if len(problems) == 1:
        return problems[0]
    name = ", ".join(str(path) for path in paths[:3]) or "the input"
    if not problems:
        return InputError(
            name,
            "holds no image" + (f" ({remarks[0]})" if remarks else ""),
            "Pass an image file or a folder of images.",
        )
    reasons = "; ".join(f"{Path(p.input_name).name}: {p.problem}" for p in problems[:3])
    more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
    kinds = {type(problem) for problem in problems}
    kind = kinds.pop() if len(kinds) == 1 else InputError
    return kind(name, f"holds no image that can be read ({reasons}{more})", problems[0].remedy)


def _is_localiser(image: Image) -> bool:
    return "LOCALIZER" in image.acquisition.facts.get("ImageType", ())


def _iso(date: str) -> str | None:
    digits = date.replace("-", "").replace(".", "")
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}" if len(digits) == 8 and digits.isdigit() else None


def _named(images: Iterable[Image]) -> tuple[Image, ...]:
    """Short, unique names that can stand in a file name: the file's stem, or modality, series and description."""
    images = tuple(images)
    names = unique_names(_base_name(image) for image in images)
    return tuple(replace(image, name=name) for image, name in zip(images, names, strict=True))


def unique_names(names: Iterable[str]) -> list[str]:
    """The names in order; one that was there before gets a number."""
    taken: list[str] = []
    for base in names:
        name, number = base, 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        taken.append(name)
    return taken


def _base_name(image: Image) -> str:
    facts = image.acquisition.facts
    if len(image.source) == 1 and "SeriesInstanceUID" not in facts:
        return name_of_file(re.split(r"[/!]", image.source[0])[-1])
    number = facts.get("SeriesNumber")
    parts = (image.modality, "" if number is None else f"{number:g}", facts.get("SeriesDescription", ""))
    return _short(" ".join(str(part) for part in parts if part))


def name_of_file(file: str) -> str:
    """The short name of the image in a file of this name: the name without its suffix."""
    suffix = next((suffix for suffix in _SUFFIXES if file.lower().endswith(suffix)), None)
    return _short(Path(file).stem if suffix is None else file[: -len(suffix)])


def _short(text: str) -> str:
    return re.sub(r"[^\w.]+", "-", text, flags=re.ASCII).strip("-.").lower()[:60] or "image"
