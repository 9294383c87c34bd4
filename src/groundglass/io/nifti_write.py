"""Masks and label maps as NIfTI files in the grid of the image that they were made on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core.errors import GeometryError, InputError
from groundglass.core.finding import Finding
from groundglass.core.image import Image
from groundglass.core.mask import Mask
from groundglass.io.atomic import atomic_path, write_json_atomic
from groundglass.io.colour import segment_colour

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

# NIfTI-1 stores each extent as int16; NIfTI-2 as int64 (and its affine as float64).
NIFTI1_MAX_EXTENT = 32767
SCANNER, ALIGNED = 1, 2
GEOMETRY_FIELDS = (
    *("qform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    *("sform_code", "srow_x", "srow_y", "srow_z"),
)


def write_nifti(mask: Mask | NDArray[Any], image: Image, path: str | os.PathLike[str]) -> Path:
    """Write a mask (as uint8), a label array or a map on the grid of `image` to `path` (.nii or .nii.gz).

    The array keeps the axis order of `image`, whose affine maps that order to RAS+ mm: a mask of a DICOM series
    is stored (slice, row, column), one of a flat image (row, column, 1). A moving image takes a mask of one frame,
    or of all frames; then time becomes the fourth NIfTI axis.
    Read back with nibabel, the affine is that of `image` bit for bit where it came from a NIfTI file; from other
    sources it is `image.affine` rounded to float32, which is all that the NIfTI-1 header holds.

    Booleans are written as uint8, integers in the smallest type that holds them, floats as float32.
    Raises GeometryError when the array does not fit the grid, InputError for another file ending.
    """
    import nibabel

    path = Path(path)
    if not path.name.endswith((".nii", ".nii.gz")):
        raise InputError(path, "is not a NIfTI name", "End it in .nii or .nii.gz.")
    array = _on_grid(mask.array if isinstance(mask, Mask) else np.asarray(mask), image)
    if isinstance(mask, Mask) and not np.array_equal(mask.affine, image.affine):
        raise GeometryError(image.name, "the mask has another affine than the image", "Resample the mask to the image.")
    array = _stored(array)
    large = max(array.shape) > NIFTI1_MAX_EXTENT
    header = (nibabel.Nifti2Header if large else nibabel.Nifti1Header)()
    header.set_data_shape(array.shape)
    header.set_data_dtype(array.dtype)
    _set_geometry(header, image)
    # Without an affine of its own the image object leaves the header's geometry as it is, to the bit.
    nifti = (nibabel.Nifti2Image if large else nibabel.Nifti1Image)(array, None, header)
    with atomic_path(path) as temporary:
        nibabel.save(nifti, temporary)
    return path


def write_labels(findings: Sequence[Finding], image: Image, path: str | os.PathLike[str]) -> Path:
    """Write all masks of `findings` as one label map, with a JSON file of the same stem that names the labels.

    Label n is the n-th finding that has a mask, in order. Where masks overlap the smaller one is on top, so that
    a lesion is not hidden by its organ; the side file says how many voxels each mask has and how many show.
    Raises GeometryError when a mask does not fit the grid, InputError when no finding has a mask.
    """
    masked = [(f, f.where.mask) for f in findings if f.where.mask is not None]
    if not masked:
        raise InputError(path, "no finding has a mask, so there is no label map", "Write it for a reading with masks.")
    labels = np.zeros(masked[0][1].shape, dtype=np.uint8 if len(masked) < 256 else np.uint16)
    largest_first = sorted(range(len(masked)), key=lambda n: -masked[n][1].voxel_count)
    for n in largest_first:
        mask = masked[n][1]
        if mask.shape != labels.shape:
            raise GeometryError(
                masked[n][0].id, f"its mask is {mask.shape}, others are {labels.shape}", "Use one grid."
            )
        if not mask.is_empty:
            labels[mask.box.slices][mask.crop] = n + 1
    visible = np.bincount(labels.ravel(), minlength=len(masked) + 1)
    path = write_nifti(labels, image, path)
    rows = [
        {
            "value": n,
            "finding": finding.id,
            "name": finding.what.name,
            "code": finding.what.code,
            "scheme": finding.what.scheme,
            "anatomy": finding.where.anatomy.name if finding.where.anatomy else None,
            "side": finding.where.side,
            "colour": list(segment_colour(n)),
            "voxels": mask.voxel_count,
            "visible_voxels": int(visible[n]),
        }
        for n, (finding, mask) in enumerate(masked, start=1)
    ]
    side_file = path.with_name(path.name.removesuffix(".gz").removesuffix(".nii") + ".json")
    write_json_atomic(side_file, {"image": image.name, "labels": rows})
    return path


def _on_grid(array: NDArray[Any], image: Image) -> NDArray[Any]:
    """Check the array against the grid; time, where there is one, goes last."""
    space = tuple(n for axis, n in enumerate(image.shape) if axis != image.time_axis)
    if image.time_axis is not None and array.shape == image.shape:
        array = np.moveaxis(array, image.time_axis, -1)
    elif array.shape != space:
        raise GeometryError(
            image.name, f"the array is {array.shape}, the image grid {space}", "Write it on its own grid."
        )
    # A flat image is one slice of a volume: viewers place it by its 3D affine.
    return array.reshape(*space, *(1,) * (3 - len(space)), *array.shape[len(space) :])


def _stored(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype == bool:
        return array.astype(np.uint8)
    if np.issubdtype(array.dtype, np.floating):
        return array.astype(np.float32)
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    for kind in (np.uint8, np.int16, np.uint16, np.int32):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return array.astype(kind)
    raise InputError("label array", f"holds {low}..{high}, which no label map needs", "Renumber the labels.")


def _set_geometry(header: Nifti1Header, image: Image) -> None:
    """The header's form codes: those of the source where it is NIfTI, else sform, and qform where it is exact."""
    source = _source_header(image)
    if source is not None and np.array_equal(source.get_best_affine(), image.affine):
        for key in GEOMETRY_FIELDS:
            header[key] = source[key]
        header["pixdim"][:4] = source["pixdim"][:4]
        header.set_xyzt_units(*source.get_xyzt_units())
        return
    code = SCANNER if image.orientation_known else ALIGNED
    header.set_sform(image.affine, code=code)
    header.set_qform(image.affine, code=code)
    corners = np.array(np.meshgrid(*[(0, n) for n in header.get_data_shape()[:3]])).reshape(3, -1)
    gap = (header.get_qform() - image.affine) @ np.vstack([corners, np.ones(corners.shape[1])])
    # A quaternion holds no shear: an inexact qform would contradict the sform in readers that prefer it.
    if np.abs(gap).max() > 1e-3 * np.linalg.norm(image.affine[:3, :3], axis=0).min():
        header["qform_code"] = 0
    header.set_xyzt_units(xyz="mm" if image.spacing_known else "unknown")


def _source_header(image: Image) -> Nifti1Header | None:
    """The NIfTI header that the image came from, if it did."""
    import nibabel

    if len(image.source) != 1 or not image.source[0].endswith((".nii", ".nii.gz")):
        return None
    try:
        loaded = nibabel.load(image.source[0])
    except (OSError, nibabel.filebasedimages.ImageFileError):
        return None
    return loaded.header if isinstance(loaded, nibabel.Nifti1Image) else None
