"""A study as it comes in, looked at in a worker: archives taken apart, headers read, pixels decoded once and shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from groundglass.app.serve.settings import Limits
from groundglass.app.serve.store import StudyFolder
from groundglass.app.serve.uploads import unpack_all
from groundglass.app.serve.worker import Tell
from groundglass.core import GroundglassError, Image, Study, UnsafeInputError
from groundglass.io.atomic import write_bytes_atomic

Files = Sequence[tuple[str, str]]
_MAX_IMAGES = 200


@dataclass(frozen=True)
class Taken:
    """What intake found: the files that stand (relative paths with names), the study's facts, each image's facts."""

    files: list[tuple[str, str]]
    facts: dict[str, Any]
    images: list[dict[str, Any]]


def take_upload(tell: Tell, folder: Path, files: Files, limits: Limits) -> Taken:
    """Take in what lies in `folder/input`. `files` are (file name there, name for people).

    Raises the reader's typed errors, with names for people instead of paths.
    """
    place = StudyFolder(folder)
    with _names_for_people(place.input, files):
        unpacked = unpack_all([(place.input / file, name) for file, name in files], place.input, limits)
    kept = [(path.name, name) for path, name in unpacked]
    return _taken(tell, place, place.input, kept, limits)


def take_in_place(tell: Tell, folder: Path, root: Path, files: Files, limits: Limits) -> Taken:
    """As `take_upload`, for files that stay where they are below `root`."""
    return _taken(tell, StudyFolder(folder), root, list(files), limits)


def load_study(root: Path, files: Files, names: Sequence[str] = ()) -> Study:
    """The study of these files, modalities recognised. `names` are those that its images were given at intake."""
    from groundglass.io import read_study
    from groundglass.io.read import unique_names
    from groundglass.reading import recognise_study

    with _names_for_people(root, files):
        study = read_study([root / file for file, _name in files])
    shown = {str(root / file): name for file, name in files}
    images = study.images
    if not names:
        names = unique_names(_name_of(image, shown) for image in images)
    renamed = tuple(
        replace(image, name=name, warnings=tuple(for_people(w, root, files) for w in image.warnings))
        for image, name in zip(images, names, strict=False)
    )
    warnings = tuple(for_people(warning, root, files) for warning in study.warnings)
    return recognise_study(replace(study, images=renamed, warnings=warnings))


def for_people(text: str, root: Path, files: Files) -> str:
    """`text` with the server's paths replaced by the names that people know."""
    if str(root) not in text:
        return text
    for file, name in sorted(files, key=lambda pair: -len(pair[0])):
        text = text.replace(str(root / file), name)
    return text.replace(f"{root}/", "")


def told_to_people(error: GroundglassError, root: Path, files: Files) -> GroundglassError:
    """The error in names that people know."""
    said = (error.input_name, error.problem, error.remedy)
    return type(error)(*(for_people(text, root, files) for text in said))


def _taken(tell: Tell, place: StudyFolder, root: Path, files: list[tuple[str, str]], limits: Limits) -> Taken:
    tell("reading headers")
    study = load_study(root, files)
    if len(study.images) > _MAX_IMAGES:
        raise UnsafeInputError("the upload", f"holds {len(study.images)} images", "Send one study at a time.")
    for image in study.images:
        if math.prod(image.shape) * image.channels * 8 > limits.image_bytes:
            raise UnsafeInputError(image.name, "would decode to more than may be", "Cut it into parts.")
    images = []
    for number, image in enumerate(study.images, 1):
        tell(f"decoding {image.name}")
        images.append(_looked_at(image, f"i{number}", place, root, files))
        # The array is cached on the image: let it go before the next one is decoded.
        vars(image).pop("array", None)
    facts = {
        "name": study.images[0].name if len(files) != 1 else files[0][1],
        "date": study.date,
        "patient_id": study.patient_id,
        "uid": study.uid,
        "warnings": list(study.warnings),
    }
    return Taken(files, facts, images)


def _looked_at(image: Image, image_id: str, place: StudyFolder, root: Path, files: Files) -> dict[str, Any]:
    """The facts of an image for the API; its volume and thumbnail are written where the pixels are usable."""
    from groundglass.app.serve.viewing import slice_axis, thumbnail, write_volume
    from groundglass.io import check_pixels, has_picture, is_dicom
    from groundglass.report.pictures import window

    usable, limits, remarks = False, None, list(image.warnings)
    target = place.image(image_id)
    try:
        checked = check_pixels(image)
        remarks = list(checked.warnings)
        black, white = window(checked)
        write_volume(checked, target / "volume.nii.gz")
        write_bytes_atomic(target / "thumbnail.png", thumbnail(checked))
        usable, limits = has_picture(checked), {"center": (black + white) / 2, "width": max(white - black, 1e-6)}
    except GroundglassError as error:
        remarks.append(for_people(str(error), root, files))
    taken = image.acquisition
    return {
        "id": image_id,
        "name": image.name,
        "modality": image.modality,
        "body_part": taken.body_part,
        "description": taken.description,
        "shape": list(image.shape),
        "spacing": [round(s, 6) for s in image.spacing] if image.spacing_known else None,
        "affine": image.affine.tolist(),
        "channels": image.channels,
        "is_volume": image.is_volume,
        "is_moving": image.time_axis is not None,
        "slice_axis": slice_axis(image),
        "orientation_known": image.orientation_known,
        "units": image.units,
        "is_dicom": is_dicom(image),
        "series_uid": str(taken.facts.get("SeriesInstanceUID") or "") or None,
        "usable": usable,
        "window": limits,
        "warnings": list(dict.fromkeys(for_people(remark, root, files) for remark in remarks)),
    }


class _names_for_people:  # noqa: N801 - a context manager, used like a function
    """Typed errors that leave the block speak of names, not of the server's paths."""

    def __init__(self, root: Path, files: Files) -> None:
        self._root, self._files = root, files

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, GroundglassError):
            raise told_to_people(error, self._root, self._files) from error


def _name_of(image: Image, shown: dict[str, str]) -> str:
    """A file's own name without its suffix, as `read_study` would give it; a series keeps the name it has."""
    from groundglass.io.read import name_of_file

    if len(image.source) != 1 or "SeriesInstanceUID" in image.acquisition.facts or image.source[0] not in shown:
        return image.name
    return name_of_file(shown[image.source[0]])
