"""MONAI Label's side of the workers: results and labels in the voxel order that its clients have.

Those clients load an image as a volume (i, j, k) with i fastest: that is the order of a NIfTI file, but a DICOM series
is held here as (slice, row, column) and a picture as (row, column). Such arrays are turned on the way out and back on
the way in, together with their affine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.app.serve.places import has_mask, save_finding
from groundglass.app.serve.reading import Opened
from groundglass.app.serve.viewing import slice_axis, viewer_affine
from groundglass.app.serve.worker import Tell
from groundglass.core import (
    Evidence,
    Finding,
    GroundglassError,
    Image,
    InputError,
    Location,
    Mask,
    Study,
    UnsupportedError,
)
from groundglass.core.mask_name import mask_name
from groundglass.io.atomic import atomic_path

EXTENSIONS = (".nii.gz", ".nii", ".nrrd")
_LARGEST_LABEL = 65_535


@dataclass(frozen=True)
class Asked:
    """What a client asks of a model. Points are voxels (i, j, k). `fixed` numbers labels by `label_table`, else they
    are numbered 1, 2, ... as they are found."""

    model: str
    foreground: tuple[tuple[float, ...], ...] = ()
    background: tuple[tuple[float, ...], ...] = ()
    label: str = ""
    fixed: bool = False


def label_table() -> dict[str, int]:
    """The structures that a reading may outline, with numbers that stay: those of the models that ship."""
    from groundglass.models import model_config

    names: list[str] = []
    for model in ("brain-mr", "radiograph"):
        config = model_config(model)
        shown = config.get("shipped") or [name for name in config["labels"] if name != "background"]
        for name in shown:
            paired = name in config.get("paired", ())
            names += [f"left {name}", f"right {name}"] if paired else [name]
    return {name: number for number, name in enumerate(dict.fromkeys(names), 1)}


def infer(tell: Tell, opened: Opened, image_id: str, asked: Asked, target: Path) -> dict[str, Any]:
    """Run a model and write its label map to `target`; the parameters of the answer, with `label_names`.

    Raises InputError for an unknown model or points outside, and the models' own errors.
    """
    try:
        study = opened.study()
        image = study.images[opened.ids.index(image_id)]
        findings = _read(tell, replace(study, images=(image,))) if asked.model == "read" else [_clicked(image, asked)]
    except GroundglassError as error:
        raise opened.cleaned(error) from error
    if target.suffix == ".dcm":
        from groundglass.io import write_seg

        write_seg([f for f in findings if has_mask(f)], image, target)
        return {"label_names": {}}
    labels, names = _numbered(findings, image, asked)
    write_labels(labels, image, target)
    return {"label_names": names, "model": asked.model}


def write_image(_tell: Tell, opened: Opened, image_id: str, target: Path) -> None:
    """The pixels of an image, one channel, in the client's voxel order."""
    image = opened.study().images[opened.ids.index(image_id)]
    array = image.array[:3].astype(np.float32).mean(axis=0) if image.channels in (3, 4) else image.array[0]
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    elif array.dtype.kind in "iu" and array.dtype.itemsize > 4:
        array = array.astype(np.int32)
    _write_nifti(*in_client_order(array, image), target)


@dataclass(frozen=True)
class Sent:
    """A label file that a client sent: raw bytes where `is_raw`. `names` maps its values to structures."""

    path: Path
    is_raw: bool
    names: dict[int, str]


