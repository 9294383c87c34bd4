"""A report as FHIR R4B: DiagnosticReport, an Observation per finding, ImagingStudy and Device in one Bundle.

FHIR R4B agrees with R4 on these resources, so servers of either take them.
"""

from __future__ import annotations

import base64
import math
import os
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from groundglass import __version__
from groundglass.core import ConfigurationError, Finding, Image, InputError, Measurement, Report, Study, Term
from groundglass.core.ontology import PRIVATE_SCHEME
from groundglass.io.atomic import write_json_atomic
from groundglass.io.dicom_codes import SIDES
from groundglass.io.dicom_sr_items import SCORE, STATUSES

Json = dict[str, Any]
# HL7's names of coding schemes (terminology.hl7.org); private codes get a name that resolves nowhere.
SYSTEMS = {
    "SCT": "http://snomed.info/sct",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "LN": "http://loinc.org",
    "UMLS": "http://www.nlm.nih.gov/research/umls",
    PRIVATE_SCHEME: "urn:groundglass:ontology",
}
UCUM = "http://unitsofmeasure.org"
IMAGING_REPORT = Term("18748-4", "LN", "Diagnostic imaging study")
LATERALITY = Term("272741003", "SCT", "Laterality")
_RADIOLOGY = {"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD", "display": "Radiology"}
_IMAGING = {
    "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "imaging", "display": "Imaging",
}  # fmt: skip
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_NOT_FINITE = {"nan": "not-a-number", "inf": "positive-infinity", "-inf": "negative-infinity"}


def to_fhir(report: Report, study: Study, *, issued: datetime | None = None) -> Json:
    """The Bundle (type "collection") as JSON-ready values; the same input and `issued` give the same Bundle.

    The report is preliminary and its narrative begins with the draft notice. Each finding is an Observation: what
    (code), present or absent (value), where (bodySite; the side is a component), attributes and measurements
    (components, UCUM), the sentences that state it (notes), its parts (hasMember). Masks and lines stay in SEG and SR.
    Raises ConfigurationError without the fhir.resources package, InputError where the result is not valid FHIR.
    """
    return _validated(_bundle(report, study, issued or datetime.now(UTC)))


def write_fhir(report: Report, study: Study, path: str | os.PathLike[str]) -> Path:
    """Write `to_fhir` as JSON. Raises as that, and InputError where the file cannot be written."""
    write_json_atomic(path, to_fhir(report, study))
    return Path(path)


def _validated(bundle: Json) -> Json:
    try:
        from fhir.resources.R4B.bundle import Bundle
        from pydantic import ValidationError
    except ImportError as error:
        raise ConfigurationError(
            "FHIR", "needs the package fhir.resources", "pip install 'groundglass[fhir]'."
        ) from error
    try:
        Bundle.model_validate(bundle)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError("report", f"does not fit FHIR at {place}: {first['msg']}", "Correct the finding.") from error
    return bundle


def _bundle(report: Report, study: Study, issued: datetime) -> Json:
    names = _Names(study, report)
    children: dict[str, list[str]] = {}
    for finding in report.findings:
        if finding.part_of and report.finding(finding.part_of):
            children.setdefault(finding.part_of, []).append(finding.id)
    entries = [
        (names.of("report"), _diagnostic_report(report, study, issued, names)),
        (names.of("study"), _imaging_study(study, names)),
        (names.of("device"), _device(report)),
        *((names.of(f.id), _observation(f, report, study, names, children.get(f.id, ()))) for f in report.findings),
    ]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": issued.isoformat(timespec="seconds"),
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in entries],
    }


class _Names:
    """URNs of the Bundle's entries and references to them, made from the study so that a second export agrees."""

    def __init__(self, study: Study, report: Report) -> None:
        seed = study.uid or "|".join(image.name for image in study.images) or report.title
        self._space = uuid.uuid5(uuid.NAMESPACE_OID, seed)
        self.subject: Json = {"type": "Patient"}
        if study.patient_id:
            self.subject["identifier"] = {"value": study.patient_id}
        else:
            self.subject["display"] = "not stated"

    def of(self, key: str) -> str:
        return f"urn:uuid:{uuid.uuid5(self._space, key)}"

    def to(self, key: str, kind: str) -> Json:
        return {"reference": self.of(key), "type": kind}


def _diagnostic_report(report: Report, study: Study, issued: datetime, names: _Names) -> Json:
    impression = report.section("impression")
    present = [f.what for f in report.findings if f.status == "present" and f.what != f.where.anatomy]
    sentences = [sentence.text for sentence in impression.sentences] if impression else []
    return _filled(
        resourceType="DiagnosticReport",
        language=report.language,
        text=_narrative(report),
        status="preliminary",
        category=[{"coding": [_RADIOLOGY]}],
        code=concept(IMAGING_REPORT, text=report.title),
        subject=names.subject,
        effectiveDateTime=study.date,
        issued=issued.isoformat(timespec="seconds"),
        performer=[{"display": f"groundglass {__version__}, software that is not a medical device"}],
        result=[names.to(finding.id, "Observation") for finding in report.findings],
        imagingStudy=[names.to("study", "ImagingStudy")],
        conclusion=" ".join(sentences),
        conclusionCode=[concept(term) for term in dict.fromkeys(present)],
        presentedForm=[
            {
                "contentType": "text/plain; charset=utf-8",
                "language": report.language,
                "data": base64.b64encode(report.text.encode()).decode(),
                "title": report.title or "Report",
            }
        ],
    )


