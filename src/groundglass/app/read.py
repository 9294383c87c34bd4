"""The main job: images in, a folder with the report and everything it stands on out."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from groundglass import __version__
from groundglass.app.child_process import peak_bytes
from groundglass.app.inputs import parse_masks, prior_study, written_report
from groundglass.app.outputs import report_document, staged_folder, write_dicom, write_masks
from groundglass.core import GroundglassError, Image, Reading, Report, Study
from groundglass.io import has_picture
from groundglass.io.atomic import write_json_atomic, write_text_atomic
from groundglass.reading import Request, read_findings, recognise_study


@dataclass(frozen=True)
class Outcome:
    """What the job made. `document` is the content of report.json; `is_degraded` when no image had usable pixels."""

    folder: Path
    document: dict[str, Any]
    report: Report
    reading: Reading
    files: tuple[str, ...]
    warnings: tuple[str, ...]
    is_degraded: bool


@dataclass
class Steps:
    """Seconds per named step, and a listener that is told when one begins."""

    listen: Callable[[str], None]
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.listen(name)
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 3)


def read(
    paths: Sequence[Path],
    folder: Path,
    *,
    masks: Sequence[str] = (),
    prior: Path | None = None,
    written: Path | None = None,
    clinical: str = "",
    only: Sequence[str] = (),
    engine: str | None = None,
    language: str = "en",
    identity: str = "",
    progress: Callable[[str], None] = lambda _message: None,
) -> Outcome:
    """Read one study and write its report into `folder`.

    `masks` are TERM=FILE options, `prior` an earlier output folder, report.json, report in words or study,
    `written` the report in words of this exam, `only` ontology terms, `engine` a segmentation engine for CT and MR
    (see models.engines). The same `identity` gives SEG and SR the same UIDs. Raises the typed errors of core.
    """
    from groundglass.io import read_study

    steps = Steps(progress)
    with steps.step("load"):
        study = recognise_study(replace(read_study(paths), clinical=clinical))
        remarks: list[str] = []
        given = parse_masks(masks, study, remarks.append)
        reports = (written_report(written),) if written else ()
        study = replace(study, reports=(*study.reports, *reports), warnings=(*study.warnings, *remarks))
    if engine:
        with steps.step("engine"):
            given = {**engine_masks(engine, study, progress), **given}
    request = Request(study=study, masks=given, only=tuple(only), progress=progress)
    if prior:
        with steps.step("prior"):
            study = replace(study, priors=(prior_study(prior, request),))
            request = replace(request, study=study)
    return write_reading(request, folder, paths=paths, language=language, identity=identity, steps=steps)


def write_reading(
    request: Request,
    folder: Path,
    *,
    paths: Sequence[Path],
    steps: Steps,
    language: str = "en",
    identity: str = "",
) -> Outcome:
    """Read a study that is loaded and write its report into `folder`. `paths` are the files that it came from.

    Raises the typed errors of core.
    """
    from groundglass.report import compose, render_html, render_text

    study = request.study
    with steps.step("findings"):
        reading = read_findings(request)
    with steps.step("compose"):
        report = compose(reading, study, language=language)
    document = report_document(report, study)
    with staged_folder(folder) as staging:
        with steps.step("masks"):
            files = write_masks(report, study, staging)
        with steps.step("dicom"):
            dicom, problems = write_dicom(report, study, staging, identity=identity)
        with steps.step("report"):
            write_json_atomic(staging / "report.json", document)
            write_text_atomic(staging / "report.txt", render_text(report))
            write_text_atomic(staging / "report.html", render_html(report, study))
        files += [*dicom, "report.json", "report.txt", "report.html", "run.json"]
        of_images = (warning for image in study.images for warning in image.warnings)
        warnings = tuple(dict.fromkeys((*study.warnings, *of_images, *reading.warnings, *problems)))
        write_json_atomic(staging / "run.json", run_record(paths, study, report, steps, files, warnings))
    degraded = not any(is_usable(image) for image in study.images)
    return Outcome(folder, document, report, reading, tuple(files), warnings, degraded)


def is_usable(image: Image) -> bool:
    """True when the pixels decode and show something."""
    try:
        return has_picture(image)
    except GroundglassError:
        return False


def engine_masks(engine: str, study: Study, progress: Callable[[str], None]) -> dict[str, Any]:
    """Masks of an installed engine for every volume of the study."""
    from groundglass.models.engines import segment_with

    masks: dict[str, Any] = {}
    for image in study.images:
        if image.is_volume:
            masks.update(segment_with(engine, image, progress=progress))
    return masks


def run_record(
    paths: Sequence[Path], study: Study, report: Report, steps: Steps, files: Sequence[str], warnings: Sequence[str]
) -> dict[str, Any]:
    """The content of run.json: what ran, on what, how long, with what result."""
    libraries = ("torch", "numpy", "scipy", "monai", "SimpleITK", "pydicom", "highdicom", "nibabel", "scikit-image")
    return {
        "groundglass": __version__,
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in libraries},
        "models": [{"name": m.name, "version": m.version, "measured_on": m.measured_on} for m in report.models],
        "inputs": hashes(paths, study),
        "seconds": steps.seconds,
        "peak_memory_bytes": peak_bytes(),
        "files": sorted(files),
        "warnings": list(warnings),
    }


def hashes(paths: Sequence[Path], study: Study) -> dict[str, str]:
    """SHA-256 of every input file by its name; of a zip, the zip."""
    files = {Path(name) for image in study.images for name in image.source}
    files |= {path for path in paths if path.is_file()}
    result = {}
    for file in sorted(files):
        if file.is_file():
            with file.open("rb") as handle:
                result[file.name] = hashlib.file_digest(handle, "sha256").hexdigest()
    return result
