"""The DICOM instances that an image was read from, ready to be referred to by objects made from it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import config
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.valuerep import DSfloat, validate_value

from groundglass import __version__
from groundglass.core.errors import GeometryError, InputError, UnsupportedError
from groundglass.core.image import Image
from groundglass.io.dicom_header import quiet, read_header
from groundglass.io.kinds import kind_of
from groundglass.io.uids import hashed_uid

SINGLE = ("PatientAge", "PatientSize", "PatientWeight", "StudyID", "AccessionNumber")
LONGEST = {"SH": 16, "LO": 64, "ST": 1024, "CS": 16}
CHECKED = {"AS", "CS", "DA", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM"}
MANUFACTURER = "groundglass"
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
# Patient, study and sample facts that objects in the same study must repeat, with the types of PS3.3 C.7.1/C.7.2.
TYPE_2 = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
    *("ReferringPhysicianName", "StudyID", "AccessionNumber"),
)


def equipment() -> dict[str, Any]:
    """Who makes the objects: the enhanced equipment facts, as highdicom's keyword arguments."""
    return {
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": MANUFACTURER,
        "software_versions": __version__,
        "device_serial_number": __version__,
    }


def is_dicom(image: Image) -> bool:
    """True when the image was read from DICOM files that are still there (the first one is looked at)."""
    first = Path(image.source[0]) if image.source else None
    return first is not None and first.is_file() and kind_of(first) == "dicom"


def source_instances(image: Image) -> list[Dataset]:
    """Headers of the files of `image.source` in slice order, mended so that objects copied from them conform.

    Raises InputError when the image was not read from DICOM files that are still there.
    """
    if not image.source:
        raise InputError(image.name, "was not read from DICOM files", "Write NIfTI instead.")
    instances = []
    for name in image.source:
        if not Path(name).is_file():
            raise InputError(name, "is no longer there, so nothing can refer to it", "Write NIfTI instead.")
        with quiet():
            instances.append(_mended(read_header(Path(name)).dataset, name))
    orientation = instances[0].get("ImageOrientationPatient")
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID"):
        # Some anonymisers empty them; what is written about one image must still agree on one study.
        fallback = hashed_uid(keyword, str(instances[0].SOPInstanceUID))
        for instance in instances:
            setattr(instance, keyword, instance.get(keyword) or instances[0].get(keyword) or fallback)
    if frame_positions(instances[0]) is not None:
        frame = instances[0].get("FrameOfReferenceUID") or hashed_uid("frame", str(instances[0].SeriesInstanceUID))
        for instance in instances:
            instance.FrameOfReferenceUID = frame
    for instance in instances[1:]:
        if orientation is not None and "ImageOrientationPatient" in instance:
            # The last digits differ between slices of some scanners; the reader accepted them as one orientation.
            instance.ImageOrientationPatient = orientation
    return instances