def _observation(finding: Finding, report: Report, study: Study, names: _Names, parts: Sequence[str]) -> Json:
    where, evidence = finding.where, finding.evidence
    said = [s.text for section in report.sections for s in section.sentences if finding.id in s.findings and s.text]
    components: list[Json] = []
    if where.side:
        components.append({"code": concept(LATERALITY), "valueCodeableConcept": concept(SIDES[where.side])})
    components += [
        {"code": {"text": a.kind}, "valueCodeableConcept": {"text": a.value}}
        for a in finding.attributes
        if a.kind and a.value
    ]
    components += [_measured(measurement) for measurement in finding.measurements]
    if finding.score is not None:
        components.append(_measured(Measurement(SCORE, finding.score, "1")))
    return _filled(
        resourceType="Observation",
        identifier=[{"system": SYSTEMS[PRIVATE_SCHEME], "value": finding.id}],
        status="preliminary",
        category=[{"coding": [_IMAGING]}],
        code=concept(finding.what),
        subject=names.subject,
        effectiveDateTime=study.date,
        valueCodeableConcept=concept(STATUSES[finding.status]),
        note=[{"text": text} for text in said],
        bodySite=concept(where.anatomy) if where.anatomy else None,
        method={"text": "; ".join(f"{e.name} {e.version}".strip() for e in evidence)} if evidence else None,
        device=names.to("device", "Device"),
        hasMember=[names.to(part, "Observation") for part in parts],
        derivedFrom=[names.to("study", "ImagingStudy")],
        component=components,
    )


def _measured(measurement: Measurement) -> Json:
    component = {"code": concept(measurement.kind)}
    if math.isfinite(measurement.value):
        component["valueQuantity"] = _quantity(measurement.value, measurement.unit)
    else:
        code = _NOT_FINITE[repr(float(measurement.value))]
        component["dataAbsentReason"] = {"coding": [{"system": _ABSENT, "code": code}]}
    limits = {"low": measurement.low, "high": measurement.high}
    reference = {name: _quantity(value, measurement.unit) for name, value in limits.items() if value is not None}
    if reference:
        source = {"text": measurement.source} if measurement.source else {}
        component["referenceRange"] = [{**reference, **source}]  # type: ignore[assignment]
    return component


def _quantity(value: float, unit: str) -> Json:
    return {"value": float(value), "unit": unit, "system": UCUM, "code": unit}


def concept(term: Term, *, text: str = "") -> Json:
    """The CodeableConcept of a term; a scheme that HL7 does not name becomes a private URN."""
    system = SYSTEMS.get(term.scheme, f"urn:groundglass:scheme:{term.scheme}")
    return {"coding": [{"system": system, "code": term.code, "display": term.name}], "text": text or term.name}


def _imaging_study(study: Study, names: _Names) -> Json:
    series = list(_series(study.images))
    modalities = dict.fromkeys(image.modality for image in study.images)
    uid = [{"system": "urn:dicom:uid", "value": f"urn:oid:{study.uid}"}] if study.uid else []
    return _filled(
        resourceType="ImagingStudy",
        identifier=uid,
        status="available",
        modality=[_modality(modality) for modality in modalities],
        subject=names.subject,
        started=study.date,
        numberOfSeries=len(series) or None,
        numberOfInstances=sum(one["numberOfInstances"] for one in series) or None,
        reasonCode=[{"text": study.clinical}] if study.clinical else [],
        series=series,
    )


def _series(images: Iterable[Image]) -> Iterable[Json]:
    """The DICOM series of the images, each once; FHIR knows no others."""
    from groundglass.io.dicom_header import quiet, read_header
    from groundglass.io.dicom_source import is_dicom

    known: dict[str, Json] = {}
    for image in images:
        if not is_dicom(image):
            continue
        with quiet():
            dataset = read_header(Path(image.source[0])).dataset
        uid = str(dataset.get("SeriesInstanceUID") or "")
        if not uid:
            continue
        one = known.setdefault(
            uid,
            _filled(
                uid=uid,
                modality=_modality(image.modality),
                description=image.acquisition.description,
                bodySite={"display": image.acquisition.body_part} if image.acquisition.body_part else None,
                numberOfInstances=0,
            ),
        )
        one["numberOfInstances"] += len(image.source)
    return known.values()


def _modality(modality: str) -> Json:
    return {"system": SYSTEMS["DCM"], "code": modality}


def _device(report: Report) -> Json:
    measured = [f"{m.name} {m.version}: {m.measured_on or 'not measured'}" for m in report.models]
    return _filled(
        resourceType="Device",
        status="active",
        manufacturer="groundglass",
        deviceName=[{"name": "groundglass", "type": "model-name"}],
        version=[{"value": __version__}],
        note=[{"text": text} for text in measured],
    )


def _narrative(report: Report) -> Json:
    paragraphs = [f"<p>{escape(report.notice)}</p>"]
    for section in report.sections:
        body = escape(" ".join(sentence.text for sentence in section.sentences))
        paragraphs.append(f"<h3>{escape(section.heading or section.name)}</h3><p>{body}</p>")
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{"".join(paragraphs)}</div>'}


def _filled(**fields: Any) -> Json:
    """The fields that say something: FHIR allows neither null nor empty lists and texts."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}
