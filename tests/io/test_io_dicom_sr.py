"""DICOM SR (TID 1500): conforming, and the same findings, values and lines when read back."""

from __future__ import annotations

import math
import shutil
import subprocess
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from dicom_cases import dciodvfy_errors, enhanced, image_of_files, radiograph, series
from pydicom.data import get_testdata_file
from pydicom.sr.codedict import codes

from groundglass.core import (
    Attribute,
    ConfigurationError,
    Evidence,
    Finding,
    Image,
    InputError,
    Line,
    Location,
    Mask,
    Measurement,
    Report,
    Section,
    Sentence,
    Study,
    UnsupportedError,
    ontology,
)
from groundglass.io import read_image
from groundglass.io.dicom_seg import tracking_uid, write_seg
from groundglass.io.dicom_sr import write_sr
from groundglass.io.dicom_sr_read import read_sr

VOLUME = 1234.567890123456789


def report_on(image: Image) -> Report:
    """Findings of every shape: segment and lines, segment only, none; all statuses; odd text and values."""
    terms = ontology()
    labels = np.random.default_rng(2).integers(0, 3, image.shape)
    lung, nodule = (Mask.of(labels == n, image.affine) for n in (1, 2))
    flat = len(image.shape) == 2
    caliper = Line(
        ((2.25, 3.5), (9.0, 10.75)) if flat else ((0.0, 2.25, 3.5), (0.5, 9.0, 10.75)), "right border to midline"
    )
    landmark = Line(((4.0, 5.0),) if flat else ((0.0, 4.0, 5.0),))
    findings = (
        Finding(
            "f1",
            terms["lung"],
            where=Location(terms["lung"], "left", lung, image=image.name),
            measurements=(
                Measurement(terms["volume"], VOLUME, "mL", method="sum of voxels"),
                Measurement(
                    terms["long axis"],
                    12.300000000000001,
                    "mm",
                    (caliper, landmark),
                    low=1.5,
                    high=10.0,
                    source="RECIST 1.1",
                ),
            ),
            evidence=(Evidence("model", "lungs-net", "1.2.3", "a detail"),),
        ),
        Finding(
            "f2",
            terms["pulmonary nodule"],
            "uncertain",
            Location(terms["lung"], "right", nodule, image=image.name),
            (Attribute("severity", "mild"), Attribute("a rather long kind of attribute", "π" * 70)),
            score=0.7123,
            evidence=(Evidence("rule", "size rule"),),
            part_of="f1",
        ),
        Finding(
            "f3",
            terms["pleural effusion"],
            "absent",
            measurements=(
                Measurement(terms["short axis"], 1e-9, "mm", (caliper,)),
                Measurement(terms["volume"], math.nan, "mL"),
            ),
        ),
    )
    sections = (
        Section("technique", (Sentence("Simulated."),)),
        Section("findings", (Sentence("Größe der Lunge: 1,2 L.", ("f1", "f2")), Sentence("No effusion.", ("f3",)))),
        Section("impression", (Sentence("Draft."),)),
        Section("limitations", (Sentence("Bones were not assessed."),)),
    )
    return Report(sections, findings, title="Chest")


@pytest.fixture(params=["CT", "tilted CT", "MR", "DX", "CR", "enhanced MR", "one slice"])
def image(request: pytest.FixtureRequest, tmp_path: Path) -> Image:
    folder = tmp_path / "source"
    makers = {
        "CT": lambda: series(folder),
        "tilted CT": lambda: series(folder, tilt=0.6),
        "MR": lambda: series(folder, modality="MR"),
        "DX": lambda: radiograph(folder),
        "CR": lambda: radiograph(folder, modality="CR"),
        "enhanced MR": lambda: enhanced(folder),
        "one slice": lambda: series(folder, shape=(1, 16, 24)),
    }
    return makers[request.param]()


def test_sr_conforms_and_reads_back(image: Image, tmp_path: Path) -> None:
    report = report_on(image)
    segs = [write_seg(report.findings, image, tmp_path / "seg.dcm")]
    path = write_sr(report, Study((image,)), tmp_path / "sr.dcm", segmentations=segs)
    assert dciodvfy_errors(path) == []
    equal_but_for_masks(read_sr(path, image), report)


def test_sr_without_segments(tmp_path: Path) -> None:
    for image in (series(tmp_path / "ct"), radiograph(tmp_path / "dx")):
        report = report_on(image)
        path = write_sr(report, image, tmp_path / "sr.dcm")
        assert dciodvfy_errors(path) == []
        equal_but_for_masks(read_sr(path, image), report)


def test_a_single_segment_is_referred_to(tmp_path: Path) -> None:
    """The segment number then stands in the shared functional groups."""
    for image in (series(tmp_path / "ct"), radiograph(tmp_path / "dx")):
        report = report_on(image)
        seg = write_seg(report.findings[:1], image, tmp_path / "seg.dcm")
        path = write_sr(report, image, tmp_path / "sr.dcm", segmentations=[seg])
        assert dciodvfy_errors(path) == []
        assert str(pydicom.dcmread(seg).SOPInstanceUID).encode() in path.read_bytes()


