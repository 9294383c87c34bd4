"""Activity concentration to standardised uptake values by body weight (SUVbw, g/mL).

Follows the vendor-neutral pseudo-code of QIBA's FDG-PET/CT profile ("Happy path" and its exceptions,
https://qibawiki.rsna.org/index.php/Standardized_Uptake_Value_(SUV)): SUVbw = activity * weight / dose, with the dose
decayed to the time to which the image is corrected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydicom.sequence import Sequence as DicomSequence

from groundglass.io.dicom_frames import Frame

SUV = "g/mL{SUVbw}"
_PHILIPS_SUV = (0x7053, 0x1000)
_PHILIPS_BQML = (0x7053, 0x1009)
_GE_SCAN = (0x0009, 0x100D)


class _NotScaled(Exception):  # noqa: N818 - not an error: the reason why values stay as they are
    pass


def uptake(frames: Sequence[Frame]) -> tuple[float, str, list[str]]:
    """(factor, unit, warnings): what the rescaled PET values of one series are multiplied with.

    (1, "", []) for other modalities; (1, unit of the file, warning) where SUV cannot be had.
    """
    first = frames[0]
    if first.text("Modality").upper() != "PT":
        return 1.0, "", []
    unit = first.text("Units").upper()
    try:
        return _factor(frames, unit), SUV, []
    except _NotScaled as reason:
        stored = {"BQML": "Bq/mL", "CNTS": "{counts}"}.get(unit, "")
        return 1.0, stored, [f"PET values are not SUV ({reason}): they stay in {stored or 'the unit of the file'}"]


def _factor(frames: Sequence[Frame], unit: str) -> float:
    first = frames[0]
    if unit == "GML":
        if first.text("SUVType").upper() not in ("", "BW"):
            raise _NotScaled(f"SUV of type {first.text('SUVType')}")
        return 1.0
    if unit == "CNTS":
        suv = _private(first, *_PHILIPS_SUV)
        if suv:
            return suv
        concentration = _private(first, *_PHILIPS_BQML)
        if not concentration:
            raise _NotScaled("counts without a scale factor")
        return concentration * _weight(first) / _dose(frames)
    if unit != "BQML":
        raise _NotScaled(f"unit {unit or 'not stated'}")
    corrections = first.text("CorrectedImage").upper().split("\\")
    if not {"ATTN", "DECY"} <= set(corrections):
        raise _NotScaled("not corrected for attenuation and decay")
    return _weight(first) / _dose(frames)


def _weight(frame: Frame) -> float:
    """Body weight in g."""
    kilograms = frame.number("PatientWeight")
    if kilograms is None or not 0.1 < kilograms < 1000:
        raise _NotScaled("no body weight")
    return kilograms * 1000


def _dose(frames: Sequence[Frame]) -> float:
    """Injected dose in Bq, decayed to the time that the image is corrected to."""
    first = frames[0]
    items = first.value("RadiopharmaceuticalInformationSequence")
    if not isinstance(items, DicomSequence) or not len(items):
        raise _NotScaled("no radiopharmaceutical information")
    tracer = Frame(first.header, 0, (items[0],))
    dose, half_life = tracer.number("RadionuclideTotalDose"), tracer.number("RadionuclideHalfLife")
    if dose is None or dose <= 0:
        raise _NotScaled("no injected dose")
    correction = first.text("DecayCorrection").upper()
    if correction == "ADMIN":
        return dose
    if correction != "START":
        raise _NotScaled(f"decay correction {correction or 'not stated'}")
    if half_life is None or half_life <= 0:
        raise _NotScaled("no half-life")
    start = _scan_start(frames, half_life)
    seconds = (start - _injection(tracer, start)).total_seconds()
    if not 0 <= seconds <= 10 * half_life:
        raise _NotScaled(f"the scan starts {seconds / 60:.0f} minutes after the injection")
    return dose * 2.0 ** (-seconds / half_life)


def _scan_start(frames: Sequence[Frame], half_life: float) -> datetime:
    """When the scan began: the series time, unless it was changed by later processing."""
    first = frames[0]
    series = _moment(first, "SeriesDate", "SeriesTime")
    taken = [t for frame in frames if (t := _moment(frame, "AcquisitionDate", "AcquisitionTime")) is not None]
    if series is not None and (not taken or series <= min(taken)):
        return series
    stored = _parse(str(_private_value(first, *_GE_SCAN) or ""))
    if stored is not None:
        return stored
    acquired = _moment(first, "AcquisitionDate", "AcquisitionTime")
    reference, duration = first.number("FrameReferenceTime"), first.number("ActualFrameDuration")
    if acquired is None or reference is None or not duration or duration <= 0:
        raise _NotScaled("the start of the scan is not known")
    # FrameReferenceTime is when the mean count rate of the frame occurs, which decay moves before its middle.
    decay = math.log(2) / half_life
    lost = decay * duration / 1000
    mean_time = math.log(lost / -math.expm1(-lost)) / decay
    return acquired - timedelta(seconds=reference / 1000) + timedelta(seconds=mean_time)


def _injection(tracer: Frame, scan: datetime) -> datetime:
    stated = _parse(tracer.text("RadiopharmaceuticalStartDateTime"))
    if stated is not None:
        return stated
    # Without a date the injection was on the day of the scan, or on the eve.
    moment = _parse(scan.strftime("%Y%m%d") + tracer.text("RadiopharmaceuticalStartTime"))
    if moment is None or not tracer.text("RadiopharmaceuticalStartTime"):
        raise _NotScaled("no time of injection")
    return moment - timedelta(days=1) if moment > scan else moment


def _moment(frame: Frame, date: str, time: str) -> datetime | None:
    day = frame.text(date)
    return _parse(day + frame.text(time)) if day and frame.text(time) else None


def _parse(text: str) -> datetime | None:
    """YYYYMMDDHHMM[SS[.F]] with or without a zone, which is dropped: all times of a study are of one zone."""
    match = re.match(r"(\d{8})(\d{2})(\d{2})(\d{2})?(?:\.(\d{1,6}))?", text.replace("-", "").replace(":", ""))
    if match is None:
        return None
    day, hour, minute, second, fraction = match.groups()
    try:
        whole = datetime.strptime(day + hour + minute + (second or "00"), "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return whole + timedelta(seconds=float(f"0.{fraction}") if fraction else 0.0)


def _private_value(frame: Frame, group: int, element: int) -> object:
    found = frame.header.dataset.get((group, element))
    value = None if found is None else found.value
    return value.decode("ascii", "ignore") if isinstance(value, bytes) else value


def _private(frame: Frame, group: int, element: int) -> float | None:
    """A private element's positive number; it may have been stored with an unknown representation."""
    try:
        number = float(str(_private_value(frame, group, element)).strip("\0 "))
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None
