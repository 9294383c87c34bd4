"""Findings with masks as a DICOM Segmentation that refers to the images it was made on, and back."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from groundglass import __version__
from groundglass.core.errors import GeometryError, InputError, UnsupportedError
from groundglass.core.finding import Finding
from groundglass.core.image import Image
from groundglass.core.mask import Mask
from groundglass.core.term import Term
from groundglass.io.atomic import atomic_path
from groundglass.io.colour import segment_colour
from groundglass.io.dicom_codes import CATEGORIES, SIDES, concept, kind_of_term, private_scheme, shortened
from groundglass.io.dicom_source import (
    equipment,
    explained,
    frame_positions,
    frames_of,
    source_instances,
    with_thickness,
)
from groundglass.io.uids import hashed_uid, object_uid

if TYPE_CHECKING:
    from highdicom.seg import SegmentDescription

ARTIFICIAL_INTELLIGENCE = Term("123110", "DCM", "Artificial Intelligence")
SERIES_NUMBER = 9001
# Stacked masks of overlapping segments are held at once; a larger stack than this is refused.
MAX_STACK_BYTES = 3 << 30


def write_seg(findings: Sequence[Finding], image: Image, path: str | os.PathLike[str], *, identity: str = "") -> Path:
    """Write the masks of `findings` as one binary DICOM SEG on the frames of `image`, a segment per finding.

    `image` must come from DICOM: a single CR, DX, MG or slice, a series, or a multi-frame file; the SEG belongs to
    its study and frame of reference and names its instances. A projection image has no patient geometry: the
    segments then lie on its pixel matrix. What is segmented, its side, its place and the algorithm are coded;
    the tracking id is the finding's id. Findings without a mask, or with one of another image, are left out.
    Masks may overlap. Empty masks become segments without a frame. The same `identity` gives the same UIDs, so that an
    archive takes a second writing for the first.

    Raises InputError when the image is not from DICOM or no finding has a mask, GeometryError when a mask does not
    fit the grid or the overlapping masks need more memory than 3 GiB, UnsupportedError for sources that a SEG cannot
    refer to (frames without position, retired kinds).
    """
    from highdicom.seg import Segmentation

    masked = findings_on(findings, image)
    if not masked:
        raise InputError(path, "no finding has a mask on this image", "Write a SEG for a reading with masks.")
    instances = with_thickness(source_instances(image), image)
    if len(image.shape) == 3 and image.shape[0] > 1 and frame_positions(instances[0]) is None:
        raise UnsupportedError(image.name, "has frames without a place in the patient", "Write NIfTI instead.")
    planes, used = _planes(masked, image, instances)
    series = str(instances[0].SeriesInstanceUID)
    descriptions = [_description(n, finding, series) for n, finding in enumerate(masked, start=1)]
    is_private = any(f.what.scheme.startswith("99") for f in masked)
    with explained(image.name), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seg = Segmentation(
            source_images=[instances[i] for i in used],
            pixel_array=planes,
            segmentation_type="BINARY",
            segment_descriptions=descriptions,
            series_instance_uid=object_uid(identity, series, image.name, "SEG series"),
            series_number=SERIES_NUMBER,
            sop_instance_uid=object_uid(identity, series, image.name, "SEG"),
            instance_number=1,
            content_label="GROUNDGLASS",
            content_description="Segments of a groundglass reading (draft)",
            content_creator_name="groundglass^",
            series_description="groundglass segmentation (draft)",
            coding_schemes=[private_scheme()] if is_private else None,
            **equipment(),
        )
    if frame_positions(seg) is None:
        # Without patient geometry the directions of rows and columns are stated instead (PS3.3 C.7.6.1, type 2C).
        seg.PatientOrientation = instances[0].get("PatientOrientation")
        # The spacing at the detector is no spacing in the patient, and highdicom does not read back what it writes
        # here; the segment refers to the image pixel for pixel (Pixel Measures is then optional, PS3.3 A.51.5.1).
        seg.SharedFunctionalGroupsSequence[0].pop("PixelMeasuresSequence", None)
    with atomic_path(path) as temporary:
        seg.save_as(temporary)
    return Path(path)


def findings_on(findings: Sequence[Finding], image: Image) -> list[Finding]:
    """The findings that have a mask on this image, in segment order."""
    return [f for f in findings if f.where.mask is not None and f.where.image in (None, image.name)]


def tracking_uid(series_uid: str, finding: Finding) -> str:
    """The tracking UID of a finding: the same in SEG and SR."""
    return hashed_uid(series_uid, finding.id)


def _planes(
    findings: Sequence[Finding], image: Image, instances: Sequence[Dataset]
) -> tuple[NDArray[np.uint8], list[int]]:
    """Label map (or stacked masks where they overlap) per source frame, and the source files that it covers."""
    space = image.shape if len(image.shape) == 3 else (1, *image.shape)
    masks = [f.where.mask for f in findings if f.where.mask is not None]
    for finding, mask in zip(findings, masks, strict=True):
        if mask.shape != image.shape or not np.array_equal(mask.affine, image.affine):
            raise GeometryError(finding.id, f"its mask does not lie on the grid of {image.name}", "Resample it first.")
    frames = frames_of(image, instances)
    is_series = len(instances) > 1
    # Slices without any segment are left out of a series; a multi-frame file is always covered as a whole.
    hit = np.zeros(space[0], dtype=bool)
    for mask in masks:
        if not mask.is_empty:
            hit[mask.box.slices[0] if len(image.shape) == 3 else slice(None)] = True
    kept = np.flatnonzero(hit) if is_series and hit.any() else np.arange(space[0])
    count = len(kept) if is_series else int(instances[0].get("NumberOfFrames", 1) or 1)
    row_of = np.full(space[0], -1)
    row_of[kept] = np.arange(len(kept)) if is_series else frames
    overlap = _overlap(masks, space)
    if overlap and count * space[1] * space[2] * len(masks) > MAX_STACK_BYTES:
        raise GeometryError(image.name, f"{len(masks)} overlapping masks need too much memory", "Write fewer at once.")
    kind = np.uint8 if len(masks) < 256 else np.uint16
    planes = np.zeros(
        (count, *space[1:], len(masks)) if overlap else (count, *space[1:]), dtype=np.uint8 if overlap else kind
    )
    for n, mask in enumerate(masks):
        if mask.is_empty:
            continue
        crop = mask.crop if len(image.shape) == 3 else mask.crop[None]
        slices = mask.box.slices if len(image.shape) == 3 else (slice(0, 1), *mask.box.slices)
        for plane, z in zip(crop, range(space[0])[slices[0]], strict=True):
            if overlap:
                planes[(row_of[z], *slices[1:], n)] |= plane
            else:
                planes[(row_of[z], *slices[1:])][plane] = n + 1
    return planes, list(map(int, kept)) if is_series else [0]


def _overlap(masks: Sequence[Mask], space: tuple[int, ...]) -> bool:
    taken = np.zeros(space[-len(masks[0].shape) :], dtype=bool)
    for mask in masks:
        if mask.is_empty:
            continue
        if (taken[mask.box.slices] & mask.crop).any():
            return True
        taken[mask.box.slices] |= mask.crop
    return False


def _description(number: int, finding: Finding, series_uid: str) -> SegmentDescription:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentDescription

    maker = next((e for e in finding.evidence if e.source in ("model", "rule", "person")), None)
    manual = maker is not None and maker.source == "person"
    kind = kind_of_term(finding.what)
    algorithm = AlgorithmIdentificationSequence(
        name=shortened(maker.name if maker else "groundglass", 64),
        family=concept(ARTIFICIAL_INTELLIGENCE),
        version=shortened(maker.version if maker and maker.version else __version__, 64),
    )
    side = finding.where.side
    label = f"{side} {finding.what.name}" if side else finding.what.name
    item = SegmentDescription(
        segment_number=number,
        segment_label=shortened(label, 64),
        segmented_property_category=concept(CATEGORIES[kind]),
        segmented_property_type=concept(finding.what),
        algorithm_type="MANUAL" if manual else "AUTOMATIC",
        algorithm_identification=None if manual else algorithm,
        tracking_id=finding.id,
        tracking_uid=tracking_uid(series_uid, finding),
        anatomic_regions=_regions(finding),
        display_color=CIELabColor.from_rgb(*segment_colour(number)),
    )
    if side is not None:
        modifier: list[Any] = [concept(SIDES[side])]
        if "AnatomicRegionSequence" in item:
            item.AnatomicRegionSequence[0].AnatomicRegionModifierSequence = modifier
        else:
            item.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = modifier
    return item


def _regions(finding: Finding) -> list[Any] | None:
    anatomy = finding.where.anatomy
    return None if anatomy is None or anatomy == finding.what else [concept(anatomy)]
