"""The sample radiograph that the installation itself makes: a phantom, written as DICOM DX and labelled as
simulated."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from groundglass.synthesis.thorax import PhantomRadiograph, PlantedFinding, random_radiograph

DX = "1.2.840.10008.5.1.4.1.1.1.1"
SEED, SIZE = 16, 512


def sample_radiograph(seed: int = SEED) -> PhantomRadiograph:
    """A PA phantom with an enlarged heart and a small left effusion."""
    findings = (PlantedFinding("cardiomegaly"), PlantedFinding("effusion", "left", extent=0.12))
    return random_radiograph(np.random.default_rng(seed), size=SIZE, findings=findings, view="PA")


def write_sample_radiograph(path: Path, *, seed: int = SEED) -> Path:
    """Write the sample to `path` as a DICOM "Digital X-Ray Image - for presentation"; the path."""
    from groundglass.io.atomic import atomic_path

    dataset = _dataset(sample_radiograph(seed), seed)
    with atomic_path(path) as temporary:
        dataset.save_as(temporary, enforce_file_format=True)
    return path


def _dataset(phantom: PhantomRadiograph, seed: int):  # type: ignore[no-untyped-def]
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DX
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["groundglass sample", str(seed), "instance"])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID, data.SOPInstanceUID = DX, meta.MediaStorageSOPInstanceUID
    for level in ("Study", "Series"):
        setattr(data, f"{level}InstanceUID", generate_uid(entropy_srcs=["groundglass sample", str(seed), level]))
    data.PatientName, data.PatientID = "Simulated^Phantom", "SIMULATED"
    data.PatientBirthDate, data.PatientSex, data.PatientOrientation = "", "O", ["L", "F"]
    data.StudyDate = data.SeriesDate = data.AcquisitionDate = data.ContentDate = "20260101"
    data.StudyTime = data.SeriesTime = data.AcquisitionTime = data.ContentTime = "120000"
    data.StudyID, data.AccessionNumber, data.ReferringPhysicianName = "1", "", ""
    data.StudyDescription = "SIMULATED chest radiograph of a computed phantom, not a patient"
    data.SeriesDescription, data.SeriesNumber, data.InstanceNumber = "Simulated PA chest", 1, 1
    data.ImageComments = data.StudyDescription
    data.Modality, data.Manufacturer, data.ManufacturerModelName = "DX", "groundglass", "procedural thorax"
    data.SoftwareVersions = "1"
    data.PresentationIntentType = "FOR PRESENTATION"
    data.ImageType = ["DERIVED", "PRIMARY", ""]
    data.DerivationDescription = "Computed by projection of a procedural thorax phantom"
    data.BurnedInAnnotation, data.LossyImageCompression, data.ImageLaterality = "NO", "00", "U"
    data.BodyPartExamined, data.ViewPosition, data.PatientOrientation = "CHEST", "PA", ["L", "F"]
    data.AnatomicRegionSequence = [_code("51185008", "SCT", "Chest")]
    data.AcquisitionContextSequence = []
    view = _code("399348003", "SCT", "postero-anterior")
    view.ViewModifierCodeSequence = []
    data.ViewCodeSequence = [view]
    data.ImagerPixelSpacing = [round(phantom.pixel_mm, 6)] * 2
    data.PixelSpacing = data.ImagerPixelSpacing
    data.DetectorType, data.PositionerType = "DIRECT", "NONE"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = phantom.image.shape
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelIntensityRelationship, data.PixelIntensityRelationshipSign = "LOG", 1
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = 0, 1, "US"
    data.PresentationLUTShape = "IDENTITY"
    data.WindowCenter, data.WindowWidth = 2048, 4096
    data.InstanceCreationDate, data.InstanceCreationTime = "20260101", "120000"
    pixels = np.round(np.clip(phantom.image, 0, 1) * 4095).astype("<u2")
    data.PixelData = pixels.tobytes()
    data["PixelData"].VR = "OW"
    return data


def _code(value: str, scheme: str, meaning: str):  # type: ignore[no-untyped-def]
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item
