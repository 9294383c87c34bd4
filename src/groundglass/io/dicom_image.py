"""DICOM files to images: geometry, values, facts and what is doubtful about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import GroundglassError, Image, InputError, UnsupportedError
from groundglass.io.dicom_acquisition import acquisition_of
from groundglass.io.dicom_frames import Frame
from groundglass.io.dicom_geometry import Geometry, plane_geometry, stack_geometry
from groundglass.io.dicom_header import Header, quiet, tag_of
from groundglass.io.dicom_layout import Layout, check_size, layout_of
from groundglass.io.dicom_series import Stack, stacks_of
from groundglass.io.dicom_spacing import pixel_spacing
from groundglass.io.dicom_values import Scale, channels_of, load_frames, scale_of
from groundglass.io.suv import uptake

_NOT_IMAGES = {
    "SR": "a structured report", "RTSTRUCT": "a set of contours", "RTPLAN": "a treatment plan",
    "PR": "a presentation state", "KO": "a selection of key objects", "DOC": "a document",
    "ANN": "a set of annotations", "REG": "a registration", "SEG": "a segmentation",
    "RTRECORD": "a treatment record", "ECG": "a waveform", "FID": "a set of fiducials",
}  # fmt: skip
_LAYOUT_TAGS = tuple(
    tag_of(keyword)
    for keyword in (
        "Modality", "SOPClassUID", "Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "BitsStored",
        "NumberOfFrames", "PixelRepresentation", "PlanarConfiguration", "PhotometricInterpretation",
    )
)  # fmt: skip
_RESCALE_TAGS = tuple(tag_of(k) for k in ("RescaleSlope", "RescaleIntercept", "DoseGridScaling", "Modality"))
_ENCAPSULATED = {"1.2.840.10008.5.1.4.1.1.104.1": "an encapsulated PDF"}


def check_image(header: Header) -> Layout:
    """The layout of a file's pixels. Raises UnsupportedError for objects that are no images, else as `layout_of`."""
    frame = Frame(header, 0, (header.dataset,))
    modality, sop_class = frame.text("Modality").upper(), frame.text("SOPClassUID")
    if sop_class.startswith("1.2.840.10008.5.1.4.1.1.104"):
        what = _ENCAPSULATED.get(sop_class, "an encapsulated document")
        raise UnsupportedError(header.label, f"is {what}, not an image", "Pass the images of the study.")
    if modality in _NOT_IMAGES:
        remedy = "Pass it as a mask." if modality == "SEG" else "Pass the images that it belongs to."
        raise UnsupportedError(header.label, f"is {_NOT_IMAGES[modality]} ({modality}), not an image", remedy)
    return layout_of(header)


def images_of(headers: Iterable[Header], problems: list[GroundglassError]) -> list[Image]:
    """The images that DICOM files make. What is no image or damaged is added to `problems` and skipped."""
    layouts: dict[Header, Layout] = {}
    known: dict[tuple[Any, ...], Layout] = {}
    for header in headers:
        try:
            # A series says the same in hundreds of files: it is decoded once.
            key = (header.key(_LAYOUT_TAGS), header.transfer_syntax, header.pixels_keyword)
            if key not in known:
                known[key] = check_image(header)
            check_size(header, known[key])
            layouts[header] = known[key]
        except GroundglassError as error:
            problems.append(error)
    images = []
    for stack in stacks_of(layouts):
        try:
            images.append(image_of(stack, {f.header: layouts[f.header] for f in stack.frames}))
        except GroundglassError as error:
            problems.append(error)
    return images


def image_of(stack: Stack, layouts: dict[Header, Layout]) -> Image:
    """One image of a sorted stack; its pixels are read when they are first asked for."""
    first = stack.frames[0]
    layout = layouts[first.header]
    spacing, spacing_warnings = pixel_spacing(first)
    geometry = _geometry(stack, spacing)
    modality = first.text("Modality").upper() or "OT"
    factor, units, unit_warnings = uptake(stack.frames)
    scales = _scales(stack.frames, factor)
    if modality == "CT" and first.text("RescaleType").upper() in ("", "HU"):
        units = "[hnsf'U]"
    plane = (layout.rows, layout.columns)
    time_axis, shape = _shape(stack, plane)
    name = first.header.label
    return Image(
        name=name,
        shape=shape,
        affine=geometry.affine,
        load=_loader(stack.frames, layouts, scales, (channels_of(layout), *shape), name),
        modality=modality,
        channels=channels_of(layout),
        units=units,
        spacing_known=geometry.spacing_known,
        orientation_known=geometry.orientation_known,
        time_axis=time_axis,
        acquisition=acquisition_of(first),
        source=tuple(dict.fromkeys(frame.header.label for frame in stack.frames)),
        warnings=(*stack.warnings, *geometry.warnings, *spacing_warnings, *unit_warnings),
    )


