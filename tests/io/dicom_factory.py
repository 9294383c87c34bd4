"""Small synthetic DICOM files for tests of the readers. Not patient data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SERIES = generate_uid()
STUDY = generate_uid()
AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def slice_of(pixels: NDArray[Any], position: tuple[float, float, float] | None, **values: Any) -> FileDataset:
    """A CT slice of stored `pixels` at an LPS position; `values` are further elements, None takes one away."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    made.SeriesInstanceUID, made.StudyInstanceUID, made.Modality = SERIES, STUDY, "CT"
    made.PatientID, made.StudyDate = "P1", "20260102"
    if position is not None:
        made.ImagePositionPatient, made.ImageOrientationPatient = list(position), AXIAL
    made.PixelSpacing, made.SliceThickness = [0.5, 0.75], 2.0
    made.RescaleSlope, made.RescaleIntercept = 1, -1024
    made.Rows, made.Columns = pixels.shape[-2:] if pixels.ndim < 4 else pixels.shape[-3:-1]
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = pixels.dtype.itemsize * 8
    made.HighBit, made.PixelRepresentation = made.BitsStored - 1, int(pixels.dtype.kind == "i")
    made.PixelData = pixels.tobytes()
    for keyword, value in values.items():
        if value is None:
            made.pop(keyword, None)
        else:
            setattr(made, keyword, value)
    return made


def write_series(folder: Path, positions: list[tuple[float, float, float]], **values: Any) -> list[NDArray[np.int16]]:
    """One file per position, named and numbered in a shuffled order; the stored pixels, in the order given."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(3)
    names = rng.permutation(len(positions))
    stored = []
    for index, position in enumerate(positions):
        pixels = rng.integers(0, 3000, (6, 5)).astype(np.int16)
        stored.append(pixels)
        made = slice_of(pixels, position, **{"InstanceNumber": int(names[index]) + 1, **values})
        made.save_as(folder / f"{names[index]:04d}.dcm", enforce_file_format=True)
    return stored
