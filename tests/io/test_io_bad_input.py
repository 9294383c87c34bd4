"""Bad input gives a typed error or a stated degraded result (acceptance 6)."""

from __future__ import annotations

import gzip
import stat
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import nibabel
import numpy as np
import PIL.Image
import pydicom
import pytest
from dicom_factory import slice_of, write_series
from pydicom.uid import EncapsulatedPDFStorage

from groundglass.core import (
    GroundglassError,
    InputError,
    TruncatedError,
    UnsafeInputError,
    UnsupportedError,
)
from groundglass.io import check_pixels, read_image, read_study


def _nifti(path: Path, array: np.ndarray, affine: np.ndarray | None = None) -> Path:
    nibabel.save(nibabel.Nifti1Image(array, np.diag([1.0, 2.0, 3.0, 1.0]) if affine is None else affine), path)
    return path


@pytest.mark.parametrize("name", ["a.dcm", "a.nii", "a.nii.gz", "a.png", "a.zip", "a.nrrd", "a"])
def test_empty_files(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(TruncatedError, match="is empty"):
        read_study([tmp_path / name])


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_study([tmp_path / "none.nii.gz"])
    with pytest.raises(InputError, match="holds no image"):
        read_study([tmp_path])
    with pytest.raises(InputError, match="holds no image"):
        read_study([])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.nii.gz", b"this is text"),
        ("a.dcm", b"this is text, long enough to be a file" * 20),
        ("a.png", b"%PDF-1.7 not an image"),
        ("a.mha", b"\x7fELF" + bytes(500)),
    ],
)
def test_wrong_type_is_told_by_its_content(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnsupportedError):
        read_study([tmp_path / name])


