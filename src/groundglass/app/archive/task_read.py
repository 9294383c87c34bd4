"""The task `read`: the main job on every study; its whole output folder is the artefact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from groundglass.app.archive.study import StudyRef
from groundglass.app.read import read
from groundglass.core import Finding, InputError, Report


def run(study: StudyRef, folder: Path, options: dict[str, Any]) -> dict[str, Any]:
    """The row of a study. Raises the main job's errors, and InputError when no image of it is usable."""
    outcome = read(
        [Path(path) for path in study.paths],
        folder,
        only=[term.strip() for term in options.get("only", "").split(",") if term.strip()],
        language=options.get("language", "en"),
        engine=options.get("segment_with"),
        # A study that is read anew gets SEG and SR that an archive takes for the same objects.
        identity=study.name,
    )
    if outcome.is_degraded:
        reason = next(iter(outcome.warnings), "they show nothing")
        raise InputError(study.source, f"no image has usable pixels ({reason})", "Export it again.")
    images = outcome.document["study"]["images"]
    report = outcome.report
    return {
        "images": len(images),
        "modalities": list(dict.fromkeys(image["modality"] for image in images)),
        "findings": [_finding(finding) for finding in report.findings],
        "measurements": [row for finding in report.findings for row in _measurements(finding)],
        "impression": _section(report, "impression"),
        "limitations": _section(report, "limitations"),
        "files": sorted(outcome.files),
        "warnings": list(outcome.warnings),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    where = finding.where
    return {
        "id": finding.id,
        "what": finding.what.name,
        "code": finding.what.code,
        "scheme": finding.what.scheme,
        "status": finding.status,
        "side": where.side,
        "anatomy": where.anatomy.name if where.anatomy else None,
        "image": where.image,
        "score": finding.score,
    }


def _measurements(finding: Finding) -> list[dict[str, Any]]:
    return [
        {
            "finding": finding.id,
            "kind": measurement.kind.name,
            "value": float(measurement.value),
            "unit": measurement.unit,
            "outside_range": measurement.is_outside_range,
        }
        for measurement in finding.measurements
    ]


def _section(report: Report, name: str) -> str:
    section = report.section(name)
    return " ".join(sentence.text for sentence in section.sentences) if section else ""
