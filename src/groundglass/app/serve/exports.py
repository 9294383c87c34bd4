"""The reviewed report in every form: what was rejected is gone, what was worded stands, what was drawn is in."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from groundglass.app.serve.models import ExportKind
from groundglass.app.serve.reading import Opened, drawn_findings, reading_of
from groundglass.app.serve.review import ReviewState, load_review
from groundglass.app.serve.store import Record, read_json
from groundglass.app.serve.worker import Tell
from groundglass.core import (
    ConfigurationError,
    Finding,
    GroundglassError,
    Reading,
    Report,
    Section,
    Sentence,
    Study,
    UnsupportedError,
)
from groundglass.io.atomic import atomic_path, write_json_atomic, write_text_atomic

_CHROMIUM_SECONDS = 60
FORMS: dict[ExportKind, tuple[str, str]] = {
    "seg": ("application/dicom", "masks.seg.dcm"),
    "sr": ("application/dicom", "report.sr.dcm"),
    "nifti": ("application/zip", "masks.zip"),
    "json": ("application/json", "report.json"),
    "pdf": ("application/pdf", "report.pdf"),
    "html": ("text/html; charset=utf-8", "report.html"),
    "fhir": ("application/fhir+json", "report.fhir.json"),
}


def available(record: Record) -> list[ExportKind]:
    """The forms that a study can be exported in, here and now."""
    kinds: list[ExportKind] = ["json", "html", "nifti"]
    if any(image.get("is_dicom") for image in record.images):
        kinds += ["seg", "sr"]
    if find_spec("fhir") is not None and find_spec("groundglass.io.fhir") is not None:
        kinds.append("fhir")
    if chromium() is not None:
        kinds.append("pdf")
    return kinds


@cache
def chromium() -> str | None:
    """The browser that prints PDFs, where one is installed."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if (found := shutil.which(name))), None)


@dataclass(frozen=True)
class Reviewed:
    """A study with its reviewed report, ready to be written."""

    study: Study
    report: Report
    review: ReviewState


def reviewed(opened: Opened) -> Reviewed:
    """The report composed anew of what the reviewer left standing; of a study that was not read, of the drawings."""
    from groundglass.report import compose

    place = opened.place
    is_read = place.findings.is_file()
    asked = read_json(place.reading / "request.json", "reading") if is_read else {"clinical": "", "language": "en"}
    review = load_review(place)
    study = replace(opened.study(), clinical=asked["clinical"])
    found = reading_of(place) if is_read else Reading(warnings=("only what a reviewer drew is reported",))
    reading = _standing(found, drawn_findings(place), review)
    report = compose(reading, study, language=asked["language"])
    return Reviewed(study, _worded(_all_said(report), review), review)


def export(tell: Tell, opened: Opened, kind: ExportKind, target: Path) -> None:
    """Write the export. Raises UnsupportedError where the study has no such form, and the writers' errors."""
    try:
        held = reviewed(opened)
        tell(f"writing {kind}")
        _WRITERS[kind](held, target)
    except GroundglassError as error:
        raise opened.cleaned(error) from error


def _standing(reading: Reading, drawn: tuple[Finding, ...], review: ReviewState) -> Reading:
    """The findings that were not rejected, nor belong to one that was; then the reviewer's own."""
    rejected = {f.id for f in (*reading.findings, *drawn) if review.verdict(f.id) == "rejected"}
    while more := {f.id for f in reading.findings if f.part_of in rejected} - rejected:
        rejected |= more
    kept = tuple(f for f in (*reading.findings, *drawn) if f.id not in rejected)
    return replace(reading, findings=kept)


def _all_said(report: Report) -> Report:
    """The report with a plain sentence for every drawn finding that the composer has no words for."""
    said = {i for section in report.sections for sentence in section.sentences for i in sentence.findings}
    missing = [f for f in report.findings if f.id.startswith("u") and f.id not in said]
    if not missing:
        return report
    more = tuple(Sentence(_plain(finding), (finding.id,)) for finding in missing)
    return _with_section(report, "findings", lambda section: replace(section, sentences=section.sentences + more))


def _plain(finding: Finding) -> str:
    side = f"{finding.where.side} " if finding.where.side in ("left", "right") else ""
    return f"Marked by the reviewer: {side}{finding.what.name}."


