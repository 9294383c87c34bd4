"""What the main job writes: report.json, report.txt, report.html, masks, DICOM SEG and SR, run.json."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from groundglass.core import SCHEMA_VERSION, Finding, GroundglassError, Image, InputError, Report, Study, to_dict
from groundglass.report import beside, written_reports


@contextmanager
def staged_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder`; its files are moved into `folder` when the block ends without an error.

    A kill or a full disk leaves `folder` as it was. Files of an earlier run that have no successor stay.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(folder, "is a file, not a folder to write to", "Name a folder with -o.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise InputError(folder, f"cannot be made ({error.strerror})", "Choose a folder you may write to.") from error
    try:
        yield staging
        staging.chmod(0o755)
        if not folder.exists():
            staging.replace(folder)
            return
        for file in sorted(path for path in staging.rglob("*") if path.is_file()):
            target = folder / file.relative_to(staging)
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)
    except OSError as error:
        raise InputError(
            folder, f"cannot be written ({error.strerror})", "Free some space or write elsewhere."
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def report_document(report: Report, study: Study) -> dict[str, Any]:
    """The content of report.json: schema version, what was read, and the report with its findings."""
    return {
        "schema_version": SCHEMA_VERSION,
        "study": {
            "uid": study.uid,
            "patient_id": study.patient_id,
            "date": study.date,
            "images": [image_facts(image) for image in study.images],
        },
        "report": to_dict(report),
        **written_part(report, study),
    }


def written_part(report: Report, study: Study) -> dict[str, Any]:
    """`written_reports`: every given report in words with its findings, and beside each what the images show."""
    parts = [
        {
            "exam": "this" if date is None else "earlier",
            "date": date,
            "report": to_dict(written),
            "pairs": [
                {
                    "written": pair.written.id if pair.written else None,
                    "seen": [finding.id for finding in pair.seen],
                    "verdict": pair.verdict,
                }
                for pair in beside(report.findings, written)
            ],
        }
        for written, date in written_reports(study)
    ]
    return {"written_reports": parts} if parts else {}


def image_facts(image: Image) -> dict[str, Any]:
    """Header facts of an image, JSON-ready; pixels are not touched."""
    taken = image.acquisition
    return {
        "name": image.name,
        "modality": image.modality,
        "shape": list(image.shape),
        "channels": image.channels,
        "spacing_mm": [round(s, 6) for s in image.spacing] if image.spacing_known else None,
        "affine": image.affine.tolist(),
        "orientation_known": image.orientation_known,
        "units": image.units,
        "body_part": taken.body_part,
        "view": taken.view,
        "contrast": taken.contrast,
        "description": taken.description,
        "date": taken.date,
        "warnings": list(image.warnings),
    }


def write_masks(report: Report, study: Study, folder: Path) -> list[str]:
    """One NIfTI per mask in the grid of its image, named after side and structure; the names written."""
    from groundglass.io import write_nifti

    written: list[str] = []
    for image in study.images:
        for finding in drawn_on(image, report):
            mask = finding.where.mask
            assert mask is not None
            name = _free_name(finding, image, study, written)
            write_nifti(mask, image, folder / name)
            written.append(name)
    return written


def drawn_on(image: Image, report: Report) -> list[Finding]:
    """Findings with a mask on this image."""
    return [
        finding
        for finding in report.findings
        if finding.where.mask is not None and finding.where.image == image.name and not finding.where.mask.is_empty
    ]


def write_dicom(report: Report, study: Study, folder: Path, *, identity: str = "") -> tuple[list[str], list[str]]:
    """SEG and SR for every image that came from DICOM; names written, and what could not be written and why.

    The same `identity` gives the objects the same UIDs; without one they are new.
    """
    from groundglass.io import is_dicom, write_seg, write_sr

    written, problems = [], []
    for number, image in enumerate(study.images, start=1):
        if not is_dicom(image):
            continue
        stem = "" if len(study.images) == 1 else f"-{number}"
        findings = drawn_on(image, report)
        segmentations: list[Path] = []
        try:
            if findings:
                segmentations = [write_seg(findings, image, folder / f"masks{stem}.seg.dcm", identity=identity)]
                written.append(f"masks{stem}.seg.dcm")
        except GroundglassError as error:
            problems.append(str(error))
        try:
            write_sr(report, image, folder / f"report{stem}.sr.dcm", segmentations=segmentations, identity=identity)
            written.append(f"report{stem}.sr.dcm")
        except GroundglassError as error:
            problems.append(str(error))
    return written, problems


def _free_name(finding: Finding, image: Image, study: Study, taken: list[str]) -> str:
    parts = [finding.where.side or "", (finding.where.anatomy or finding.what).name]
    if finding.where.anatomy and finding.what != finding.where.anatomy:
        parts.append(finding.what.name)
    if len(study.images) > 1:
        parts.insert(0, image.name)
    stem = re.sub(r"[^A-Za-z0-9]+", "-", " ".join(part for part in parts if part)).strip("-").lower()[:80]
    name, number = f"masks/{stem}.nii.gz", 2
    while name in taken:
        name, number = f"masks/{stem}-{number}.nii.gz", number + 1
    return name