def test_names_do_not_matter(tmp_path: Path) -> None:
    source = _nifti(tmp_path / "a.nii", np.ones((4, 5, 6), dtype=np.int16))
    renamed = source.rename(tmp_path / "IMG0001")
    assert read_image(renamed).shape == (4, 5, 6)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_truncated_nifti(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(0)
    path = _nifti(tmp_path / f"a{suffix}", rng.integers(0, 999, (20, 20, 20)).astype(np.int16))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(TruncatedError):
        _ = read_image(path).array


def test_truncated_dicom_is_found_without_its_pixels(tmp_path: Path) -> None:
    write_series(tmp_path, [(0.0, 0.0, 2.0 * i) for i in range(5)])
    path = tmp_path / "0001.dcm"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(TruncatedError, match="bytes of pixels"):
        read_study([path])
    study = read_study([tmp_path])
    assert study.images[0].shape[0] == 4
    assert any("0001.dcm" in warning for warning in study.warnings)


@pytest.mark.parametrize("cut", [4, 100, 131, 140, 200, 400])
def test_dicom_cut_in_its_header(tmp_path: Path, cut: int) -> None:
    slice_of(np.zeros((6, 5), dtype=np.int16), (0, 0, 0)).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    (tmp_path / "a.dcm").write_bytes((tmp_path / "a.dcm").read_bytes()[:cut])
    with pytest.raises(GroundglassError):
        read_study([tmp_path / "a.dcm"])


def test_truncated_png(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    PIL.Image.fromarray(rng.integers(0, 255, (90, 90), dtype=np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:3000])
    with pytest.raises(TruncatedError):
        _ = read_image(tmp_path / "a.png").array


def test_pixels_that_say_nothing_are_stated(tmp_path: Path) -> None:
    volume = np.full((5, 5, 5), np.nan, dtype=np.float32)
    nothing = check_pixels(read_image(_nifti(tmp_path / "nan.nii", volume)))
    assert any("no pixel is a finite number" in w for w in nothing.warnings)
    volume[:3] = 1
    some = check_pixels(read_image(_nifti(tmp_path / "some.nii", volume)))
    assert any("50 of 125 pixels are not finite" in w for w in some.warnings)
    constant = check_pixels(read_image(_nifti(tmp_path / "same.nii", np.full((5, 5, 5), 7, dtype=np.int16))))
    assert any("every pixel has the value 7" in w for w in constant.warnings)
    rng = np.random.default_rng(0)
    good = check_pixels(read_image(_nifti(tmp_path / "good.nii", rng.normal(size=(5, 5, 5)))))
    assert good.warnings == ()


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_nifti_that_claims_more_than_it_holds(tmp_path: Path, suffix: str) -> None:
    path = _nifti(tmp_path / f"a{suffix}", np.zeros((4, 4, 4), dtype=np.int16))
    content = bytearray(gzip.decompress(path.read_bytes()) if suffix.endswith("gz") else path.read_bytes())
    content[42:48] = struct.pack("<hhh", 30000, 30000, 30000)
    path.write_bytes(gzip.compress(bytes(content)) if suffix.endswith("gz") else bytes(content))
    with pytest.raises((UnsafeInputError, TruncatedError)):
        read_study([path])


def test_dicom_that_claims_more_than_it_holds(tmp_path: Path) -> None:
    made = slice_of(np.zeros((64, 64), dtype=np.uint16), (0, 0, 0))
    made.Rows = made.Columns = 65535
    made.save_as(tmp_path / "raw.dcm", enforce_file_format=True)
    with pytest.raises(TruncatedError):
        read_study([tmp_path / "raw.dcm"])


def test_compressed_dicom_that_claims_more_than_it_holds(tmp_path: Path, data: Path) -> None:
    source = data / "dicom-zoo" / "pydicom-data" / "JLSL_16_15_1_1F.dcm"
    made = pydicom.dcmread(source)
    made.Rows = made.Columns = 65535
    made.save_as(tmp_path / "a.dcm")
    with pytest.raises(UnsafeInputError):
        read_study([tmp_path / "a.dcm"])
    # A claim that could be is refused by the codestream's own header, before anything is decoded.
    made.Rows = made.Columns = 4096
    made.save_as(tmp_path / "b.dcm")
    with pytest.raises(InputError, match="128 x 128 x 1, the header says 4096 x 4096 x 1"):
        _ = read_image(tmp_path / "b.dcm").array


def test_png_bomb(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    PIL.Image.new("L", (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", 60000, 60000)
    content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
    path.write_bytes(bytes(content))
    with pytest.raises(UnsafeInputError):
        read_study([path])


def test_only_an_encapsulated_pdf(tmp_path: Path) -> None:
    pixels = np.zeros((6, 5), dtype=np.int16)
    made = slice_of(pixels, None, SOPClassUID=EncapsulatedPDFStorage, Modality="DOC", PixelData=None)
    made.EncapsulatedDocument = b"%PDF-1.4"
    made.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    with pytest.raises(UnsupportedError, match="encapsulated PDF"):
        read_study([tmp_path])


@pytest.mark.parametrize("name", ["highdicom/sr_document.dcm", "rt-utils/mock_data__rt.dcm", "rt-plan-set/rtplan.dcm"])
def test_dicom_without_pixels(data: Path, name: str) -> None:
    with pytest.raises(UnsupportedError, match="not an image"):
        read_study([data / "dicom-zoo" / name])


def _zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture()
def volume_bytes(tmp_path: Path) -> bytes:
    return _nifti(tmp_path / "source.nii", np.arange(60, dtype=np.int16).reshape(3, 4, 5)).read_bytes()


def test_zip_of_a_series_and_a_volume(tmp_path: Path, volume_bytes: bytes) -> None:
    write_series(tmp_path / "s", [(0.0, 0.0, 2.0 * i) for i in range(3)])
    members = {f"DICOM/{i}": file.read_bytes() for i, file in enumerate(sorted((tmp_path / "s").iterdir()))}
    study = read_study([_zip(tmp_path / "a.zip", {**members, "x/vol.nii": volume_bytes, "README.txt": b"hello"})])
    assert [image.shape for image in study.images] == [(3, 6, 5), (3, 4, 5)]
    np.testing.assert_array_equal(study.images[1].array[0].ravel(), np.arange(60))
    assert any("no images were left out" in w for w in study.warnings)


@pytest.mark.parametrize("name", ["../evil.nii", "a/../../evil.nii", "/etc/evil.nii", "C:/evil.nii", "..\\evil.nii"])
def test_zip_names_that_leave_the_folder(tmp_path: Path, volume_bytes: bytes, name: str) -> None:
    with pytest.raises(UnsafeInputError, match="outside"):
        read_study([_zip(tmp_path / "a.zip", {name: volume_bytes})])
    assert not (tmp_path.parent / "evil.nii").exists()


def test_zip_with_a_link(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("link.nii")
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(UnsafeInputError, match="link"):
        read_study([tmp_path / "a.zip"])


def test_zip_with_a_password(tmp_path: Path, volume_bytes: bytes) -> None:
    path = _zip(tmp_path / "a.zip", {"a.nii": volume_bytes})
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(bytes(content))
    with pytest.raises(UnsupportedError, match="password"):
        read_study([path])


def test_zip_bomb(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.nii", "w") as sink:
        for _ in range(300):
            sink.write(bytes(1 << 20))
    with pytest.raises(UnsafeInputError, match="zip bomb"):
        read_study([path])


def test_nested_zip_is_not_opened(tmp_path: Path, volume_bytes: bytes) -> None:
    inner = _zip(tmp_path / "inner.zip", {"a.nii": volume_bytes}).read_bytes()
    with pytest.raises(UnsupportedError, match="archive inside an archive"):
        read_study([_zip(tmp_path / "outer.zip", {"inner.zip": inner})])
    study = read_study([_zip(tmp_path / "both.zip", {"inner.zip": inner, "b.nii": volume_bytes})])
    assert len(study.images) == 1
    assert any("archive inside an archive" in w for w in study.warnings)


def test_damaged_zip(tmp_path: Path, volume_bytes: bytes) -> None:
    path = _zip(tmp_path / "a.zip", {"a.nii": volume_bytes})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(TruncatedError):
        read_study([path])


def test_one_bad_file_does_not_stop_the_rest(tmp_path: Path) -> None:
    _nifti(tmp_path / "good.nii", np.ones((3, 3, 3), dtype=np.int16))
    (tmp_path / "bad.nii").write_bytes(b"\x5c\x01\x00\x00" + bytes(340) + b"n+1\x00")
    (tmp_path / "empty.dcm").touch()
    study = read_study([tmp_path])
    assert [image.name for image in study.images] == ["good"]
    assert any("bad.nii" in w for w in study.warnings)
    assert any("empty.dcm" in w for w in study.warnings)


def test_header_that_points_to_another_file(tmp_path: Path) -> None:
    (tmp_path / "secret.raw").write_bytes(bytes(64))
    for target in ("/etc/passwd", "../secret.raw", "LIST", "slice%03d.raw"):
        path = tmp_path / "a.nhdr"
        path.write_text(f"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 4 4 4\nencoding: raw\ndata file: {target}\n\n")
        with pytest.raises(UnsafeInputError, match="elsewhere"):
            read_study([path])
    path.write_text("NRRD0004\ntype: uchar\ndimension: 3\nsizes: 4 4 4\nencoding: raw\ndata file: secret.raw\n\n")
    assert read_image(path).array.shape == (1, 4, 4, 4)


def test_a_crash_of_a_decoder_is_a_typed_error(tmp_path: Path, data: Path) -> None:
    # The real child process is killed while it decodes, as a fault in native code would.
    from groundglass.io import isolation

    worker = isolation._Worker()
    subprocess.run(["kill", "-SEGV", str(worker._process.pid)], check=True)
    isolation._idle.append(worker)
    path = data / "dicom-zoo" / "pydicom-data" / "emri_small_jpeg_2k_lossless.dcm"
    with pytest.raises(InputError, match="decoder"):
        for _ in range(8):
            isolation._idle.append(worker)
            _ = read_image(path).array
    isolation._idle.clear()
    assert read_image(path).array.max() == 467
