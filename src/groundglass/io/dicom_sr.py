"""A report with its findings as DICOM SR, TID 1500 "Measurement Report"."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from groundglass import __version__
from groundglass.core.errors import InputError
from groundglass.core.finding import Finding
from groundglass.core.image import Image, Study
from groundglass.core.measurement import Measurement
from groundglass.core.ontology import PRIVATE_SCHEME, ontology
from groundglass.core.report import Report
from groundglass.core.term import Term
from groundglass.io import dicom_sr_items as items
from groundglass.io.atomic import atomic_path
from groundglass.io.dicom_codes import CATEGORIES, SIDES, concept, kind_of_term, private_scheme, shortened
from groundglass.io.dicom_header import quiet
from groundglass.io.dicom_seg import tracking_uid
from groundglass.io.dicom_source import MANUFACTURER, equipment, explained, frames_of, source_instances
from groundglass.io.uids import hashed_uid, object_uid

SERIES_NUMBER = 9002
# CID 100 "Quantitative Diagnostic Imaging Procedures".
PROCEDURES = {
    "CT": "CT unspecified body region",
    "MR": "MRI unspecified body region",
    "PT": "PET unspecified body region",
    "NM": "NM unspecified body region",
    **dict.fromkeys(("CR", "DX", "RG"), "XR unspecified body region"),
}
QUALITATIVE_EVALUATIONS = Term("C0034375", "UMLS", "Qualitative Evaluations")
COMMENT = Term("121106", "DCM", "Comment")
TRACKING_IDENTIFIER = Term("112039", "DCM", "Tracking Identifier")


@dataclass(frozen=True, slots=True)
class _Source:
    """An image with the instances that an SR may refer to, and its segmentation if there is one."""

    image: Image
    instances: list[Dataset]
    frames: NDArray[np.intp]
    segmentation: Dataset | None

    @property
    def series(self) -> str:
        return str(self.instances[0].SeriesInstanceUID)

    def reference(self, item: Any, slice_index: int = 0) -> Any:
        """A reference of the content item class `item` to the instance (and frame) that shows a slice."""
        frame = int(self.frames[slice_index])
        instance = self.instances[frame if len(self.instances) > 1 else 0]
        frames = [frame + 1] if "NumberOfFrames" in instance and int(instance.NumberOfFrames) > 1 else None
        return item(str(instance.SOPClassUID), str(instance.SOPInstanceUID), frames)


def write_sr(
    report: Report,
    study: Study | Image,
    path: str | os.PathLike[str],
    *,
    segmentations: Sequence[str | os.PathLike[str]] = (),
    identity: str = "",
) -> Path:
    """Write the findings, measurements and sentences of `report` as a Comprehensive 3D SR (TID 1500).

    Each finding is a measurement group with its tracking id (the finding's id), finding and finding site coded,
    side as laterality, presence, attributes and measurements (UCUM). A finding with a mask in one of
    `segmentations` (what `write_seg` wrote) refers to its segment; lines of measurements are SCOORD on a flat image
    (column, row from the corner of the first pixel) and SCOORD3D in a volume (LPS mm), in a group of their own with
    the same tracking id, because ROI groups admit none. The sentences and the draft notice stand as text under
    "Qualitative Evaluations", each with the ids of its findings. Masks themselves are not in an SR.
    Findings located on an image that is not one of the DICOM images of `study` are left out; sentences are not.
    The same `identity` gives the same UIDs, so that an archive takes a second writing for the first.

    Raises InputError when no image of `study` came from DICOM, ConfigurationError on a unit without UCUM code.
    """
    from highdicom.sr import Comprehensive3DSR, MeasurementReport

    sources = _sources(study.images if isinstance(study, Study) else (study,), segmentations)
    names = {None, *(s.image.name for s in sources)}
    groups = [
        group for finding in report.findings if finding.where.image in names for group in _groups(finding, sources)
    ]
    procedures = {PROCEDURES.get(s.image.modality, "imaging procedure"): None for s in sources}
    with explained(sources[0].image.name), quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = MeasurementReport(
            observation_context=_context(),
            procedure_reported=[concept(ontology()[p]) for p in procedures],
            imaging_measurements=groups or [_empty_group(sources[0])],
            language_of_content_item_and_descendants=_language(report.language),
        )
        content[0].ContentSequence.append(_narrative(report))
        evidence = [i for s in sources for i in s.instances]
        evidence += [s.segmentation for s in sources if s.segmentation is not None]
        document = Comprehensive3DSR(
            evidence=evidence,
            content=content[0],
            series_instance_uid=object_uid(identity, sources[0].series, sources[0].image.name, "SR series"),
            series_number=SERIES_NUMBER,
            sop_instance_uid=object_uid(identity, sources[0].series, sources[0].image.name, "SR"),
            instance_number=1,
            is_complete=True,
            is_final=False,
            is_verified=False,
            series_description=shortened(report.title or "groundglass report (draft)", 64),
            coding_schemes=[private_scheme()],
            specific_character_set="ISO_IR 192",
            record_evidence=True,
            **equipment(),
        )
        with atomic_path(path) as temporary:
            document.save_as(temporary)
    return Path(path)


def _sources(images: Sequence[Image], segmentations: Sequence[str | os.PathLike[str]]) -> list[_Source]:
    segs = [pydicom.dcmread(p) for p in segmentations]
    found: list[_Source] = []
    problem: InputError | None = None
    for image in images:
        try:
            instances = source_instances(image)
        except InputError as error:
            problem = error
            continue
        if found and instances[0].StudyInstanceUID != found[0].instances[0].StudyInstanceUID:
            continue
        uids = {str(i.SeriesInstanceUID) for i in instances}
        seg = next((s for s in segs if str(s.ReferencedSeriesSequence[0].SeriesInstanceUID) in uids), None)
        found.append(_Source(image, instances, frames_of(image, instances), seg))
    if not found:
        raise problem or InputError("study", "has no image", "Pass a study with a DICOM image.")
    return found


def _context() -> Any:
    from highdicom.sr import DeviceObserverIdentifyingAttributes, ObservationContext, ObserverContext

    device = DeviceObserverIdentifyingAttributes(
        uid=hashed_uid(MANUFACTURER, __version__),
        name=MANUFACTURER,
        manufacturer_name=MANUFACTURER,
        model_name=MANUFACTURER,
        serial_number=__version__,
    )
    observer = ObserverContext(concept(Term("121007", "DCM", "Device")), device)
    return ObservationContext(observer_device_context=observer)


def _language(tag: str) -> Any:
    from highdicom.sr import LanguageOfContentItemAndDescendants

    names = {"en": "English", "de": "German", "fr": "French", "ja": "Japanese", "id": "Indonesian", "zh": "Chinese"}
    return LanguageOfContentItemAndDescendants(concept(Term(tag, "RFC5646", names.get(tag.split("-")[0], tag))))


def _groups(finding: Finding, sources: Sequence[_Source]) -> list[Any]:
    """The finding's ROI group where a segment shows it, and a plain group for what that may not hold."""
    from highdicom import sr

    source = next((s for s in sources if s.image.name == finding.where.image), sources[0])
    segment = _segment(finding, source)
    numbers = [m for m in finding.measurements if math.isfinite(m.value)]
    plain = [m for m in numbers if not m.geometry]
    lined = [m for m in numbers if m.geometry]
    common = _common(finding, source)
    judged = items.evaluations(_judgements(finding))
    score = [] if finding.score is None else [_score(finding.score)]
    if segment is None:
        measured = [_measurement(m, source) for m in numbers] + score
        image = [source.reference(sr.SourceImageForMeasurementGroup)] if len(source.image.shape) == 2 else None
        group = sr.MeasurementsAndQualitativeEvaluations(
            **common, measurements=measured or None, qualitative_evaluations=judged, source_images=image
        )
        return [group]
    kind = (
        sr.PlanarROIMeasurementsAndQualitativeEvaluations
        if isinstance(segment, sr.ReferencedSegmentationFrame)
        else sr.VolumetricROIMeasurementsAndQualitativeEvaluations
    )
    measured = [items.measurement_item(m, ()) for m in plain] + score
    groups: list[Any] = [
        kind(
            **common,
            referenced_segment=segment,
            measurements=measured or None,
            qualitative_evaluations=judged,
            finding_category=concept(CATEGORIES[kind_of_term(finding.what)]),
        )
    ]
    if lined:
        measured = [_measurement(m, source) for m in lined]
        groups.append(sr.MeasurementsAndQualitativeEvaluations(**_common(finding, source), measurements=measured))
    return groups


def _common(finding: Finding, source: _Source) -> dict[str, Any]:
    from highdicom import sr

    algorithm = None
    if finding.evidence:
        maker = finding.evidence[0]
        parameters = [f"source={maker.source}", *([f"detail={maker.detail}"] if maker.detail else [])]
        algorithm = sr.AlgorithmIdentification(maker.name, maker.version or items.UNKNOWN_VERSION, parameters)
    side = concept(SIDES[finding.where.side]) if finding.where.side else None
    anatomy = finding.where.anatomy or (finding.what if side is not None else None)
    return {
        "tracking_identifier": sr.TrackingIdentifier(tracking_uid(source.series, finding), finding.id),
        "finding_type": concept(finding.what),
        "finding_sites": None if anatomy is None else [sr.FindingSite(concept(anatomy), laterality=side)],
        "algorithm_id": algorithm,
    }


def _judgements(finding: Finding) -> list[tuple[Term, Term]]:
    pairs = [(items.PRESENCE, items.STATUSES[finding.status])]
    pairs += [(items.text_term(a.kind), items.text_term(a.value)) for a in finding.attributes if a.kind and a.value]
    pairs += [
        (m.kind, items.NOT_FINITE[repr(float(m.value))]) for m in finding.measurements if not math.isfinite(m.value)
    ]
    if finding.part_of:
        pairs.append((items.PART_OF, items.text_term(finding.part_of)))
    return pairs


def _score(score: float) -> Any:
    return items.measurement_item(Measurement(items.SCORE, score, "1"), ())


def _measurement(measurement: Measurement, source: _Source) -> Any:
    from highdicom import sr

    coordinates = []
    frame_of_reference = source.instances[0].get("FrameOfReferenceUID")
    for line in measurement.geometry:
        if len(source.image.shape) == 3 and frame_of_reference and len(line.points[0]) == 3:
            coordinates.append(items.world_coordinates(line, source.image.affine, str(frame_of_reference)))
        else:
            where = round(line.points[0][0]) if len(line.points[0]) == 3 else 0
            coordinates.append(items.flat_coordinates(line, source.reference(sr.SourceImageForRegion, where)))
    return items.measurement_item(measurement, coordinates)


def _segment(finding: Finding, source: _Source) -> Any:
    """The reference to the segment with this finding's tracking UID, None where no frame shows it."""
    from highdicom import sr

    seg = source.segmentation
    if seg is None or finding.where.mask is None or finding.where.mask.is_empty:
        return None
    uid = tracking_uid(source.series, finding)
    number = next((int(s.SegmentNumber) for s in seg.SegmentSequence if s.get("TrackingUID") == uid), None)
    if number is None:
        return None
    if len(source.image.shape) == 2 or source.image.shape[0] == 1:
        frame = next(n for n in range(1, int(seg.NumberOfFrames) + 1) if _segment_of_frame(seg, n) == number)
        image = source.reference(sr.SourceImageForSegmentation)
        reference = sr.ReferencedSegmentationFrame(str(seg.SOPClassUID), str(seg.SOPInstanceUID), frame, number, image)
        # A frame belongs to one segment: naming both is an error (PS3.3 Table 10-3, type 1C).
        del reference[0].ReferencedSOPSequence[0].ReferencedSegmentNumber
        return reference
    several = len(source.instances) > 1
    return sr.ReferencedSegment(
        str(seg.SOPClassUID),
        str(seg.SOPInstanceUID),
        number,
        source_images=None if several else [source.reference(sr.SourceImageForSegmentation)],
        source_series=sr.SourceSeriesForSegmentation(source.series) if several else None,
    )


def _segment_of_frame(seg: Dataset, frame: int) -> int:
    group = seg.PerFrameFunctionalGroupsSequence[frame - 1]
    place = group.get("SegmentIdentificationSequence")
    place = place or seg.SharedFunctionalGroupsSequence[0].SegmentIdentificationSequence
    return int(place[0].ReferencedSegmentNumber)


def _empty_group(source: _Source) -> Any:
    """TID 1500 needs one group: a report without findings says so."""
    from highdicom import sr

    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(hashed_uid(source.series, "none"), "none"),
        qualitative_evaluations=items.evaluations([(items.PRESENCE, items.STATUSES["absent"])]),
    )


def _narrative(report: Report) -> Any:
    """TID 1500 row "Qualitative Evaluations": the notice, then a text item per sentence."""
    from highdicom.sr import ContainerContentItem, ContentSequence, TextContentItem

    container = ContainerContentItem(concept(QUALITATIVE_EVALUATIONS), relationship_type="CONTAINS")
    texts = [TextContentItem(concept(COMMENT), report.notice, "CONTAINS")]
    for section in report.sections:
        name = items.SECTIONS.get(section.name) or Term(section.name or "section", PRIVATE_SCHEME, section.name)
        for sentence in section.sentences:
            if not sentence.text:
                continue
            item = TextContentItem(concept(name), sentence.text, "CONTAINS")
            if sentence.findings:
                item.ContentSequence = ContentSequence(
                    [TextContentItem(concept(TRACKING_IDENTIFIER), f, "HAS OBS CONTEXT") for f in sentence.findings]
                )
            texts.append(item)
    container.ContentSequence = ContentSequence(texts)
    return container