@contextmanager
def explained(name: str) -> Iterator[None]:
    """highdicom refuses sources of many kinds in many ways; the user gets one: UnsupportedError."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnsupportedError(
            name, f"is of a kind that a DICOM SEG or SR cannot refer to ({error})", "Write NIfTI and JSON instead."
        ) from error


def with_thickness(instances: Sequence[Dataset], image: Image) -> list[Dataset]:
    """The headers with a slice thickness, which objects made of them must state: the slice distance where none is."""
    thickness = DSfloat(image.spacing[0] if len(image.shape) == 3 else 1.0, auto_format=True)
    for instance in instances:
        groups = instance.get("SharedFunctionalGroupsSequence") or [instance]
        measures = (groups[0].get("PixelMeasuresSequence") or [instance])[0]
        if not measures.get("SliceThickness"):
            measures.SliceThickness = thickness
    return list(instances)


def frames_of(image: Image, instances: Sequence[Dataset]) -> NDArray[np.intp]:
    """For each slice of the image's array, the 0-based frame (of the file, or of the list of files) that it shows.

    Slices of a multi-frame file are found by position, because a reader sorts them.
    Raises GeometryError when a slice has no frame.
    """
    slices = image.shape[0] if len(image.shape) == 3 else 1
    if len(instances) > 1 or (slices == 1 and int(instances[0].get("NumberOfFrames", 1) or 1) == 1):
        if len(instances) != slices:
            raise GeometryError(image.name, f"has {slices} slices of {len(instances)} files", "Read the series again.")
        return np.arange(slices)
    positions = frame_positions(instances[0])
    if positions is None or not image.is_volume:
        count = int(instances[0].get("NumberOfFrames", 1) or 1)
        if count != slices:
            raise GeometryError(image.name, f"has {slices} slices of {count} frames", "Read the file again.")
        return np.arange(slices)
    first_axis = image.affine @ np.vstack([np.arange(slices), np.zeros((2, slices)), np.ones(slices)])
    gaps = np.linalg.norm(first_axis[:3].T[:, None] - positions[None], axis=-1)
    frames = gaps.argmin(axis=1)
    if gaps.min(axis=1).max() > 0.1 * image.spacing[0]:
        raise GeometryError(image.name, "its slices do not lie where the file's frames do", "Read the file again.")
    return frames


def frame_positions(dataset: Dataset) -> NDArray[np.float64] | None:
    """(frames, 3) RAS mm of the first pixel of each frame, None where the file does not say."""
    groups = dataset.get("PerFrameFunctionalGroupsSequence")
    shared = dataset.get("SharedFunctionalGroupsSequence") or [Dataset()]
    if not groups:
        place = dataset.get("ImagePositionPatient")
        return None if place is None else np.array([place], dtype=float) * (-1, -1, 1)
    places = []
    for group in groups:
        found = group.get("PlanePositionSequence") or shared[0].get("PlanePositionSequence")
        if not found or found[0].get("ImagePositionPatient") is None:
            return None
        places.append(found[0].ImagePositionPatient)
    return np.array(places, dtype=float) * (-1, -1, 1)


def _mended(dataset: Dataset, name: str) -> Dataset:
    """Add what every object needs, drop values that break their own rules, and share one plane orientation."""
    for keyword in ("SOPClassUID", "SOPInstanceUID"):
        if not dataset.get(keyword):
            meta = getattr(dataset, "file_meta", Dataset())
            setattr(dataset, keyword, meta.get(f"MediaStorage{keyword}"))
        if not dataset.get(keyword):
            raise InputError(name, f"has no {keyword}, so nothing can refer to it", "Write NIfTI instead.")
    for tag in list(dataset.keys()):
        _mend_value(dataset, tag)
    for keyword in TYPE_2:
        if keyword not in dataset:
            setattr(dataset, keyword, None)
    if dataset.PatientSex not in ("M", "F", "O", "", None):
        dataset.PatientSex = ""
    groups = dataset.get("PerFrameFunctionalGroupsSequence")
    if groups and dataset.get("SharedFunctionalGroupsSequence"):
        shared = dataset.SharedFunctionalGroupsSequence[0]
        if "PlaneOrientationSequence" not in shared and "PlaneOrientationSequence" in groups[0]:
            shared.PlaneOrientationSequence = copy.deepcopy(groups[0].PlaneOrientationSequence)
        if "PixelMeasuresSequence" not in shared and "PixelMeasuresSequence" in groups[0]:
            shared.PixelMeasuresSequence = copy.deepcopy(groups[0].PixelMeasuresSequence)
    return dataset


def _mend_value(dataset: Dataset, tag: BaseTag) -> None:
    """Shorten a text that is too long for its type; remove any other value that breaks the rules of its type."""
    try:
        element = dataset[tag]
        values = [v for v in (element.value if element.VM > 1 else [element.value]) if v is not None]
    except Exception:
        # pydicom raises many types on damaged values; no copy of one may enter a new object.
        del dataset[tag]
        return
    if element.VR == "SQ":
        broken = element.keyword.endswith("CodeSequence") and not _is_coded(element.value)
    else:
        broken = element.VM > 1 and element.keyword in SINGLE
    if element.VR in LONGEST and element.VM == 1 and len(str(element.value)) > LONGEST[element.VR]:
        element.value = str(element.value)[: LONGEST[element.VR]].strip()
        values = [element.value]
    if element.VR in CHECKED:
        try:
            for value in values:
                validate_value(element.VR, str(value), config.RAISE)
        except ValueError:
            broken = True
    if broken:
        del dataset[tag]


def _is_coded(items: Sequence[Dataset]) -> bool:
    return all(
        item.get("CodeMeaning") and any(item.get(k) for k in ("CodeValue", "LongCodeValue", "URNCodeValue"))
        for item in items
    )
