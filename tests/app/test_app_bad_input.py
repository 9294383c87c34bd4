"""Bad input through the main job: one line of error with exit code 2, or a stated degraded result with exit code 1."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, EncapsulatedPDFStorage, ExplicitVRLittleEndian, generate_uid

from groundglass.app import cli


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., tuple]:
    """Runs `groundglass read FILE... -o out` in this process: exit code, stderr, output folder."""

    def run(*arguments: object) -> tuple[int, str, Path]:
        out = tmp_path / "out"
        monkeypatch.setattr("sys.argv", ["groundglass", "read", *map(str, arguments), "-o", str(out)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return int(left.value.code or 0), capsys.readouterr().err, out

    return run


def volume(path: Path, array: np.ndarray) -> Path:
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), path)
    return path


def dicom(path: Path, sop_class: str = CTImageStorage, **elements: object) -> Path:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = dataset.SeriesInstanceUID = dataset.FrameOfReferenceUID = "1.2.3"
    dataset.PatientName = dataset.PatientID = dataset.StudyID = "X"
    for name, value in elements.items():
        setattr(dataset, name, value)
    dataset.save_as(path, enforce_file_format=True)
    return path


def ct_slice(path: Path, position: float, series: str = "1.2.3.1", turn: float = 0.0) -> Path:
    rng = np.random.default_rng(int(position * 10) + 7)
    return dicom(
        path,
        Modality="CT",
        SeriesInstanceUID=series,
        Rows=24,
        Columns=24,
        BitsAllocated=16,
        BitsStored=16,
        HighBit=15,
        PixelRepresentation=1,
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        PixelSpacing=[1, 1],
        ImageOrientationPatient=[1, 0, 0, 0, np.cos(turn), np.sin(turn)],
        ImagePositionPatient=[0, -position * np.sin(turn), position * np.cos(turn)],  # along the slices' normal
        RescaleIntercept=-1024,
        RescaleSlope=1,
        PixelData=rng.integers(0, 2000, (24, 24)).astype(np.int16).tobytes(),
    )


def is_one_line_error(code: int, stderr: str, out: Path) -> bool:
    lines = stderr.strip().splitlines()
    return code == 2 and len(lines) == 1 and lines[0].startswith("error: ") and not out.exists()


def empty(folder: Path) -> Path:
    (folder / "empty.nii.gz").touch()
    return folder / "empty.nii.gz"


def truncated_nifti(folder: Path) -> Path:
    path = volume(folder / "cut.nii.gz", np.random.default_rng(0).normal(size=(40, 40, 40)))
    path.write_bytes(path.read_bytes()[:20_000])
    return path


def truncated_dicom(folder: Path) -> Path:
    path = ct_slice(folder / "cut.dcm", 0)
    path.write_bytes(path.read_bytes()[:-600])
    return path


def wrong_type(folder: Path) -> Path:
    path = folder / "letter.nii"
    path.write_text("Dear colleague, thank you for referring this patient.\n" * 30)
    return path


def huge(folder: Path) -> Path:
    path = volume(folder / "huge.nii", np.zeros((4, 4, 4), np.float32))
    raw = bytearray(path.read_bytes())
    raw[42:48] = np.array([30000, 30000, 30000], "<i2").tobytes()
    path.write_bytes(raw)
    return path


def pdf_only(folder: Path) -> Path:
    return dicom(folder / "letter.dcm", EncapsulatedPDFStorage, Modality="DOC", EncapsulatedDocument=b"%PDF-1.4 ....")


def password_zip(folder: Path) -> Path:
    path = folder / "locked.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(ct_slice(folder / "slice.dcm", 0), "slice.dcm")
    # Bit 0 of the general purpose flag says "encrypted"; the standard library reads but does not write such files.
    raw = bytearray(path.read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    return path


def escaping_zip(folder: Path) -> Path:
    path = folder / "escape.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(ct_slice(folder / "slice.dcm", 0), "../../escaped.dcm")
    return path


@pytest.mark.parametrize(
    "make", [empty, truncated_nifti, truncated_dicom, wrong_type, huge, pdf_only, password_zip, escaping_zip]
)
def test_what_cannot_be_read_is_one_line_and_leaves_nothing(
    make: Callable[[Path], Path], read: Callable[..., tuple], tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = make(folder)
    code, stderr, out = read(path)
    assert is_one_line_error(code, stderr, out), stderr
    assert path.name.split(".")[0] in stderr
    assert not (tmp_path / "escaped.dcm").exists()
    assert not (tmp_path.parent / "escaped.dcm").exists()


@pytest.mark.parametrize("value", [np.nan, 5.0])
def test_pixels_without_a_picture_give_a_degraded_report(
    value: float, read: Callable[..., tuple], tmp_path: Path
) -> None:
    code, stderr, out = read(volume(tmp_path / "blank.nii.gz", np.full((20, 20, 20), value, np.float32)))
    assert code == 1
    assert "Traceback" not in stderr
    document = json.loads((out / "report.json").read_text())
    assert not document["report"].get("findings")
    assert "blank" in (out / "report.txt").read_text()


def test_a_volume_without_affine_is_read_and_its_lengths_are_not_trusted(
    read: Callable[..., tuple], tmp_path: Path
) -> None:
    image = nibabel.Nifti1Image(np.random.default_rng(0).normal(100, 20, (24, 24, 24)).astype(np.float32), None)
    image.header["sform_code"] = image.header["qform_code"] = 0
    path = tmp_path / "bare.nii"
    nibabel.save(image, path)
    code, stderr, out = read(path)
    assert code in (0, 1), stderr
    facts = json.loads((out / "report.json").read_text())["study"]["images"][0]
    assert facts["orientation_known"] is False
    assert facts["warnings"]


def test_an_unsorted_mixed_folder_is_two_images_in_order(read: Callable[..., tuple], tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    order = np.random.default_rng(3).permutation(8)
    for number, position in enumerate(order):
        ct_slice(folder / f"{number:03}.dcm", float(position) * 2, series="1.2.3.1")
        ct_slice(folder / f"b{number:03}.dcm", float(position), series="1.2.3.2", turn=np.pi / 2)
    (folder / "notes.txt").write_text("not an image")
    (folder / "broken.dcm").touch()
    code, stderr, out = read(folder)
    assert code == 0, stderr
    images = json.loads((out / "report.json").read_text())["study"]["images"]
    assert sorted(image["shape"] for image in images) == [[8, 24, 24], [8, 24, 24]]
    assert sorted(round(image["spacing_mm"][0], 3) for image in images)[1] == 2
    assert "broken.dcm" in stderr


def test_one_bad_image_beside_a_good_one_does_not_stop_the_study(read: Callable[..., tuple], tmp_path: Path) -> None:
    good = ct_slice(tmp_path / "good.dcm", 0)
    assert pydicom.dcmread(good).Rows == 24
    code, stderr, out = read(good, empty(tmp_path))
    assert code == 0, stderr
    assert "empty.nii.gz" in stderr
    assert (out / "report.html").is_file()