def test_dcmtk_reads_the_document(tmp_path: Path) -> None:
    """A third implementation, with its own check of relationships and value types (PS3.3 A.35.13)."""
    program = shutil.which("dsrdump")
    if program is None:
        pytest.skip("dsrdump (Debian: dcmtk) is not installed")
    image = series(tmp_path / "ct")
    path = write_sr(report_on(image), image, tmp_path / "sr.dcm")
    done = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Comprehensive 3D SR" in done.stdout
    assert "1234.567890123" in done.stdout
    assert "E: " not in done.stderr


def equal_but_for_masks(back: Report, report: Report) -> None:
    assert back.sections == report.sections
    assert (back.notice, back.title, back.language) == (report.notice, report.title, report.language)
    for read, written in zip(back.findings, report.findings, strict=True):
        assert (read.id, read.what, read.status, read.score) == (
            written.id,
            written.what,
            written.status,
            written.score,
        )
        assert (read.where.anatomy, read.where.side) == (written.where.anatomy, written.where.side)
        assert (read.attributes, read.evidence, read.part_of) == (written.attributes, written.evidence, written.part_of)
        assert {m.kind for m in read.measurements} == {m.kind for m in written.measurements}
        for wanted in written.measurements:
            found = read.measurement(wanted.kind.name)
            assert found is not None
            if math.isnan(wanted.value):
                assert math.isnan(found.value)
                continue
            assert (found.value, found.unit, found.method) == (wanted.value, wanted.unit, wanted.method)
            assert (found.low, found.high, found.source) == (wanted.low, wanted.high, wanted.source)
            for line, same in zip(wanted.geometry, found.geometry, strict=True):
                assert line.name == same.name
                # Graphic data are float32 (millimetres, or pixels).
                np.testing.assert_allclose(same.points, line.points, atol=1e-4)


def test_highdicom_reads_the_same_values(tmp_path: Path) -> None:
    image = series(tmp_path / "ct")
    report = report_on(image)
    seg_path = write_seg(report.findings, image, tmp_path / "seg.dcm")
    document = highdicom.sr.srread(write_sr(report, Study((image,)), tmp_path / "sr.dcm", segmentations=[seg_path]))
    source = pydicom.dcmread(image.source[0], stop_before_pixels=True)
    assert document.StudyInstanceUID == source.StudyInstanceUID
    assert str(document.PatientName) == "Müller^Änne"
    content = document.content
    groups = content.get_volumetric_roi_measurement_groups()
    assert [g.tracking_identifier for g in groups] == ["f1", "f2"]
    assert groups[0].tracking_uid == tracking_uid(source.SeriesInstanceUID, report.findings[0])
    (volume,) = groups[0].get_measurements(name=codes.SCT.Volume)
    assert (volume.value, volume.unit) == (VOLUME, highdicom.sr.CodedConcept("mL", "UCUM", "milliliter"))
    assert float(volume[0].MeasuredValueSequence[0].NumericValue) == pytest.approx(VOLUME, rel=1e-13)
    assert groups[0].finding_sites[0].topographical_modifier is None
    assert groups[0].finding_sites[0].laterality == codes.SCT.Left
    assert groups[0].finding_type == codes.SCT.Lung
    seg = pydicom.dcmread(seg_path)
    assert groups[0].referenced_segment.referenced_sop_instance_uid == seg.SOPInstanceUID
    plain = content.get_image_measurement_groups()
    assert [g.tracking_identifier for g in plain] == ["f1", "f3"]
    (diameter,) = plain[0].get_measurements(name=codes.SCT.LongAxis)
    line = diameter.referenced_coordinates[0]
    wanted = (image.affine @ [0.5, 9.0, 10.75, 1])[:3] * [-1, -1, 1]
    np.testing.assert_allclose(line.GraphicData[3:], wanted, atol=1e-4)
    np.testing.assert_allclose(line.GraphicData[:3], (image.affine @ [0, 2.25, 3.5, 1])[:3] * [-1, -1, 1], atol=1e-4)
    observers = content.get_observer_contexts()
    assert observers[0].observer_identifying_attributes.name == "groundglass"


def test_flat_coordinates_count_from_the_pixel_corner(tmp_path: Path) -> None:
    """PS3.3 C.18.6: (column, row); the corner of the first pixel is 0, its centre 0.5."""
    image = radiograph(tmp_path / "dx")
    report = report_on(image)
    document = highdicom.sr.srread(write_sr(report, Study((image,)), tmp_path / "sr.dcm"))
    group = document.content.get_image_measurement_groups()[0]
    (diameter,) = group.get_measurements(name=codes.SCT.LongAxis)
    line, point = diameter.referenced_coordinates
    assert list(line.GraphicData) == [4.0, 2.75, 11.25, 9.5]
    assert (point.GraphicType, list(point.GraphicData)) == ("POINT", [5.5, 4.5])
    selected = line.ContentSequence[0].ReferencedSOPSequence[0]
    assert selected.ReferencedSOPInstanceUID == pydicom.dcmread(image.source[0]).SOPInstanceUID


