"""A label map from any mask file: NIfTI, NRRD, MHA, PNG, TIFF, DICOM SEG (its segments may overlap)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.app.compare.grid import difference, framed
from groundglass.core import Finding, GeometryError, Image, InputError
from groundglass.io.same_grid import turned

_HISTOGRAM = 65535
_PART = 1 << 22
SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".png", ".tif", ".tiff", ".bmp", ".dcm", ".dicom")


@dataclass(frozen=True)
class LabelMap:
    """Label numbers on a grid. `layers` are label maps of one shape (0 = none); there are several only where the
    segments of a DICOM SEG overlap. `names` are those that the file itself gives (DICOM SEG), else empty.
    """

    path: Path
    layers: tuple[NDArray[Any], ...]
    affine: NDArray[np.float64]
    spacing: tuple[float, ...]
    spacing_known: bool
    place_known: bool
    names: dict[int, str]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.layers[0].shape

    @cached_property
    def numbers(self) -> frozenset[int]:
        """The labels that occur, without 0."""
        found = set().union(*(_present(layer) for layer in self.layers))
        return frozenset(found - {0})

    def where(self, numbers: tuple[int, ...]) -> NDArray[np.bool_]:
        """The voxels that carry one of these labels."""
        inside = np.zeros(self.shape, dtype=bool)
        for layer in self.layers:
            for number in numbers:
                inside |= layer == number
        return inside


def is_mask_file(path: Path) -> bool:
    """By its name; a file without suffix when it is DICOM."""
    if path.name.lower().endswith(SUFFIXES):
        return True
    if path.suffix:
        return False
    from groundglass.io.kinds import kind_of

    return kind_of(path) == "dicom"


def read_labels_of(path: Path) -> LabelMap:
    """The label map in a file. A flat NIfTI of one slice is flat.

    Raises the reader's error, and InputError for colour, time series, and values that are no label numbers.
    """
    from groundglass.io import read_image
    from groundglass.io.kinds import kind_of

    if kind_of(path) == "dicom" and (segments := _segments(path)) is not None:
        return segments
    image = read_image(path)
    if image.time_axis is not None:
        raise GeometryError(path, "is a series in time, not a mask", "Pass one time point.")
    array = _one_channel(image, path)
    flat = array.ndim == 3 and array.shape[-1] == 1
    return LabelMap(
        path=path,
        layers=(_whole(array[..., 0] if flat else array, path),),
        affine=image.affine,
        spacing=image.spacing[:2] if flat else image.spacing,
        spacing_known=image.spacing_known,
        place_known=image.orientation_known,
        names={},
    )


def with_spacing_of(labels: LabelMap, path: Path) -> LabelMap:
    """`labels` as if its file had the geometry of the image at `path`. Raises GeometryError where the shapes differ."""
    from groundglass.io import read_image

    image = read_image(path)
    shape = tuple(n for axis, n in enumerate(image.shape) if axis != image.time_axis)
    spacing = tuple(mm for axis, mm in enumerate(image.spacing) if axis != image.time_axis)
    if len(shape) == 3 and shape[-1] == 1 and len(labels.shape) == 2:
        shape, spacing = shape[:2], spacing[:2]
    if shape != labels.shape:
        raise GeometryError(
            f"{labels.path} and {path}",
            f"have different shapes, {labels.shape} and {shape}, so the spacing cannot be taken over",
            "Name an image of the same grid by --spacing-from.",
        )
    return replace(
        labels,
        affine=image.affine,
        spacing=spacing,
        spacing_known=image.spacing_known,
        place_known=image.orientation_known,
    )


def on_one_grid(prediction: LabelMap, truth: LabelMap) -> tuple[LabelMap, LabelMap]:
    """Both on one grid, the axes as in `truth`. Raises GeometryError naming both files where the grids differ.

    A DICOM SEG leaves out slices without any segment: its grid is filled up. Where one of the two does not state its
    place (PNG, a NIfTI without affine) equal shapes are enough, and the spacings must agree if both state one.
    """
    if prediction.place_known and truth.place_known:
        placed = [turned(layer, prediction.affine, truth.affine) for layer in prediction.layers]
        if all(layer is not None for layer in placed) and len(prediction.shape) == len(truth.shape):
            layers, starts = zip(*(layer for layer in placed if layer is not None), strict=True)
            first = replace(prediction, layers=layers, affine=truth.affine, spacing=truth.spacing)
            if first.shape == truth.shape and not any(starts[0]):
                return first, truth
            if grown := _grown(first, truth, starts[0]):
                return grown
    elif prediction.shape == truth.shape:
        both_known = prediction.spacing_known and truth.spacing_known
        if not both_known or np.allclose(prediction.spacing, truth.spacing, rtol=1e-3):
            return prediction, truth
    raise difference(prediction.path, truth.path, (prediction.shape, truth.shape), (prediction.spacing, truth.spacing))


def _grown(prediction: LabelMap, truth: LabelMap, start: tuple[int, ...]) -> tuple[LabelMap, LabelMap] | None:
    """Both in the smallest box that holds both; None where that would grow a file that states its whole grid."""
    stops = [a + n for a, n in zip(start, prediction.shape, strict=True)]
    low = [min(a, 0) for a in start]
    shape = tuple(max(b, n) - a for a, b, n in zip(low, stops, truth.shape, strict=True))
    moved = tuple(a - b for a, b in zip(start, low, strict=True))
    home = tuple(-a for a in low)
    if (shape != prediction.shape and not prediction.names) or (shape != truth.shape and not truth.names):
        return None
    affine = truth.affine.copy()
    affine[:3, 3] += affine[:3, : len(low)] @ low
    return (
        replace(prediction, layers=tuple(framed(layer, moved, shape) for layer in prediction.layers), affine=affine),
        replace(truth, layers=tuple(framed(layer, home, shape) for layer in truth.layers), affine=affine),
    )


def matched_by_name(prediction: LabelMap, truth: LabelMap) -> LabelMap:
    """`prediction` with the numbers of `truth` where both files name their segments (DICOM SEG); else as it is.

    Segments of one name are one label. A name that `truth` lacks gets a number that `truth` lacks.
    """
    if not prediction.names or not truth.names:
        return prediction
    number_of = {name: number for number, name in truth.names.items()}
    free = max((*truth.names, *prediction.names)) + 1
    new = {}
    for old, name in prediction.names.items():
        if name not in number_of:
            number_of[name], free = free, free + 1
        new[old] = number_of[name]
    table = np.arange(max(prediction.names) + 1)
    table[list(new)] = list(new.values())
    names = {new[old]: name for old, name in prediction.names.items()}
    return replace(prediction, layers=tuple(table[layer] for layer in prediction.layers), names=names)


def _one_channel(image: Image, path: Path) -> NDArray[Any]:
    array = image.array
    if len(array) == 1 or all(np.array_equal(array[0], other) for other in array[1:3]):
        return array[0]
    raise InputError(path, "is a colour picture, not a label map", "Save label numbers, one channel.")


def _whole(array: NDArray[Any], path: Path) -> NDArray[Any]:
    """The array with an integer type. Raises InputError for NaN, fractions and negative numbers."""
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise InputError(path, "holds NaN or infinity, which is no label", "Set those voxels to a label number.")
        whole = array.astype(np.int32)
        if not np.array_equal(whole, array):
            raise InputError(path, "holds fractions, so it is no label map", "Threshold the probabilities first.")
        array = whole
    if array.dtype.kind == "i" and array.size and int(array.min()) < 0:
        raise InputError(path, f"holds the negative label {int(array.min())}", "Label numbers are whole, from 0.")
    return array


def _present(layer: NDArray[Any]) -> set[int]:
    """The numbers that occur. Counted in parts: a histogram of all voxels at once would need eight bytes for each."""
    flat = layer.ravel(order="K")
    top = int(flat.max()) if flat.size else 0
    if top > _HISTOGRAM:
        return {int(number) for number in np.unique(flat)}
    there = np.zeros(top + 1, dtype=bool)
    for start in range(0, flat.size, _PART):
        there |= np.bincount(flat[start : start + _PART], minlength=top + 1) > 0
    return set(np.flatnonzero(there).tolist())


def _segments(path: Path) -> LabelMap | None:
    """The label map of a DICOM SEG, None for another kind of DICOM file."""
    from groundglass.io.dicom_header import quiet, read_header, value_of

    with quiet():
        if value_of(read_header(path).dataset, "Modality") != "SEG":
            return None
    from groundglass.io import read_seg

    findings = read_seg(path)
    masks = [(number, f.where.mask) for number, f in enumerate(findings, start=1) if f.where.mask is not None]
    if not masks:
        raise InputError(path, "has no segment", "Pass a segmentation with one.")
    names = {number: segment_name(finding) for number, finding in enumerate(findings, start=1)}
    first_of = {name: number for number, name in reversed(names.items())}
    layers = [np.zeros(masks[0][1].shape, dtype=np.int32)]
    for number, mask in masks:
        if mask.is_empty:
            continue
        here = mask.box.slices
        layer = next((layer for layer in layers if not (layer[here][mask.crop]).any()), None)
        if layer is None:
            layer = np.zeros(masks[0][1].shape, dtype=np.int32)
            layers.append(layer)
        layer[here][mask.crop] = first_of[names[number]]
    affine = masks[0][1].affine
    flat = len(masks[0][1].shape) == 2
    spacing = tuple(float(mm) for mm in np.linalg.norm(affine[:3, :3], axis=0))[: len(masks[0][1].shape)]
    has_place = not (flat and np.array_equal(affine, np.eye(4)))
    return LabelMap(
        path, tuple(layers), affine, spacing, has_place, has_place, {n: name for name, n in first_of.items()}
    )


def segment_name(finding: Finding) -> str:
    """Side, anatomy and kind of a segment, in words: "right lung pulmonary nodule"."""
    anatomy = finding.where.anatomy
    parts = (finding.where.side, anatomy.name if anatomy and anatomy != finding.what else None, finding.what.name)
    return " ".join(part for part in parts if part)
