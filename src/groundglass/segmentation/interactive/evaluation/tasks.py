"""Structures to point at in sets that were left out of training whole: a slice and a mask each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Image
from groundglass.segmentation.interactive.grid import Grid, resized
from groundglass.segmentation.interactive.planes import Planes

LEAST_PIXELS = 30


@dataclass(frozen=True, eq=False)
class Task:
    """`picture` (H, W) in [0, 1], at most 256 pixels a side, and the mask of a structure in it."""

    name: str
    picture: NDArray[np.float32]
    truth: NDArray[np.bool_]


def chest_structures(root: Path, *, structures: Sequence[str], most: int) -> Iterator[Task]:
    """Structures that a radiologist drew on chest radiographs."""
    files = sorted(f for s in structures for f in (root / "cxr-covid-open" / "structure_masks").glob(f"*__{s}.png"))
    for path in _spread(files, most):
        stem, _, structure = path.stem.partition("__")
        picture = next((root / "cxr-covid-open" / "images").glob(f"{stem}.*"))
        yield from _task(f"{stem} {structure}", _planar(picture), _array(path)[0] > 0)


def volume_labels(
    root: Path, pairs: Sequence[tuple[str, str]], *, most: int, axes: Sequence[int] = (2,), slices: int = 1
) -> Iterator[Task]:
    """Each label of label volumes, in the `slices` slices of each axis where it is largest."""
    from groundglass.io import read_image

    found = []
    for image_name, labels_name in pairs:
        image = read_image(root / image_name)
        labels = np.rint(np.nan_to_num(_array(root / labels_name)[0])).astype(int)
        found += list(_label_tasks(image, labels, labels_name.split("/")[-1].split(".")[0], axes, slices))
    yield from _spread(found, most)


def _label_tasks(image: Image, labels: NDArray[Any], name: str, axes: Sequence[int], slices: int) -> Iterator[Task]:
    for axis in axes:
        planes, moved = Planes(image, axis), np.moveaxis(labels, axis, 0)
        for label in np.unique(labels)[1:]:
            areas = (moved == label).sum(axis=(1, 2))
            for index in _apart(areas, slices):
                yield from _task(f"{name} {label} {axis} {index}", planes.plane(index), moved[index] == label)


def _apart(areas: NDArray[Any], count: int) -> list[int]:
    """Indices of large areas, at least three slices from each other."""
    chosen: list[int] = []
    for index in np.argsort(-areas, kind="stable"):
        if areas[index] and all(abs(int(index) - other) >= 3 for other in chosen):
            chosen.append(int(index))
        if len(chosen) == count:
            break
    return chosen


def _task(name: str, picture: NDArray[np.float32], truth: NDArray[np.bool_]) -> Iterator[Task]:
    if picture.shape != truth.shape:
        return
    inner = Grid.of(picture.shape).inner
    if max(picture.shape) > max(inner):
        picture, truth = resized(picture, inner), resized(truth.astype(np.float32), inner) > 0.5
    if truth.sum() >= LEAST_PIXELS:
        yield Task(name, picture, truth)


def _spread(items: list[Any], most: int) -> list[Any]:
    """At most so many, evenly over the list."""
    if len(items) <= most:
        return items
    return [items[int(k)] for k in np.linspace(0, len(items) - 1, most).round()]


def _planar(path: Path) -> NDArray[np.float32]:
    from groundglass.io import read_image

    return Planes(read_image(path), None).plane(0)


def _array(path: Path) -> NDArray[Any]:
    from groundglass.io import read_image

    return read_image(path).array


def _ct_organs(root: Path, most: int) -> Iterator[Task]:
    folder = "ct-organ-samples"
    yield from volume_labels(
        root,
        [
            (f"{folder}/small/ct.nii.gz", f"{folder}/small/ct_organs_total.nii.gz"),
            (f"{folder}/small/mr.nii.gz", f"{folder}/small/mr_organs.nii.gz"),
            (f"{folder}/thorax_abdomen/ct.nii.gz", f"{folder}/thorax_abdomen/vertebrae.nii.gz"),
            (f"{folder}/thorax_abdomen/ct.nii.gz", f"{folder}/thorax_abdomen/vertebral_bodies.nii.gz"),
        ],
        most=most,
    )


def _cord(root: Path, most: int) -> Iterator[Task]:
    f = "spinal-cord-mri"
    pairs = [
        (f"{f}/t1/t1w.nii.gz", f"{f}/t1/t1w_seg-manual.nii.gz"),
        (f"{f}/t2/t2.nii.gz", f"{f}/t2/t2_seg-manual.nii.gz"),
        (f"{f}/t2s/t2s.nii.gz", f"{f}/t2s/t2s_seg.nii.gz"),
        (f"{f}/t2s/t2s.nii.gz", f"{f}/t2s/t2s_gmseg_manual.nii.gz"),
        (f"{f}/mt/mt1.nii.gz", f"{f}/mt/mt1_seg.nii.gz"),
    ]
    yield from volume_labels(root, pairs, most=most, axes=(0, 1, 2), slices=2)


def _lesions(root: Path, most: int) -> Iterator[Task]:
    cases = [f"ms-lesions-mni/patient{n}" for n in ("07", "26")]
    pairs = [(f"{case}/FLAIR.nii.gz", f"{case}/lesions.nii.gz") for case in cases]
    yield from volume_labels(root, pairs, most=most, axes=(0, 1, 2), slices=4)


def _stroke(root: Path, most: int) -> Iterator[Task]:
    stem = "brain-mri-samples/stroke-isles22-sub-strokecase0009/sub-strokecase0009_ses-0001"
    pairs = [(f"{stem}_dwi.nii.gz", f"{stem}_msk.nii.gz"), (f"{stem}_adc.nii.gz", f"{stem}_msk.nii.gz")]
    yield from volume_labels(root, pairs, most=most, axes=(0, 1, 2), slices=4)


# Set -> its tasks, at most so many. Nothing of these sets was trained on.
UNSEEN: dict[str, Callable[[Path, int], Iterator[Task]]] = {
    "lungs (cxr-covid-open)": lambda d, n: chest_structures(d, structures=("left_lung", "right_lung"), most=n),
    "heart (cxr-covid-open)": lambda d, n: chest_structures(d, structures=("cardiomediastinum",), most=n),
    "opacities (cxr-covid-open)": lambda d, n: chest_structures(
        d, structures=("ground_glass_opacities", "consolidation"), most=n
    ),
    "airways and tubes (cxr-covid-open)": lambda d, n: chest_structures(
        d, structures=("airways", "endotracheal_tube", "nasogastric_tube", "central_venous_line", "tubings"), most=n
    ),
    "organs (ct-organ-samples)": _ct_organs,
    "lesions (ms-lesions-mni)": _lesions,
    "cord (spinal-cord-mri)": _cord,
    "stroke (brain-mri-samples)": _stroke,
}
