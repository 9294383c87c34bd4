"""COCO: PNG pictures with boxes and run-length masks (T.-Y. Lin et al., arXiv 1405.0312). Of a volume, the axial slice
on which each finding is widest, in a soft-tissue window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Finding
from groundglass.io.atomic import write_json_atomic
from groundglass.synthesis.phantoms.layouts import files
from groundglass.synthesis.phantoms.phantom import Phantom
from groundglass.synthesis.phantoms.vocabulary import planted_terms


def write(phantom: Phantom, folder: Path) -> dict[str, Any]:
    """The pictures of a case; the record holds its images and annotations, numbered later."""
    classes = {term: n for n, term in enumerate(planted_terms(phantom.kind), 1)}
    image = phantom.image
    slices = _slices(phantom.findings) if image.is_volume else [None]
    pictures = []
    for number in slices:
        shown = files.grey(image, number)
        name = f"{phantom.name}.png" if number is None else f"{phantom.name}_z{number:04d}.png"
        files.write_png(np.moveaxis(shown, -1, 0) if shown.ndim == 3 else shown[None], folder / "images" / name)
        annotations = [
            _annotation(f, plane, classes[f.what.name])
            for f in phantom.findings
            if (plane := _plane(f, number)) is not None and plane.any()
        ]
        pictures.append(
            {"file_name": name, "height": shown.shape[0], "width": shown.shape[1], "patient": phantom.patient,
             "annotations": annotations}
        )  # fmt: skip
    return {"pictures": pictures, "caption": files.report_text(phantom)}


def _slices(findings: tuple[Finding, ...]) -> list[int]:
    chosen = set()
    for finding in findings:
        mask = finding.where.mask
        if mask is not None:
            chosen.add(mask.offset[2] + int(mask.crop.sum(axis=(0, 1)).argmax()))
    return sorted(chosen)


def _plane(finding: Finding, number: int | None) -> NDArray[np.bool_] | None:
    mask = finding.where.mask
    if mask is None:
        return None
    return mask.array if number is None else files.as_seen(mask.array[:, :, number])


def _annotation(finding: Finding, plane: NDArray[np.bool_], category: int) -> dict[str, Any]:
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    box = [int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)]
    return {
        "category_id": category, "bbox": box, "area": int(plane.sum()), "iscrowd": 0, "finding": finding.id,
        "segmentation": {"size": list(plane.shape), "counts": run_lengths(plane)},
    }  # fmt: skip


def run_lengths(plane: NDArray[np.bool_]) -> list[int]:
    """COCO's uncompressed run lengths: column by column, beginning with the zeros."""
    flat = plane.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], edges, [flat.size]]))
    return [*([0] if flat[0] else []), *(int(run) for run in runs)]


def finish(records: list[dict[str, Any]], folder: Path, kind: str) -> None:
    """annotations.json with numbered images and annotations."""
    categories = [{"id": n, "name": term} for n, term in enumerate(planted_terms(kind), 1)]
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for record in records:
        for picture in record["pictures"]:
            number = len(images) + 1
            images.append({"id": number, **{k: v for k, v in picture.items() if k != "annotations"}})
            for annotation in picture["annotations"]:
                annotations.append({"id": len(annotations) + 1, "image_id": number, **annotation})
    document = {
        "info": {"description": f"Simulated {kind}; no patient."}, "images": images, "annotations": annotations,
        "categories": categories,
    }  # fmt: skip
    write_json_atomic(folder / "annotations.json", document)
