"""The reading of a study in its worker: the main job on the study's files, and what the viewer needs of the result."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from groundglass.app.serve.intake import Files, for_people, load_study, told_to_people
from groundglass.app.serve.places import finding_rows, has_mask
from groundglass.app.serve.store import StudyFolder
from groundglass.app.serve.worker import Tell
from groundglass.core import Finding, GroundglassError, InputError, Mask, Reading, Report, Study, from_dict, to_dict
from groundglass.io.atomic import write_json_atomic


@dataclass(frozen=True)
class Opened:
    """A study as a worker opens it: its folder, the root of its files, and ids and names of its images."""

    folder: Path
    root: Path
    files: Files
    ids: tuple[str, ...]
    names: tuple[str, ...]
    clinical: str = ""

    @property
    def place(self) -> StudyFolder:
        return StudyFolder(self.folder)

    def study(self) -> Study:
        """The study with its images' own names. Raises the reader's typed errors."""
        return replace(load_study(self.root, self.files, self.names), clinical=self.clinical)

    def cleaned(self, error: GroundglassError) -> GroundglassError:
        """The error with names for people instead of paths."""
        return told_to_people(error, self.root, self.files)


def read(tell: Tell, opened: Opened, *, only: Sequence[str], language: str, prior: Opened | None) -> None:
    """Read the study into its folder `reading/`. Raises the typed errors of the main job."""
    from groundglass.app.inputs import study_of_report
    from groundglass.app.read import Steps, write_reading
    from groundglass.reading import Request

    try:
        study = opened.study()
        if prior is not None:
            study = replace(study, priors=(study_of_report(prior.place.reading / "report.json"),))
        request = Request(study=study, only=tuple(only), progress=tell)
        paths = [opened.root / file for file, _name in opened.files]
        target = opened.place.reading
        fresh = target.with_name("reading-new")
        _remove(fresh)
        outcome = write_reading(request, fresh, paths=paths, language=language, steps=Steps(tell))
    except GroundglassError as error:
        raise opened.cleaned(error) from error
    tell("pictures of the findings")
    document = outcome.document
    write_json_atomic(fresh / "reading.json", to_dict(outcome.reading))
    write_json_atomic(fresh / "request.json", {"clinical": opened.clinical, "language": language})
    view = {
        "document": without_bits(document),
        "findings": finding_rows(outcome.report.findings, outcome.report, study, opened.ids),
        "warnings": [for_people(w, opened.root, opened.files) for w in outcome.warnings],
    }
    write_json_atomic(fresh / "findings.json", view)
    _swap(fresh, target)


def without_bits(value: Any) -> Any:
    """A copy of report.json whose masks are left out: the viewer gets them as images."""
    if isinstance(value, dict):
        return {k: without_bits(v) for k, v in value.items() if not (isinstance(v, dict) and v.get("type") == "Mask")}
    return [without_bits(v) for v in value] if isinstance(value, list) else value


def read_findings_of(place: StudyFolder) -> tuple[Finding, ...]:
    """Every finding of the study: those of its reading, then those that were drawn. Raises InputError when damaged."""
    read_ones: tuple[Finding, ...] = ()
    if (place.reading / "report.json").is_file():
        report = from_dict(_json(place.reading / "report.json")["report"])
        read_ones = report.findings if isinstance(report, Report) else ()
    return read_ones + drawn_findings(place)


def drawn_findings(place: StudyFolder) -> tuple[Finding, ...]:
    """The findings that a person added, oldest first."""
    if not place.drawn.is_dir():
        return ()
    paths = sorted(place.drawn.glob("u*.json"), key=lambda path: int(path.stem[1:]))
    return tuple(from_dict(_json(path)) for path in paths)


def reading_of(place: StudyFolder) -> Reading:
    """What the parsers said. Raises InputError when there is no reading."""
    reading = from_dict(_json(place.reading / "reading.json"))
    if not isinstance(reading, Reading):
        raise InputError("the reading", "is damaged", "Read the study again.")
    return reading


def write_mask(_tell: Tell, opened: Opened, finding_id: str, target: Path) -> None:
    """The mask of one finding for the viewer. Raises InputError when it has none."""
    from groundglass.app.serve.viewing import mask_array, write_overlay
    from groundglass.report.pictures import image_of

    study = opened.study()
    for finding in read_findings_of(opened.place):
        image = image_of(finding, study)
        if finding.id == finding_id and image is not None and has_mask(finding):
            assert isinstance(finding.where.mask, Mask)
            write_overlay(mask_array(finding.where.mask, image), image, target)
            return
    raise InputError(finding_id, "has no mask", "Only findings with a mask_url have one.")


def write_label_map(_tell: Tell, opened: Opened, image_id: str, target: Path) -> None:
    """All masks on an image as one label map, small ones on top; empty where there is none."""
    import numpy as np

    from groundglass.app.serve.viewing import mask_array, write_overlay
    from groundglass.report.pictures import image_of

    study = opened.study()
    image = study.images[opened.ids.index(image_id)]
    masks = [
        f.where.mask
        for f in read_findings_of(opened.place)
        if has_mask(f) and f.where.mask is not None and image_of(f, study) is image
    ]
    labels = np.zeros(image.shape, dtype=np.uint16)
    for number in sorted(range(len(masks)), key=lambda n: -masks[n].voxel_count):
        labels[mask_array(masks[number], image)] = number + 1
    write_overlay(labels, image, target)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("the reading", "is missing or damaged", "Read the study again.") from error


def _swap(fresh: Path, target: Path) -> None:
    """Put the new reading in the old one's place; a kill between the two steps leaves a study that is not read."""
    old = target.with_name("reading-old")
    _remove(old)
    if target.exists():
        target.replace(old)
    fresh.replace(target)
    _remove(old)


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
