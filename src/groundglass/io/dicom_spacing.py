"""Which of DICOM's several pixel spacings holds in the patient, and how sure that is."""

from __future__ import annotations

from pydicom.sequence import Sequence as DicomSequence

from groundglass.io.dicom_frames import Frame

PROJECTIONS = ("CR", "DX", "MG", "RF", "XA", "IO", "PX", "RG")


def pixel_spacing(frame: Frame) -> tuple[tuple[float, float] | None, list[str]]:
    """(mm between rows, mm between columns) or None where the file does not say, with warnings.

    PixelSpacing holds in the patient for slices; in projections it may be the detector's spacing unless a
    calibration is stated (PS3.3 10.7.1.3). ImagerPixelSpacing is the detector's, larger than the patient's by
    the magnification of the beam. Ultrasound states its calibration per region (C.8.5.5).
    """
    spacing = _positive(frame.numbers("PixelSpacing", 2))
    imager = _positive(frame.numbers("ImagerPixelSpacing", 2))
    if frame.text("Modality") in PROJECTIONS:
        return _projection(frame, spacing, imager)
    if spacing is None and frame.text("Modality") == "US":
        return _ultrasound(frame)
    if spacing is None:
        spacing = _positive(frame.numbers("NominalScannedPixelSpacing", 2))
    return spacing, []


def _projection(
    frame: Frame, spacing: tuple[float, float] | None, imager: tuple[float, float] | None
) -> tuple[tuple[float, float] | None, list[str]]:
    stated = frame.text("PixelSpacingCalibrationType")
    if spacing is not None and (stated or (imager is not None and spacing != imager)):
        return spacing, []
    detector = imager or spacing
    if detector is None:
        return None, ["no pixel spacing: lengths mean pixels"]
    factor = frame.number("EstimatedRadiographicMagnificationFactor")
    if factor is not None and 1.0 <= factor < 10.0:
        scaled = (detector[0] / factor, detector[1] / factor)
        return scaled, [f"spacing corrected by the stated magnification of {factor:g}"]
    return detector, ["spacing is that of the detector: lengths are larger than in the patient by the magnification"]


def _ultrasound(frame: Frame) -> tuple[tuple[float, float] | None, list[str]]:
    """The calibration of the one region in cm (units code 3); None with several or in other units."""
    regions = frame.value("SequenceOfUltrasoundRegions")
    if not isinstance(regions, DicomSequence):
        return None, []
    found = set()
    for item in regions:
        region = Frame(frame.header, 0, (item,))
        dx, dy = region.number("PhysicalDeltaX"), region.number("PhysicalDeltaY")
        if region.number("PhysicalUnitsXDirection") == 3 == region.number("PhysicalUnitsYDirection") and dx and dy:
            found.add((abs(dy) * 10, abs(dx) * 10))
    if len(found) == 1:
        return found.pop(), []
    return None, ["several ultrasound regions with different scales: lengths mean pixels"] if found else []


def _positive(values: tuple[float, ...] | None) -> tuple[float, float] | None:
    if values is None or min(values) <= 0 or max(values) > 1000:
        return None
    return (values[0], values[1])
