"""DICOM studies for tests of the node: pictures that the installation brings, written as CR, MR and CT series."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

CR_STORAGE = "1.2.840.10008.5.1.4.1.1.1"
CLASSES = {"CR": CR_STORAGE, "CT": CTImageStorage, "MR": MRImageStorage}


def write_study(folder: Path, slices: NDArray[Any], modality: str, **values: Any) -> list[Path]:
    """(slice, row, column) as one axial series, a file per slice; a CR is one slice. `values` are further elements."""
    folder.mkdir(parents=True, exist_ok=True)
    study, series, frame = (generate_uid() for _ in range(3))
    spacing = values.pop("spacing", (1.0, 1.0, 1.0))
    files = []
    for number, pixels in enumerate(slices):
        made = Dataset()
        made.file_meta = FileMetaDataset()
        made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = CLASSES[modality]
        made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = generate_uid()
        made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        made.StudyInstanceUID, made.SeriesInstanceUID, made.Modality = study, series, modality
        made.PatientName, made.PatientID, made.PatientBirthDate, made.PatientSex = "Doe^Jane", "PHI-7", "19700101", "F"
        made.StudyDate, made.StudyTime, made.StudyID, made.AccessionNumber = "20260301", "101500", "1", "A1"
        made.ReferringPhysicianName, made.Manufacturer = "", "test"
        made.SeriesNumber, made.InstanceNumber = 1, number + 1
        made.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
        made.Rows, made.Columns = pixels.shape
        made.BitsAllocated = made.BitsStored = 16
        made.HighBit, made.PixelRepresentation = 15, int(pixels.dtype == np.int16)
        made.PixelSpacing = list(spacing[1:])
        if modality == "CR":
            made.ImagerPixelSpacing, made.PatientOrientation = made.PixelSpacing, ["L", "F"]
            made.BodyPartExamined, made.ViewPosition = "CHEST", "PA"
        else:
            made.FrameOfReferenceUID, made.PositionReferenceIndicator = frame, ""
            made.ImageOrientationPatient, made.SliceThickness = [1, 0, 0, 0, 1, 0], spacing[0]
            made.ImagePositionPatient = [0, 0, number * spacing[0]]
        if modality == "CT":
            made.RescaleIntercept, made.RescaleSlope = 0, 1
        if modality == "MR":
            made.ScanningSequence, made.SequenceVariant, made.MRAcquisitionType = "GR", "MP", "3D"
            made.EchoTime, made.RepetitionTime, made.EchoTrainLength = 3, 2000, 1
        for keyword, value in values.items():
            setattr(made, keyword, value)
        made.PixelData = np.ascontiguousarray(pixels).tobytes()
        files.append(folder / f"{number:04d}.dcm")
        made.save_as(files[-1], enforce_file_format=True)
    return files


def chest_radiograph(folder: Path, **values: Any) -> list[Path]:
    """The installation's simulated chest radiograph as a CR."""
    import tempfile

    from groundglass.io import read_image
    from groundglass.synthesis import write_sample_radiograph

    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "chest.png"
        write_sample_radiograph(path)
        picture = np.asarray(read_image(path).array[0], dtype=np.float64)
    pixels = (picture / picture.max() * 4000).astype(np.uint16)
    return write_study(folder, pixels[None], "CR", spacing=(1.0, 0.8, 0.8), **values)


def head_mr(folder: Path, *, step: int = 2, **values: Any) -> list[Path]:
    """The MNI152 T1 template as an MR series of every `step`-th voxel."""
    from groundglass.measurement import mni152_template

    template = mni152_template()
    picture = np.asarray(template.t1, dtype=np.float64).squeeze()
    # The template's axes run to the right, front and top; DICOM's rows run to the back, its columns to the left.
    slices = np.flip(picture, (0, 1)).transpose(2, 1, 0)[::step, ::step, ::step]
    pixels = (slices / slices.max() * 1000).astype(np.uint16)
    size = float(np.abs(np.diag(template.affine)[:3]).mean()) * step
    return write_study(folder, pixels, "MR", spacing=(size, size, size), BodyPartExamined="HEAD", **values)


def small_body(seed: int) -> NDArray[np.int16]:
    """(slice, row, column) HU: air around an ellipse of fat and muscle with a bone in it. A phantom."""
    _z, y, x = np.indices((8, 64, 64)).astype(float)
    inside = ((y - 32) / 24) ** 2 + ((x - 32) / 28) ** 2
    hu = np.where(inside < 1, np.where(inside < 0.7, 45.0, -100.0), -1000.0)
    hu[((y - 46) / 5) ** 2 + ((x - 32) / 5) ** 2 < 1] = 500.0
    return (hu + np.random.default_rng(seed).normal(0, 8, hu.shape)).astype(np.int16)


def body_ct(folder: Path, seed: int) -> list[Path]:
    """The phantom as a CT series; another `seed` gives other noise."""
    return write_study(folder, small_body(seed), "CT", spacing=(5.0, 5.0, 5.0), BodyPartExamined="ABDOMEN")
