"""De-identification: nothing planted survives, references hold, pixels stay."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_cases import dciodvfy_errors, radiograph, series
from pydicom.datadict import dictionary_VM, dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import CTImageStorage, JPEGBaseline8Bit

from groundglass.core import (
    ConfigurationError,
    Finding,
    InputError,
    Location,
    Mask,
    Measurement,
    Report,
    Section,
    Sentence,
    ontology,
)
from groundglass.io.deidentification import deidentify
from groundglass.io.deidentify_rules import DeidentifyOptions, action_of, table
from groundglass.io.dicom_header import quiet
from groundglass.io.dicom_seg import write_seg
from groundglass.io.dicom_sr import write_sr
from groundglass.io.dicom_sr_read import read_sr

NAME, NUMBER, DAY, UID = "Zzyzxson", "MRN-0815-4711", "19661231", "1.2.999.4711.815"
PLANTED: dict[str, object] = dict.fromkeys(("LO", "SH", "LT", "ST", "UT", "UC", "AE", "CS"), NAME)
PLANTED |= {"PN": f"{NAME}^Quirin", "DA": DAY, "DT": f"{DAY}101112", "TM": "041516", "AS": "099Y"}
PLANTED |= {"UI": UID, "UR": f"http://{NAME}", "DS": "4711", "AT": 0x00100010}
PLANTED |= dict.fromkeys(("OB", "OW", "OF", "OL", "UN"), NAME.encode())
PLANTED |= {"OD": NAME.encode() * 2, "FD": 4711.5, "FL": 4711.5}
PLANTED |= dict.fromkeys(("IS", "US", "UL", "SS", "SL", "SV", "UV"), 4711)
REMOVED = (NAME, "Quirin", NUMBER, DAY, UID, "041516", "099Y")


def planted(vr: str) -> object:
    if vr != "SQ":
        return PLANTED[vr.split(" or ")[0]]
    item = Dataset()
    item.PatientName, item.TextValue, item.PatientID = f"{NAME}^Quirin", f"Mr {NAME} was seen", NUMBER
    item.add_new(0x00991001, "LO", NAME)
    deep = Dataset()
    deep.OperatorsName, deep.StudyDate, deep.SOPInstanceUID = NAME, DAY, UID
    item.ReferencedSeriesSequence = [deep]
    return [item]


def full_of_secrets(image_file: str, target: Path) -> None:
    """A CT in which every attribute of the table, some that are not in it, private ones and the meta say the name."""
    with quiet():
        ds = pydicom.dcmread(image_file)
        for tag in table():
            if (
                tag >> 16 == 2
                or Tag(tag).group == 0
                or keyword_for_tag(tag) in ("SOPInstanceUID", "EncapsulatedDocument")
            ):
                continue
            if tag >> 16 == 4:
                continue
            value = planted(dictionary_VR(tag))
            if dictionary_VM(tag) in ("2", "3", "6") and not isinstance(value, (list, bytes)):
                value = [value] * int(dictionary_VM(tag))
            ds.add_new(tag, dictionary_VR(tag).split(" or ")[0], value)
        ds.PatientID, ds.PatientName, ds.SOPInstanceUID = NUMBER, f"{NAME}^Quirin=陳^寶蓮", UID
        ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{UID}.1", f"{UID}.2"
        ds.SoftwareVersions = ["V1", f"licensed to {NAME}"]
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", NAME.upper()]
        ds.AcquisitionType = "SPIRAL"
        ds.add_new(0x00111010, "PN", NAME)
        ds.add_new(0x00110010, "LO", f"{NAME} PRIVATE")
        ds.add_new(0x50000010, "US", 2)
        ds.add_new(0x50003000, "OB", NAME.encode())
        ds.add_new(0x60020010, "US", 8)
        ds.add_new(0x60024000, "LT", NAME)
        ds.add_new(0x60023000, "OB", NAME.encode())
        ds.add_new(0x00187FFE, "UN", NAME.encode())
        ds.add_new(0xFFFCFFFC, "OB", NAME.encode())
        ds.BurnedInAnnotation = "NO"
        ds.Modality, ds.Rows = "CT", ds.Rows
        ds.file_meta.MediaStorageSOPInstanceUID = UID
        ds.file_meta.SourceApplicationEntityTitle = NAME
        ds.file_meta.PrivateInformationCreatorUID = UID
        ds.file_meta.PrivateInformation = NAME.encode()
        ds.preamble = NAME.encode() * 16
        ds.save_as(target, enforce_file_format=True)


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    image = series(tmp_path / "plain", shape=(1, 16, 24))
    full_of_secrets(image.source[0], tmp_path / "secret.dcm")
    return tmp_path / "secret.dcm"


def test_the_whole_table_is_there() -> None:
    rows = json.loads((resources.files("groundglass.io") / "data/ps315_basic.json").read_text())["attributes"]
    assert len(rows) == 620
    assert {r["tag"] for r in rows if "x" in r["tag"]} == {"50xxxxxx", "60xx4000", "60xx3000"}
    for row in rows:
        if "x" not in row["tag"]:
            assert keyword_for_tag(int(row["tag"], 16)) == row["keyword"]
    basic = DeidentifyOptions()
    assert action_of(Tag("PatientBirthName"), basic) == "X"
    assert action_of(Tag("PatientBirthDate"), basic) == "Z"
    assert action_of(Tag("PatientID"), basic) == "D"
    assert action_of(Tag("StudyInstanceUID"), basic) == "U"
    assert action_of(Tag("StudyDate"), DeidentifyOptions(dates="keep")) == "K"
    assert action_of(Tag("PatientBirthDate"), DeidentifyOptions(dates="keep")) == "Z"
    assert action_of(Tag("Rows"), basic) == ""
    assert action_of(Tag(0x50100030), basic) == "X"
    assert action_of(Tag(0x00091001), basic) == "X"


def test_nothing_planted_survives(secret_file: Path, tmp_path: Path) -> None:
    before = secret_file.read_bytes()
    for word in REMOVED:
        assert word.encode() in before
    result = deidentify([secret_file], tmp_path / "out", secret="k")
    assert result.skipped == []
    ((_, target),) = result.written
    after = target.read_bytes()
    for word in (*REMOVED, NAME.upper(), NAME.lower(), "陳", "Mr "):
        assert word.encode() not in after, word
        assert word.encode("utf-16-le") not in after
        assert word not in str(target)
    ds = pydicom.dcmread(target)
    assert ds.PatientIdentityRemoved == "YES"
    assert [i.CodeValue for i in ds.DeidentificationMethodCodeSequence] == ["113100", "113104"]
    assert ds.LongitudinalTemporalInformationModified == "REMOVED"
    assert ds.PatientID == ds.PatientName != ""
    assert not any(e.tag.is_private or e.tag.group >> 8 in (0x50, 0x60) for e in ds.iterall())
    assert ds.preamble == b"\0" * 128
    assert {e.keyword for e in ds.file_meta} == {
        *("FileMetaInformationGroupLength", "FileMetaInformationVersion", "MediaStorageSOPClassUID"),
        *("MediaStorageSOPInstanceUID", "TransferSyntaxUID", "ImplementationClassUID", "ImplementationVersionName"),
    }
    assert ds.AcquisitionType == "SPIRAL"
    np.testing.assert_array_equal(ds.pixel_array, pydicom.dcmread(secret_file).pixel_array)


@pytest.mark.parametrize("dates", ["shift", "keep"])
def test_options_remove_the_name_all_the_same(secret_file: Path, tmp_path: Path, dates: str) -> None:
    options = DeidentifyOptions(
        dates=dates,  # type: ignore[arg-type]
        clean_descriptors=True,
        retain_device=True,
        retain_institution=True,
        retain_patient_characteristics=True,
    )
    ((_, target),) = deidentify([secret_file], tmp_path / "out", secret="k", options=options).written
    after = target.read_bytes()
    for word in (NAME, "Quirin", NUMBER, NAME.upper()):
        assert word.encode() not in after, word
    ds = pydicom.dcmread(target)
    assert UID not in (ds.SOPInstanceUID, ds.StudyInstanceUID, ds.FrameOfReferenceUID)
    assert (DAY.encode() in after) is (dates == "keep")
    assert ds.PatientAge == "099Y"
    if dates == "shift":
        moved = pydicom.valuerep.DA(DAY) - pydicom.valuerep.DA(ds.StudyDate)
        assert 365 <= moved.days < 3650
        assert pydicom.valuerep.DA(DAY) - pydicom.valuerep.DA(ds.SeriesDate) == moved
        assert ds.StudyTime == "041516"


def test_descriptions_keep_words_that_are_no_names(tmp_path: Path) -> None:
    image = series(tmp_path / "ct", shape=(1, 8, 8))
    ds = pydicom.dcmread(image.source[0])
    ds.StudyDescription, ds.SeriesDescription = "CT Thorax Müller, Zzyzxson", "Lung 3"
    ds.save_as(tmp_path / "a.dcm")
    kept = deidentify(
        [tmp_path / "a.dcm"], tmp_path / "out", secret="k", options=DeidentifyOptions(clean_descriptors=True)
    )
    back = pydicom.dcmread(kept.written[0][1])
    assert back.StudyDescription == "CT Thorax"
    assert back.SeriesDescription == "Lung 3"
    plain = deidentify([tmp_path / "a.dcm"], tmp_path / "plain", secret="k")
    assert "StudyDescription" not in pydicom.dcmread(plain.written[0][1])


def test_references_hold_and_the_result_conforms(tmp_path: Path) -> None:
    image = series(tmp_path / "ct")
    mask = Mask.of(np.random.default_rng(0).random(image.shape) > 0.5, image.affine)
    write_seg([Finding("f1", ontology()["lung"], where=Location(mask=mask))], image, tmp_path / "ct" / "seg.dcm")
    result = deidentify([tmp_path / "ct"], tmp_path / "out", secret=b"key")
    assert len(result.written) == 7
    assert result.skipped == []
    made = [pydicom.dcmread(target) for _, target in result.written]
    (seg,) = [ds for ds in made if ds.Modality == "SEG"]
    slices = {ds.SOPInstanceUID: ds for ds in made if ds.Modality == "CT"}
    assert len({ds.StudyInstanceUID for ds in made}) == len({ds.FrameOfReferenceUID for ds in made}) == 1
    referenced = {r.ReferencedSOPInstanceUID for r in seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
    assert referenced == set(slices)
    assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == next(iter(slices.values())).SeriesInstanceUID
    assert all(str(uid).startswith("2.25.") for uid in slices)
    originals = {int(pydicom.dcmread(p).InstanceNumber): pydicom.dcmread(p).PixelData for p in image.source}
    for ds in slices.values():
        assert ds.PixelData == originals[int(ds.InstanceNumber)]
    for _, target in result.written:
        if target.name.startswith(str(seg.SOPInstanceUID)):
            assert dciodvfy_errors(target) == []
    assert seg.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodeMeaning == "lung"


def test_structured_reports_keep_codes_and_values_and_no_sentence(tmp_path: Path) -> None:
    image = series(tmp_path / "ct", shape=(1, 8, 8))
    terms = ontology()
    finding = Finding("f1", terms["lung"], measurements=(Measurement(terms["volume"], 1234.5, "mL"),))
    report = Report((Section("findings", (Sentence(f"Mr {NAME} has a lung.", ("f1",)),)),), (finding,), title=NAME)
    path = write_sr(report, image, tmp_path / "sr.dcm")
    assert NAME.encode() in path.read_bytes()
    ((_, target),) = deidentify([path], tmp_path / "out", secret="k").written
    assert dciodvfy_errors(target) == []
    assert NAME.encode() not in target.read_bytes()
    assert "Müller".encode() not in target.read_bytes()
    back = read_sr(target)
    assert (back.findings[0].what, back.findings[0].measurements[0].value) == (terms["lung"], 1234.5)
    assert back.sections[0].sentences[0].text == "ANONYMIZED"
    codes = pydicom.dcmread(target).DeidentificationMethodCodeSequence
    assert [item.CodeValue for item in codes] == ["113100", "113104"]


def test_the_same_secret_gives_the_same_files(tmp_path: Path) -> None:
    image = series(tmp_path / "ct", shape=(2, 8, 8))
    folders = [tmp_path / name for name in ("a", "b", "c", "d")]
    secrets = ["one", "one", "two", None]
    made = [deidentify([tmp_path / "ct"], f, secret=s).written for f, s in zip(folders, secrets, strict=True)]
    bytes_of = [sorted(t.read_bytes() for _, t in files) for files in made]
    assert bytes_of[0] == bytes_of[1]
    assert bytes_of[0] != bytes_of[2] != bytes_of[3]
    again = deidentify([tmp_path / "ct"], folders[0], secret="one")
    assert sorted(t.read_bytes() for _, t in again.written) == bytes_of[0]
    uids = {pydicom.dcmread(t).SOPInstanceUID for files in made for _, t in files}
    assert len(uids) == 6
    assert len(image.source) == 2
    kept = deidentify([tmp_path / "ct"], tmp_path / "e", secret="one", options=DeidentifyOptions(retain_uids=True))
    assert {t.stem for _, t in kept.written} == {pydicom.dcmread(p).SOPInstanceUID for p in image.source}


def test_what_cannot_be_done_is_skipped_and_said(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    radiograph(folder)
    (folder / "empty.dcm").touch()
    (folder / "note.txt").write_text("not DICOM")
    (folder / "cut.dcm").write_bytes((folder / "DX.dcm").read_bytes()[:700])
    ds = pydicom.dcmread(folder / "DX.dcm")
    ds.save_as(folder / "twin.dcm")
    ds.SOPInstanceUID = "2.25.1"
    ds.BurnedInAnnotation = "YES"
    ds.save_as(folder / "burned.dcm")
    ds.BurnedInAnnotation, ds.Modality, ds.SOPInstanceUID = None, "US", "2.25.2"
    ds.save_as(folder / "us.dcm")
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.104.1"
    ds.EncapsulatedDocument = b"%PDF"
    ds.save_as(folder / "pdf.dcm")
    result = deidentify([folder], tmp_path / "out", secret="k")
    reasons = {Path(name).name: why for name, why in result.skipped}
    assert set(reasons) >= {"empty.dcm", "note.txt", "twin.dcm", "burned.dcm", "us.dcm", "pdf.dcm"}
    assert "it says so" in reasons["burned.dcm"]
    assert "modality US" in reasons["us.dcm"]
    assert "encapsulated document" in reasons["pdf.dcm"]
    assert "SOP Instance UID" in reasons["twin.dcm"]
    assert "DX.dcm" in {Path(name).name for name, _ in result.written}
    assert len(result.written) + len(result.skipped) == 8
    allowed = deidentify([folder / "us.dcm"], tmp_path / "allowed", secret="k", allow_burned_in=True)
    assert len(allowed.written) == len(allowed.warnings) == 1
    with pytest.raises(InputError, match="does not exist"):
        deidentify([tmp_path / "nothing"], tmp_path / "out")
    with pytest.raises(ConfigurationError, match="is empty"):
        deidentify([folder], tmp_path / "out", secret="")
    hidden = [p for p in (tmp_path / "out").rglob("*") if p.name.startswith(".")]
    assert hidden == []


def test_identifiers_in_compressed_pixels_are_refused(tmp_path: Path) -> None:
    ds = pydicom.dcmread(series(tmp_path / "ct", shape=(1, 8, 8)).source[0])
    ds.PatientID = NUMBER
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    ds.PixelData = encapsulate([b"\xff\xd8\xff\xfe\x00\x10" + NUMBER.encode() + b"\xff\xd9"])
    ds["PixelData"].is_undefined_length = True
    ds.save_as(tmp_path / "jpeg.dcm")
    result = deidentify([tmp_path / "jpeg.dcm"], tmp_path / "out")
    assert "compressed pixels" in result.skipped[0][1]
    assert result.written == []


def test_real_files(data: Path, tmp_path: Path) -> None:
    """Every file of the zoo is written or refused with a reason; what is written opens with equal pixels."""
    files = [p for p in sorted((data / "dicom-zoo").rglob("*.dcm")) if p.stat().st_size < 300_000]
    result = deidentify(files, tmp_path / "out", secret="k", allow_burned_in=True)
    assert len(result.written) + len(result.skipped) == len(files)
    assert len(result.written) > 0.6 * len(files)
    compared, classes = 0, set()
    for source, target in result.written:
        with quiet():
            before, after = pydicom.dcmread(source), pydicom.dcmread(target)
            assert after.PatientIdentityRemoved == "YES"
            assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
            if "PixelData" in before:
                assert after.PixelData == before.PixelData
                compared += 1
            uids = {str(before.get("SOPInstanceUID")), str(before.get("StudyInstanceUID"))} - {"None", ""}
        assert not any(uid.encode() in target.read_bytes() for uid in uids)
        classes.add(after.SOPClassUID)
    assert CTImageStorage in classes
    assert compared > 50