def keep_label(
    _tell: Tell, opened: Opened, image_id: str, sent: Sent, target: Path, first: int, drawn: Path
) -> list[dict[str, Any]]:
    """Check a label, write it as `target`, and write each structure with a known name as a drawn finding `uN`.

    The rows of these findings, numbered from `first`. Raises InputError where it does not fit the image.
    """
    study = opened.study()
    image = study.images[opened.ids.index(image_id)]
    labels = _labels_of(sent, image)
    write_labels(labels, image, target)
    rows: list[dict[str, Any]] = []
    for value in np.unique(labels[labels > 0]):
        try:
            named = mask_name(sent.names.get(int(value), ""))
        except GroundglassError:
            continue  # a name of the client's own: the label is kept, but says nothing that a report could
        where = Location(
            anatomy=named.organ, side=named.side, mask=Mask.of(labels == value, image.affine), image=image.name
        )
        finding = Finding(
            f"u{first + len(rows)}", named.term, where=where, evidence=(Evidence("person", "MONAI Label client"),)
        )
        rows.append(save_finding(finding, study, opened.ids, drawn / f"{finding.id}.json"))
    return rows


def is_row_major(image: Image) -> bool:
    """True where the array's last axis runs along a picture's rows: DICOM and pictures."""
    from groundglass.io import is_dicom

    return is_dicom(image) or "format" in image.acquisition.facts


def in_client_order(array: NDArray[Any], image: Image) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """(i, j, k) and its RAS+ affine of an array on the image's grid; a picture has one slice."""
    affine = viewer_affine(image)
    if is_row_major(image):
        order = list(range(array.ndim))[::-1]
        affine = affine[:, [*order, *range(array.ndim, 4)]]
        array = array.transpose(order)
    return array.reshape(*array.shape, *(1,) * (3 - array.ndim)), affine


def from_client_order(array: NDArray[Any], image: Image) -> NDArray[Any]:
    """The inverse of `in_client_order`. Raises InputError for another shape."""
    wanted = image.shape[::-1] if is_row_major(image) else image.shape
    if array.shape != wanted and array.shape != (*wanted, *(1,) * (3 - len(wanted))):
        raise InputError("the label", f"is {array.shape}, the image {wanted}", "Send it on the image's own grid.")
    flat = array.reshape(wanted)
    return flat.transpose(list(range(flat.ndim))[::-1]) if is_row_major(image) else flat


def write_labels(labels: NDArray[Any], image: Image, target: Path) -> None:
    """Write a label map on the image's grid in the client's order, as NIfTI or NRRD by its name."""
    array, affine = in_client_order(labels.astype(np.uint8 if labels.max(initial=0) < 256 else np.uint16), image)
    (_write_nrrd if target.suffix == ".nrrd" else _write_nifti)(array, affine, target)


def _read(tell: Tell, study: Study) -> list[Finding]:
    from groundglass.reading import Request, read_findings

    reading = read_findings(Request(study=study, progress=tell))
    return [finding for finding in reading.findings if has_mask(finding)]


def _clicked(image: Image, asked: Asked) -> Finding:
    """The structure that was clicked on; in three dimensions carried through the volume."""
    from groundglass.core import Term
    from groundglass.segmentation.interactive import Prompt, Session

    if image.time_axis is not None or len(image.shape) not in (2, 3):
        raise UnsupportedError(image.name, "moves", "Send a picture or a volume.")
    if not asked.foreground:
        raise InputError("foreground", "holds no point", "Click on the structure.")
    axis = slice_axis(image)
    session = Session(image, axis=axis)
    for positive, points in ((True, asked.foreground), (False, asked.background)):
        for point in points:
            session.apply(_prompt(point, image, axis, positive))
    if asked.model == "click_3d" and axis is not None:
        session.apply(Prompt("propagate"))
    try:
        named = mask_name(asked.label)
        term, side = named.term, named.side
    except GroundglassError:
        term, side = Term("structure", "99GROUNDGLASS", asked.label or "structure"), None
    finding = session.finding(term)
    return replace(finding, where=replace(finding.where, side=side))


