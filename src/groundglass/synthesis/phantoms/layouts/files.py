"""Pieces that the layouts share: an image as a file, findings as a label map, the truth as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Image, Mask, to_dict
from groundglass.io import write_nifti
from groundglass.io.atomic import atomic_path
from groundglass.synthesis.phantoms.phantom import Phantom

WINDOWS = {"CT": (-160.0, 240.0), "PT": (0.0, 8.0)}
"""What a slice shows in grey: HU of soft tissue, SUV."""


def write_image(image: Image, folder: Path, stem: str) -> Path:
    """A volume as .nii.gz, a picture as .png (8 or 16 bit, grey or RGB); the path."""
    if image.is_volume:
        return write_nifti(image.array[0], image, folder / f"{stem}.nii.gz")
    return write_png(image.array, folder / f"{stem}.png")


def write_png(array: NDArray[Any], path: Path) -> Path:
    """(C, rows, columns) with one or three channels, uint8 or (one channel) uint16."""
    from PIL import Image as Picture

    picture = Picture.fromarray(array[0] if array.shape[0] == 1 else np.moveaxis(array, 0, -1))
    with atomic_path(path) as temporary:
        picture.save(temporary, "PNG", compress_level=4)
    return path


def grey(image: Image, slice_index: int | None = None) -> NDArray[np.uint8]:
    """A picture, or an axial slice of a volume as radiologists look at it, in 8 bit: (rows, columns[, 3])."""
    if not image.is_volume:
        array = image.array
        if array.dtype == np.uint16:
            array = np.rint(array / max(int(array.max()), 1) * 255).astype(np.uint8)
        return array[0] if array.shape[0] == 1 else np.moveaxis(array, 0, -1)
    low, high = WINDOWS.get(image.modality, (float(image.array.min()), float(image.array.max())))
    plane = image.array[0, :, :, slice_index].astype(np.float32)
    shown = np.clip((plane - low) / (high - low), 0, 1) * 255
    return as_seen(np.rint(shown).astype(np.uint8))


def as_seen(plane: NDArray[Any]) -> NDArray[Any]:
    """(x to the right of the patient, y to his front) -> rows from the front down, the patient's right on the left."""
    return np.ascontiguousarray(plane[::-1, ::-1].T)


def label_map(items: list[tuple[int, Mask]], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Masks as numbers; the smaller lies on top."""
    labels = np.zeros(shape, dtype=np.uint8 if max((n for n, _ in items), default=0) < 256 else np.uint16)
    for number, mask in sorted(items, key=lambda item: -item[1].voxel_count):
        if not mask.is_empty:
            labels[mask.box.slices][mask.crop] = number
    return labels


def truth(phantom: Phantom) -> dict[str, Any]:
    """Findings with masks, report, questions and facts, for `core.from_dict` and for people."""
    return {
        "kind": phantom.kind,
        "seed": phantom.seed,
        "index": phantom.index,
        "visit": phantom.visit,
        "patient": phantom.patient,
        "date": phantom.date,
        "simulated": True,
        "facts": dict(phantom.facts),
        "landmarks": {name: list(point) for name, point in phantom.landmarks.items()},
        "findings": [to_dict(finding) for finding in phantom.findings],
        "report": to_dict(phantom.report),
        "questions": [
            {"question": q.text, "answer": q.answer, "asked": q.asked, "findings": list(q.findings)}
            for q in phantom.questions
        ],
    }


def report_text(phantom: Phantom) -> str:
    return phantom.report.text if phantom.report.sections else ""
