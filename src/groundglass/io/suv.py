"""Activity concentration to SUV by body weight (SUVbw, g/mL)."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.sequence import Sequence as DicomSequence
from pydicom.valuerep import DT, TM

from groundglass.io.dicom_frames import Frame

SUV = "g/mL{SUVbw}"


def uptake(frames: Sequence[Frame]) -> tuple[float, str, list[str]]:
    """(factor, unit, warnings): what rescaled PET values are multiplied with. (1, "", []) for other modalities."""
    first = frames[0]
    if first.text("Modality").upper() != "PT":
        return 1.0, "", []
    return 1.0, "", ["PET values are left in the file's unit"]
