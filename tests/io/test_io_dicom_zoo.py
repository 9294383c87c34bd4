"""Every file of the zoo does what its manifest says: it decodes, or the error says why not."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pydicom
import pytest

from groundglass.core import GroundglassError, UnsupportedError
from groundglass.io import read_image, read_mask

_OBJECTS = ("SR", "RTSTRUCT", "RTPLAN", "ANN", "SEG")
# 12-bit JPEG: imagecodecs reads the two that the manifest's decoders refuse, and needs to for the two that they read.
_JPEG_12 = ("1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55")


def test_every_file_meets_its_manifest(data: Path) -> None:
    folder = data / "dicom-zoo"
    rows = list(csv.DictReader((folder / "manifest.csv").open()))
    assert len(rows) == 105
    codecs = importlib.util.find_spec("imagecodecs") is not None
    wrong = []
    for row in rows:
        if row["modality"] in _OBJECTS:
            with pytest.raises(UnsupportedError, match="not an image"):
                read_image(folder / row["file"])
            continue
        decodes = row["pixels"].startswith("decoded") or row["transfer_syntax"] in _JPEG_12
        try:
            array = read_image(folder / row["file"]).array
        except GroundglassError as error:
            if decodes and (codecs or row["transfer_syntax"] not in _JPEG_12):
                wrong.append(f"{row['file']}: {error}")
            continue
        if not decodes:
            wrong.append(f"{row['file']}: decoded")
        frames = int(row["frames"] or 1)
        assert array.size % (int(row["rows"]) * int(row["columns"]) * frames) == 0, row["file"]
    assert wrong == []


def test_stored_values_equal_those_of_pydicom(data: Path) -> None:
    """Values of files without a rescale, of every transfer syntax that both sides read."""
    folder = data / "dicom-zoo"
    compared = set()
    for row in csv.DictReader((folder / "manifest.csv").open()):
        plain = row["photometric"] in ("MONOCHROME2", "RGB") and row["modality"] in ("OT", "NM", "US", "MR", "")
        if row["modality"] in _OBJECTS or not plain or not row["pixels"].startswith("decoded"):
            continue
        dataset = pydicom.dcmread(folder / row["file"], force=True)
        if "RescaleSlope" in dataset and dataset.RescaleSlope != 1:
            continue
        if "PerFrameFunctionalGroupsSequence" in dataset:
            continue
        if row["bits_stored"] == "7":
            continue  # pydicom's default decoder refuses 7 bits
        theirs = dataset.pixel_array
        ours = read_image(folder / row["file"]).array
        channels = int(dataset.SamplesPerPixel)
        moved = np.moveaxis(theirs, -1, 0) if channels > 1 else theirs
        np.testing.assert_array_equal(ours.reshape(moved.shape), moved, err_msg=row["file"])
        compared.add(row["transfer_syntax"])
    assert len(compared) >= 6


def test_twelve_bit_jpeg_differs_from_the_original_by_its_loss_only(data: Path) -> None:
    pytest.importorskip("imagecodecs", reason="12-bit JPEG needs the extra `codecs`")
    folder = data / "dicom-zoo" / "transfer-syntaxes"
    original = read_image(folder / "CTImage.dcm_LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1.dcm").array
    for name in ("2_4TransferSyntax_1.2.840.10008.1.2.4.51", "6_8TransferSyntax_1.2.840.10008.1.2.4.53"):
        lossy = read_image(folder / f"CTImage.dcm_JPEGProcess{name}.dcm").array
        inside = original > -1500
        assert np.abs(lossy[inside].astype(float) - original[inside]).mean() < 60


def test_segmentations_are_read_as_masks(data: Path) -> None:
    folder = data / "dicom-zoo" / "highdicom"
    image = read_image(folder / "ct_image.dcm")
    mask = read_mask(folder / "seg_image_ct_binary_single_frame.dcm", like=image)
    stored = pydicom.dcmread(folder / "seg_image_ct_binary_single_frame.dcm")
    assert mask.shape == image.shape
    assert mask.voxel_count == int(stored.pixel_array.sum())