def _scales(frames: Sequence[Frame], factor: float) -> list[Scale]:
    known: dict[tuple[Any, ...], Scale] = {}
    scales = []
    for frame in frames:
        # A frame of functional groups has its own rescale.
        key = frame.header.key(_RESCALE_TAGS) if len(frame.datasets) == 1 else (frame,)
        if key not in known:
            known[key] = scale_of(frame, factor)
        scales.append(known[key])
    return scales


def _geometry(stack: Stack, spacing: tuple[float, float] | None) -> Geometry:
    if not stack.is_volume and len(stack.frames) > 1 and not _is_loop(stack.frames[0]):
        return _placeless(stack.frames[0], spacing)
    if not stack.is_volume:
        return plane_geometry(stack.frames[0], spacing)
    geometry = stack_geometry(stack.phases[0], spacing or (1.0, 1.0))
    if spacing is None:
        return Geometry(geometry.affine, False, True, (*geometry.warnings, "no pixel spacing: lengths mean pixels"))
    return geometry


def _is_loop(frame: Frame) -> bool:
    """True where frames without a place follow each other in time rather than in depth."""
    timed = frame.number("FrameTime") or frame.number("CineRate") or frame.number("RecommendedDisplayFrameRate")
    return bool(timed) or frame.text("Modality") not in ("CT", "MR", "PT")


def _placeless(frame: Frame, spacing: tuple[float, float] | None) -> Geometry:
    """Slices whose file gives them no place: a stack in stored order, in no known direction."""
    step = frame.number("SpacingBetweenSlices") or frame.number("SliceThickness")
    known = spacing is not None and step is not None and step > 0
    rows, columns = spacing or (1.0, 1.0)
    affine = np.diag([step if step and step > 0 else 1.0, rows, columns, 1.0])
    remark = "the file gives its slices no position: their order and direction are not known"
    return Geometry(affine, spacing_known=known, orientation_known=False, warnings=(remark,))


def _shape(stack: Stack, plane: tuple[int, int]) -> tuple[int | None, tuple[int, ...]]:
    """(time axis, spatial shape): frames without a place follow each other in time."""
    if stack.is_volume:
        slices = len(stack.phases[0])
        return (None, (slices, *plane)) if len(stack.phases) == 1 else (0, (len(stack.phases), slices, *plane))
    count = len(stack.phases[0])
    if count == 1:
        return None, plane
    return (0 if _is_loop(stack.frames[0]) else None), (count, *plane)


def _loader(
    frames: Sequence[Frame], layouts: dict[Header, Layout], scales: Sequence[Scale], shape: tuple[int, ...], name: str
) -> Callable[[], NDArray[Any]]:
    def load() -> NDArray[Any]:
        try:
            with quiet():
                return load_frames(frames, layouts, scales, name).reshape(shape)
        except (MemoryError, OSError) as error:
            raise InputError(
                name, f"its pixels cannot be read ({error})", "Check the file and the free memory."
            ) from error

    return load


def study_facts(headers: Sequence[Header]) -> dict[str, list[str]]:
    """The distinct patient ids, study uids and dates of files, in the order met."""
    facts: dict[str, list[str]] = {}
    for keyword in ("PatientID", "StudyInstanceUID", "StudyDate"):
        tag = tag_of(keyword)
        distinct = {header.key((tag,)): header for header in reversed(headers)}
        values = (Frame(h, 0, (h.dataset,)).text(keyword) for h in reversed(distinct.values()))
        facts[keyword] = [v for v in dict.fromkeys(values) if v]
    return facts