def _prompt(point: Sequence[float], image: Image, axis: int | None, positive: bool) -> Any:
    """A click at a client's voxel, as (x, y) of its slice."""
    from groundglass.segmentation.interactive import Prompt

    count = len(image.shape)
    if len(point) < count:
        raise InputError("a point", f"has {len(point)} coordinates", "Give i, j, k in voxels.")
    voxel = list(point[:count])[::-1] if is_row_major(image) else list(point[:count])
    if not all(-0.5 <= v < n - 0.5 for v, n in zip(voxel, image.shape, strict=True)):
        raise InputError("a point", f"lies outside of the image {image.shape}", "Give i, j, k in voxels.")
    if axis is None:
        return Prompt("click", ((voxel[1], voxel[0]),), positive)
    rows, columns = (voxel[a] for a in range(3) if a != axis)
    return Prompt("click", ((columns, rows),), positive, round(voxel[axis]), axis)


def _numbered(findings: Sequence[Finding], image: Image, asked: Asked) -> tuple[NDArray[np.uint16], dict[str, int]]:
    """A label map, the smaller on top, and the number of each name in it."""
    table = label_table() if asked.fixed and asked.model == "read" else {}
    names: dict[str, int] = {}
    masks: list[tuple[int, Mask]] = []
    for finding in findings:
        if finding.where.mask is None or finding.where.mask.shape != image.shape or not has_mask(finding):
            continue
        side = f"{finding.where.side} " if finding.where.side in ("left", "right") else ""
        name = asked.label if asked.label and asked.model != "read" else f"{side}{finding.what.name}"
        number = names.get(name) or table.get(name) or max([len(table), *names.values()]) + 1
        names[name] = number
        masks.append((number, finding.where.mask))
    labels = np.zeros(image.shape, dtype=np.uint16)
    for number, mask in sorted(masks, key=lambda pair: -pair[1].voxel_count):
        labels[mask.box.slices][mask.crop] = number
    return labels, names


def _labels_of(sent: Sent, image: Image) -> NDArray[np.int64]:
    """The label map on the image's grid. Raises InputError where it is none."""
    if sent.is_raw:
        content = sent.path.read_bytes()
        count = int(np.prod(image.shape))
        kinds = {count: np.uint8, 2 * count: np.uint16}
        if len(content) not in kinds:
            raise InputError("the label", f"has {len(content)} bytes for {count} voxels", "Send one value per voxel.")
        # Slices of rows, as a viewer holds a series.
        shape = image.shape if is_row_major(image) else image.shape[::-1]
        flat = np.frombuffer(content, dtype=kinds[len(content)]).reshape(shape)
        return (flat if is_row_major(image) else flat.T).astype(np.int64)
    from groundglass.io import read_image

    held = read_image(sent.path)
    if np.prod(held.shape) > 4 * np.prod(image.shape):
        raise InputError("the label", f"is {held.shape}, far larger than the image", "Send it on the image's grid.")
    array = np.asarray(held.array[0])
    if array.dtype.kind == "f" and not (np.isfinite(array).all() and np.array_equal(array, np.round(array))):
        raise InputError("the label", "holds values that are not whole numbers", "Send a label map.")
    if array.size and not 0 <= array.min() <= array.max() <= _LARGEST_LABEL:
        raise InputError("the label", f"holds {array.min():g} to {array.max():g}", "Number labels from 1 on.")
    # NRRD and NIfTI are read in the client's own order already.
    return from_client_order(array, image).astype(np.int64)


def _write_nifti(array: NDArray[Any], affine: NDArray[np.float64], target: Path) -> None:
    import nibabel

    nifti = nibabel.Nifti1Image(array, affine)
    nifti.header.set_xyzt_units("mm")
    with atomic_path(target) as temporary:
        nibabel.save(nifti, temporary)


def _write_nrrd(array: NDArray[Any], affine: NDArray[np.float64], target: Path) -> None:
    """NRRD in LPS, not packed: browsers read it as it is."""
    import SimpleITK as sitk

    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.T))
    image.SetSpacing([float(s) for s in spacing])
    image.SetOrigin([float(v) for v in lps[:3, 3]])
    image.SetDirection([float(v) for v in (lps[:3, :3] / spacing).ravel()])
    with atomic_path(target) as temporary:
        sitk.WriteImage(image, str(temporary), False)
