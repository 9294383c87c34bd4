"""How an image was made, from its DICOM header."""

from __future__ import annotations

from typing import Any

from pydicom.sequence import Sequence as DicomSequence

from groundglass.core import Acquisition
from groundglass.io.dicom_frames import Frame

_NUMBERS = (
    "SliceThickness", "SpacingBetweenSlices", "EchoTime", "EffectiveEchoTime", "RepetitionTime", "InversionTime",
    "FlipAngle", "MagneticFieldStrength", "DiffusionBValue", "KVP", "ExposureTime", "XRayTubeCurrent", "Exposure",
    "DistanceSourceToDetector", "DistanceSourceToPatient", "EstimatedRadiographicMagnificationFactor", "FrameTime",
    "CineRate", "WindowCenter", "WindowWidth", "SeriesNumber", "GantryDetectorTilt", "EchoNumbers", "PatientWeight",
)  # fmt: skip
_TEXTS = (
    "Manufacturer", "ManufacturerModelName", "SeriesDescription", "StudyDescription", "ProtocolName", "SequenceName",
    "ScanningSequence", "SequenceVariant", "MRAcquisitionType", "ImageType", "FrameType", "ConvolutionKernel",
    "PatientPosition", "PatientOrientation", "PhotometricInterpretation", "PresentationLUTShape", "BurnedInAnnotation",
    "PatientSex", "PatientAge", "SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID",
    "RescaleType", "Units", "DecayCorrection", "LossyImageCompression", "VOILUTFunction", "PresentationIntentType",
    "AcquisitionContrast", "ComplexImageComponent",
)  # fmt: skip


def acquisition_of(frame: Frame) -> Acquisition:
    """Facts of the first frame; None or absent where the file does not say."""
    facts: dict[str, Any] = {}
    for keyword in _NUMBERS:
        values = frame.numbers(keyword)
        if values is not None:
            facts[keyword] = values[0] if len(values) == 1 else list(values)
    for keyword in _TEXTS:
        if text := frame.text(keyword):
            facts[keyword] = text.split("\\") if "\\" in text else text
    return Acquisition(
        body_part=(frame.text("BodyPartExamined") or _coded(frame, "AnatomicRegionSequence")).lower() or None,
        view=frame.text("ViewPosition").upper() or _coded(frame, "ViewCodeSequence").lower() or None,
        laterality=_side(frame),
        contrast=frame.text("ContrastBolusAgent") or _coded(frame, "ContrastBolusAgentSequence") or None,
        description=frame.text("SeriesDescription") or frame.text("StudyDescription") or None,
        date=_date(frame),
        facts=facts,
    )


def _coded(frame: Frame, keyword: str) -> str:
    """The meaning of the first code in a code sequence, "" without one."""
    items = frame.value(keyword)
    if not isinstance(items, DicomSequence) or not len(items):
        return ""
    return Frame(frame.header, 0, (items[0],)).text("CodeMeaning")


def _side(frame: Frame) -> str | None:
    letter = (frame.text("ImageLaterality") or frame.text("Laterality") or frame.text("FrameLaterality")).upper()
    return {"L": "left", "R": "right", "B": "bilateral"}.get(letter)


def _date(frame: Frame) -> str | None:
    """ISO date of the acquisition, series or study."""
    for keyword in ("AcquisitionDate", "SeriesDate", "ContentDate", "StudyDate"):
        text = frame.text(keyword).replace("-", "").replace(".", "")
        if len(text) >= 8 and text[:8].isdigit():
            return f"{text[:4]}-{text[4:6]}-{text[6:8]}"
    return None
