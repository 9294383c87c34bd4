"""Small archives: real files of a few KB, and files that are broken in the ways that archives break them; results."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pyarrow.parquet
from PIL import Image as Picture
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian


def write_archive(folder: Path, studies: int, *, broken: int = 0, size: int = 24) -> None:
    """`studies` whole studies (DICOM of two files, NIfTI, PNG, zip in turn) and `broken` ones, in sub-folders."""
    makers = (write_dicom_study, write_nifti, write_png, write_zip)
    for number in range(studies):
        makers[number % len(makers)](folder / f"{number % 7}", number, size)
    for number in range(broken):
        BROKEN[number % len(BROKEN)](folder / "broken", number)


def write_dicom_study(folder: Path, number: int, size: int = 24) -> str:
    """A CT of two slices, in two folders; its StudyInstanceUID."""
    study = f"1.2.826.0.1.3680043.10.1561.{number + 1}"
    pixels = np.random.default_rng(number).integers(0, 2000, (2, size, size), dtype=np.uint16)
    for index, plane in enumerate(pixels):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, f"{study}.1.{index + 1}"
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        file = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        file.SOPClassUID, file.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        file.StudyInstanceUID, file.SeriesInstanceUID, file.FrameOfReferenceUID = study, f"{study}.1", f"{study}.2"
        file.Modality, file.PatientID, file.StudyDate = "CT", f"P{number}", "20260101"
        file.InstanceNumber, file.ImagePositionPatient = index + 1, [0, 0, float(index)]
        file.ImageOrientationPatient, file.PixelSpacing, file.SliceThickness = [1, 0, 0, 0, 1, 0], [1, 1], 1
        file.RescaleSlope, file.RescaleIntercept, file.RescaleType = 1, -1024, "HU"
        file.Rows = file.Columns = size
        file.SamplesPerPixel, file.PhotometricInterpretation, file.PixelRepresentation = 1, "MONOCHROME2", 0
        file.BitsAllocated, file.BitsStored, file.HighBit = 16, 12, 11
        file.PixelData = plane.tobytes()
        path = folder / f"part{index}" / f"{number:05d}-{index}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        file.save_as(path)
    return study


def write_nifti(folder: Path, number: int, size: int = 24) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).normal(100, 20, (size, size, 4)).astype(np.float32)
    path = folder / f"{number:05d}.nii.gz"
    nibabel.save(nibabel.Nifti1Image(pixels, np.diag([1.0, 1.0, 2.0, 1.0])), path)
    return path


def write_png(folder: Path, number: int, size: int = 24) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number:05d}.png"
    Picture.fromarray(np.random.default_rng(number).integers(0, 255, (size, size), dtype=np.uint8)).save(path)
    return path


def write_zip(folder: Path, number: int, size: int = 24) -> Path:
    """A zip with one NIfTI file."""
    inside = write_nifti(folder, number, size)
    path = folder / f"{number:05d}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(inside, inside.name)
    inside.unlink()
    return path


def _cut_dicom(folder: Path, number: int) -> None:
    write_dicom_study(folder / f"cut-{number}", 50_000 + number)
    first = folder / f"cut-{number}" / "part0" / f"{50_000 + number:05d}-0.dcm"
    first.write_bytes(first.read_bytes()[:900])
    (folder / f"cut-{number}" / "part1" / f"{50_000 + number:05d}-1.dcm").unlink()


def _cut_nifti(folder: Path, number: int) -> None:
    path = write_nifti(folder, 60_000 + number)
    path.write_bytes(path.read_bytes()[:-400])


def _cut_png(folder: Path, number: int) -> None:
    path = write_png(folder, 70_000 + number)
    path.write_bytes(path.read_bytes()[:200])


def _empty(folder: Path, number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # No two alike: files of one content are one study.
    (folder / f"IM{number}.dcm").write_bytes(b"\0" * (number + 1))


def _noise(folder: Path, number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"noise-{number}.nii").write_bytes(np.random.default_rng(number).bytes(500))


def _blank(folder: Path, number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Picture.new("L", (20 + number, 20)).save(folder / f"blank-{number}.png")


def _bomb(folder: Path, number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"bomb-{number}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"../outside-{number}.png", b"0" * 1000)


BROKEN = (_cut_dicom, _cut_nifti, _cut_png, _empty, _noise, _blank, _bomb)


def rows(out: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pyarrow.parquet.read_table(out / "results.parquet").to_pylist()
    return found


def commits(out: Path) -> dict[str, tuple[int, int]]:
    """What each finished study's result is on disk: another inode or time would be another result."""
    found = {}
    for result in (out / "studies").glob("*/result.json"):
        status = result.stat()
        found[result.parent.name] = (status.st_ino, status.st_mtime_ns)
    return found


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that they started, by the system's table."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
    found, generation = [], {pid}
    while generation:
        generation = {child for child, parent in parents.items() if parent in generation}
        found += sorted(generation)
    return found