@pytest.mark.parametrize(
    "files",
    [
        "ct-organ-samples/dicom_series/dicom/*.dcm",
        "sarcoma-petct/STS_042_dicom/PET/*.dcm",
        "dicom-zoo/pydicom-data/MR-SIEMENS-DICOM-WithOverlays.dcm",
        "dicom-zoo/highdicom/ct_image.dcm",
    ],
)
def test_real_images(files: str, data: Path, tmp_path: Path) -> None:
    image = image_of_files(sorted(data.glob(files)), "real")
    report = report_on(image)
    segs = [write_seg(report.findings, image, tmp_path / "seg.dcm")]
    path = write_sr(report, Study((image,)), tmp_path / "sr.dcm", segmentations=segs)
    assert dciodvfy_errors(path) == []
    back = read_sr(path, image)
    assert back.finding("f1").measurement("volume").value == VOLUME
    np.testing.assert_allclose(
        back.finding("f1").measurement("long axis").geometry[0].points,
        report.findings[0].measurements[1].geometry[0].points,
        atol=1e-3,
    )


def test_srs_of_others_are_read(data: Path) -> None:
    report = read_sr(data / "dicom-zoo/dcmqi/sr-example__sr.dcm")
    assert len(report.findings) > 0
    assert sum(len(f.measurements) for f in report.findings) > 10
    reference = highdicom.sr.srread(data / "dicom-zoo/highdicom/sr_document_with_multiple_groups.dcm")
    ours = read_sr(data / "dicom-zoo/highdicom/sr_document_with_multiple_groups.dcm")
    content = reference.content
    groups = content.get_planar_roi_measurement_groups() + content.get_volumetric_roi_measurement_groups()
    groups += content.get_image_measurement_groups()
    values = sorted(m.value for g in groups for m in g.get_measurements())
    assert len(values) > 0
    assert sorted(m.value for f in ours.findings for m in f.measurements) == values


def test_a_report_without_findings_is_written(tmp_path: Path) -> None:
    image = series(tmp_path / "ct")
    path = write_sr(
        Report((Section("findings", (Sentence("Nothing was looked for."),)),)), Study((image,)), tmp_path / "sr.dcm"
    )
    assert dciodvfy_errors(path) == []
    assert read_sr(path).findings == ()
    assert read_sr(path).sections[0].sentences[0].text == "Nothing was looked for."


def test_number_of_frames_that_is_no_number_does_not_stop_the_writing(tmp_path: Path) -> None:
    path = tmp_path / "damaged.dcm"
    shutil.copy(get_testdata_file("badVR.dcm"), path)
    stored = pydicom.dcmread(path).get_item("NumberOfFrames")
    assert stored is not None
    assert stored.value == b"1A"
    report = Report((Section("findings", (Sentence("Nothing was looked for."),)),))
    written = write_sr(report, Study((read_image(path),)), tmp_path / "sr.dcm")
    assert read_sr(written).sections[0].sentences[0].text == "Nothing was looked for."


def test_findings_of_other_images_stay_out(tmp_path: Path) -> None:
    ct, mr = series(tmp_path / "ct"), series(tmp_path / "mr", modality="MR")
    report = report_on(ct)
    assert [f.id for f in read_sr(write_sr(report, mr, tmp_path / "mr.dcm")).findings] == ["f3"]
    both = write_sr(report, Study((mr, ct)), tmp_path / "both.dcm")
    assert dciodvfy_errors(both) == []
    back = read_sr(both, ct)
    assert [f.id for f in back.findings] == ["f1", "f2", "f3"]
    assert back.findings[0].measurement("volume").value == VOLUME


def test_refusals_are_typed(tmp_path: Path) -> None:
    image = series(tmp_path / "ct")
    report = report_on(image)
    with pytest.raises(InputError, match="was not read from DICOM"):
        write_sr(report, Study((Image.of(np.zeros((3, 4, 5)), np.eye(4)),)), tmp_path / "sr.dcm")
    odd = Report(
        (), (Finding("f1", ontology()["lung"], measurements=(Measurement(ontology()["volume"], 1.0, "pints"),)),)
    )
    with pytest.raises(ConfigurationError, match="is not a unit"):
        write_sr(odd, Study((image,)), tmp_path / "sr.dcm")
    with pytest.raises(UnsupportedError, match="TID 1500"):
        read_sr(image.source[0])
    with pytest.raises(UnsupportedError, match="not a DICOM file"):
        read_sr(Path(__file__))
    with pytest.raises(InputError, match="does not exist"):
        read_sr(tmp_path / "nothing.dcm")
    assert [p.name for p in tmp_path.iterdir()] == ["ct"]
