"""Findings as the viewer needs them: a point to jump to, a box, a colour, numbers, and the sentences that say it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.app.serve.viewing import viewer_affine
from groundglass.core import Finding, Image, Mask, Report, Study, to_dict
from groundglass.io.atomic import write_json_atomic
from groundglass.io.colour import segment_colour
from groundglass.report.pictures import image_of


def finding_rows(findings: Sequence[Finding], report: Report, study: Study, ids: Sequence[str]) -> list[dict[str, Any]]:
    """One JSON-ready row per finding. `ids` are those of the study's images, in order.

    Masks are numbered per image in the order of `findings`, which is what `label` and the label maps go by.
    """
    said: dict[str, list[str]] = {}
    for section in report.sections:
        for sentence in section.sentences:
            for finding_id in sentence.findings:
                said.setdefault(finding_id, []).append(sentence.text)
    labels: dict[str, int] = {}
    rows = []
    for finding in findings:
        image = image_of(finding, study) or _image_of_box(finding, study)
        image_id = ids[study.images.index(image)] if image is not None else None
        label = None
        if image_id is not None and has_mask(finding):
            label = labels[image_id] = labels.get(image_id, 0) + 1
        rows.append(_row(finding, image, image_id, label, said.get(finding.id, [])))
    return rows


def save_finding(finding: Finding, study: Study, ids: Sequence[str], target: Path) -> dict[str, Any]:
    """Write a finding that a person added; its row for the viewer, numbered anew beside the others when it is shown."""
    row = finding_rows([finding], Report(()), study, ids)[0]
    write_json_atomic(target, to_dict(finding))
    return row


def has_mask(finding: Finding) -> bool:
    """True when there is a voxel to show."""
    return finding.where.mask is not None and not finding.where.mask.is_empty


def seed_of(finding: Finding) -> tuple[float, ...] | None:
    """A voxel coordinate to look at: well inside the mask's largest slice, else amid its lines, points or box."""
    mask = finding.where.mask
    if mask is not None and not mask.is_empty:
        return _inside(mask)
    lines = [line for measured in finding.measurements for line in measured.geometry] or list(finding.where.points)
    points = [point for line in lines[:1] for point in line.points]
    if points:
        return tuple(float(v) for v in np.mean(np.asarray(points, dtype=float), axis=0))
    return finding.where.box.centre if finding.where.box is not None else None


def _inside(mask: Mask) -> tuple[float, ...]:
    crop = mask.crop
    at: list[int] = []
    # One axis after the other: the slice with most voxels, and on the last line the middle of its longest run.
    while crop.ndim > 1:
        counts = crop.reshape(crop.shape[0], -1).sum(axis=1)
        at.append(int(counts.argmax()))
        crop = crop[at[-1]]
    inside = np.flatnonzero(crop)
    runs = np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1)
    run = max(runs, key=len)
    at.append(int(run[len(run) // 2]))
    return tuple(float(offset + index) for offset, index in zip(mask.offset, at, strict=True))


def _image_of_box(finding: Finding, study: Study) -> Image | None:
    if finding.where.box is None and not finding.where.points:
        return None
    return next((image for image in study.images if image.name == finding.where.image), None)


def _row(
    finding: Finding, image: Image | None, image_id: str | None, label: int | None, said: list[str]
) -> dict[str, Any]:
    mask, where = finding.where.mask, finding.where
    seed = seed_of(finding) if image is not None else None
    box = mask.box if mask is not None and has_mask(finding) else where.box
    return {
        "id": finding.id,
        "term": finding.what.name,
        "code": finding.what.code,
        "scheme": finding.what.scheme,
        "status": finding.status,
        "side": where.side,
        "anatomy": where.anatomy.name if where.anatomy else None,
        "image": image_id,
        "seed_voxel": list(seed) if seed else None,
        "seed_mm": _world(seed, image) if seed and image is not None else None,
        "box": {"start": list(box.start), "stop": list(box.stop)} if box is not None and image is not None else None,
        "label": label,
        "colour": list(segment_colour(label)) if label else None,
        "volume_ml": volume_ml(mask.voxel_count, image) if mask is not None and image is not None else None,
        "score": finding.score if finding.score is not None and math.isfinite(finding.score) else None,
        "measurements": [
            {
                "kind": m.kind.name,
                "value": _finite(m.value),
                "unit": m.unit,
                "low": _finite(m.low),
                "high": _finite(m.high),
                "outside": m.is_outside_range,
            }
            for m in finding.measurements
        ],
        "sentences": list(dict.fromkeys(said)),
        "part_of": finding.part_of,
    }


def volume_ml(voxels: int, image: Image) -> float | None:
    """Millilitres of so many voxels; None where there is no spacing, or no volume."""
    if not image.is_volume or not image.spacing_known:
        return None
    return round(voxels * abs(float(np.linalg.det(image.affine[:3, :3]))) / 1000, 6)


def _world(voxel: Sequence[float], image: Image) -> list[float]:
    """Millimetres in the viewer's space; of a film, the frame's own place."""
    spatial = [v for axis, v in enumerate(voxel) if not (image.time_axis == axis and len(voxel) == len(image.shape))]
    point: NDArray[np.float64] = np.array([*spatial, *[0.0] * (3 - len(spatial)), 1.0])
    return [round(float(v), 4) for v in (viewer_affine(image) @ point)[:3]]


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