def _worded(report: Report, review: ReviewState) -> Report:
    """The report with the reviewer's wording in place of the first sentence of each finding that has one."""
    for finding in report.findings:
        text = review.sentence(finding.id)
        if text is None:
            continue
        own = next((s for s in report.sections if s.name == "findings" and _speaks(s, finding.id)), None)
        place = own or next((s for s in report.sections if _speaks(s, finding.id)), None)
        if place is None:
            added = Sentence(text, (finding.id,))
            report = _with_section(report, "findings", lambda s, a=added: replace(s, sentences=(*s.sentences, a)))
            continue
        at = next(n for n, sentence in enumerate(place.sentences) if finding.id in sentence.findings)
        new = replace(place.sentences[at], text=text)
        sentences = (*place.sentences[:at], new, *place.sentences[at + 1 :])
        changed = replace(place, sentences=sentences)
        report = replace(report, sections=tuple(changed if s is place else s for s in report.sections))
    return report


def _speaks(section: Section, finding_id: str) -> bool:
    return any(finding_id in sentence.findings for sentence in section.sentences)


def _with_section(report: Report, name: str, change: Any) -> Report:
    return replace(report, sections=tuple(change(s) if s.name == name else s for s in report.sections))


def _json(held: Reviewed, target: Path) -> None:
    from groundglass.app.outputs import report_document

    document = report_document(held.report, held.study)
    verdicts = {f.id: {"verdict": held.review.verdict(f.id)} for f in held.report.findings}
    rejected = [i for i, said in held.review.findings.items() if said.get("verdict") == "rejected"]
    write_json_atomic(target, {**document, "review": {"findings": verdicts, "rejected": rejected}})


def _html(held: Reviewed, target: Path) -> None:
    from groundglass.report import render_html

    write_text_atomic(target, render_html(held.report, held.study))


def _pdf(held: Reviewed, target: Path) -> None:
    """The page as chromium prints it: without network, in a folder of its own."""
    program = chromium()
    if program is None:
        raise ConfigurationError("pdf", "needs chromium, which is not installed", "Export html and print it.")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".pdf-") as folder:
        page, printed = Path(folder) / "report.html", Path(folder) / "report.pdf"
        _html(held, page)
        # Chromium refuses its sandbox to root; everybody else keeps it.
        as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        command = [
            program, "--headless", "--disable-gpu", *as_root, "--no-first-run", "--disable-extensions",
            "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer", f"--print-to-pdf={printed}", page.as_uri(),
        ]  # fmt: skip
        try:
            subprocess.run(command, capture_output=True, timeout=_CHROMIUM_SECONDS, check=True)
        except (subprocess.SubprocessError, OSError) as error:
            raise ConfigurationError("pdf", "was not printed by chromium", "Export html and print it.") from error
        if not printed.is_file():
            raise ConfigurationError("pdf", "was not printed by chromium", "Export html and print it.")
        with atomic_path(target) as temporary:
            shutil.copyfile(printed, temporary)


def _nifti(held: Reviewed, target: Path) -> None:
    from groundglass.app.outputs import write_masks

    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".nifti-") as folder:
        files = write_masks(held.report, held.study, Path(folder))
        if not files:
            raise UnsupportedError("nifti", "has nothing to hold: no finding has a mask", "Export json.")
        _zip([(Path(folder) / file, Path(file).name) for file in files], target)


def _dicom(held: Reviewed, target: Path, ending: str) -> None:
    """One file, or a zip of one per series where there are several."""
    from groundglass.app.outputs import write_dicom

    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".dicom-") as folder:
        files, remarks = write_dicom(held.report, held.study, Path(folder))
        wanted = [Path(folder) / file for file in files if file.endswith(ending)]
        if not wanted:
            reason = remarks[0] if remarks else "no image of the study came from DICOM, or no finding has a mask"
            raise UnsupportedError(ending.strip("."), f"was not written ({reason})", "Export json or nifti.")
        if len(wanted) > 1:
            _zip([(file, file.name) for file in wanted], target)
            return
        with atomic_path(target) as temporary:
            shutil.copyfile(wanted[0], temporary)


def _seg(held: Reviewed, target: Path) -> None:
    _dicom(held, target, ".seg.dcm")


def _sr(held: Reviewed, target: Path) -> None:
    _dicom(held, target, ".sr.dcm")


def _fhir(held: Reviewed, target: Path) -> None:
    from groundglass.io import write_fhir

    write_fhir(held.report, held.study, target)


def _zip(files: list[tuple[Path, str]], target: Path) -> None:
    with atomic_path(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for path, name in files:
            archive.write(path, name)


_WRITERS: dict[ExportKind, Any] = {
    "seg": _seg, "sr": _sr, "nifti": _nifti, "json": _json, "pdf": _pdf, "html": _html, "fhir": _fhir,
}  # fmt: skip
