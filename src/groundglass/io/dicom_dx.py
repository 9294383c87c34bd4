"""A simulated radiograph as DICOM "Digital X-Ray Image - for presentation", marked as derived and not of a patient."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundglass import __version__
from groundglass.core.errors import InputError
from groundglass.io.atomic import atomic_path
from groundglass.io.dicom_source import MANUFACTURER
from groundglass.io.uids import hashed_uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

DX = "1.2.840.10008.5.1.4.1.1.1.1"
# View -> SNOMED code and meaning (PS3.16 CID 4010), view position, and where columns and rows lead.
VIEWS: Mapping[str, tuple[str, str, str, tuple[str, str]]] = {
    "PA": ("272479007", "postero-anterior", "PA", ("L", "F")),
    "AP": ("399348003", "antero-posterior", "AP", ("L", "F")),
    "LAT": ("399173006", "left lateral", "LL", ("P", "F")),
    "RLAT": ("399198007", "right lateral", "RL", ("A", "F")),
}
# Nobody was exposed at this time; a fixed one keeps the same film the same file.
DATE, TIME = "20260101", "120000"


@dataclass(frozen=True, slots=True)
class SimulatedFilm:
    """What the file says of a simulated film.

    `description` begins the study's name after the word SIMULATED, `derivation` says how the picture was computed.
    `view`: PA, AP, LAT (left lateral), RLAT; any other is written without a view code. `pixel_mm` at the detector.
    `seed`: words that make the UIDs; the same words and picture give the same file.
    """

    description: str
    derivation: str
    view: str
    pixel_mm: float
    seed: tuple[str, ...]
    model: str


def write_simulated_dx(picture: NDArray[np.floating[Any]], film: SimulatedFilm, path: str | os.PathLike[str]) -> Path:
    """Write (rows, columns) in [0, 1], bone bright, as 12-bit DX; the path. Raises InputError for another array."""
    if picture.ndim != 2 or not np.isfinite(picture).all() or picture.min() < 0 or picture.max() > 1:
        raise InputError("picture", "is not a flat image between 0 and 1", "Window it first.")
    with atomic_path(path) as temporary:
        _dataset(picture, film).save_as(temporary, enforce_file_format=True)
    return Path(path)


def _dataset(picture: NDArray[np.floating[Any]], film: SimulatedFilm) -> FileDataset:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(DX)
    meta.MediaStorageSOPInstanceUID = UID(hashed_uid(*film.seed, "instance"))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID, data.SOPInstanceUID = DX, meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = hashed_uid(*film.seed, "Study"), hashed_uid(*film.seed, "Series")
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = "Simulated^Phantom", "SIMULATED", "", "O"
    data.StudyDate = data.SeriesDate = data.AcquisitionDate = data.ContentDate = data.InstanceCreationDate = DATE
    data.StudyTime = data.SeriesTime = data.AcquisitionTime = data.ContentTime = data.InstanceCreationTime = TIME
    data.StudyID, data.AccessionNumber, data.ReferringPhysicianName = "1", "", ""
    data.StudyDescription = f"SIMULATED {film.description}"[:64]
    data.SeriesDescription, data.SeriesNumber, data.InstanceNumber = f"Simulated {film.view} chest"[:64], 1, 1
    data.ImageComments = f"SIMULATED {film.description}"
    data.Modality, data.Manufacturer, data.ManufacturerModelName = "DX", MANUFACTURER, film.model
    data.SoftwareVersions = __version__
    data.PresentationIntentType, data.ImageType = "FOR PRESENTATION", ["DERIVED", "PRIMARY", ""]
    data.DerivationDescription = film.derivation
    data.BurnedInAnnotation, data.LossyImageCompression, data.ImageLaterality = "NO", "00", "U"
    data.AcquisitionContextSequence = []
    _place(data, film)
    _pixels(data, picture)
    return data


def _place(data: Dataset, film: SimulatedFilm) -> None:
    code, meaning, position, orientation = VIEWS.get(film.view, ("", "", "", ()))
    data.BodyPartExamined, data.PatientOrientation = "CHEST", list(orientation)
    data.AnatomicRegionSequence = [_code("51185008", "Chest")]
    data.ViewCodeSequence = []
    if code:
        data.ViewPosition = position
        view = _code(code, meaning)
        view.ViewModifierCodeSequence = []
        data.ViewCodeSequence = [view]
    data.ImagerPixelSpacing = [round(film.pixel_mm, 6)] * 2
    data.PixelSpacing = data.ImagerPixelSpacing
    data.DetectorType, data.PositionerType = "DIRECT", "NONE"


def _pixels(data: Dataset, picture: NDArray[np.floating[Any]]) -> None:
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = picture.shape
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelIntensityRelationship, data.PixelIntensityRelationshipSign = "LOG", 1
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = 0, 1, "US"
    data.PresentationLUTShape = "IDENTITY"
    data.WindowCenter, data.WindowWidth = 2048, 4096
    data.PixelData = np.round(picture * 4095).astype("<u2").tobytes()
    data["PixelData"].VR = "OW"


def _code(value: str, meaning: str) -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item
