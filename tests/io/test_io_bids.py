"""The modality by a file's name and sidecar, as BIDS and dcm2niix write them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from groundglass.io import read_image, read_study


def saved(folder: Path, name: str) -> Path:
    path = folder / name
    nibabel.save(nibabel.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4)), path)
    return path


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("brain_T1w.nii.gz", "MR"),
        ("sub-01_ses-2_acq-fast_FLAIR.nii", "MR"),
        ("FLAIR.nii.gz", "MR"),
        ("sub-01_dwi.nii.gz", "MR"),
        ("sub-01_trc-18FFDG_pet.nii.gz", "PT"),
        # A name that only begins like one, a mask of an image, and words that are no suffixes.
        ("T1w_brain.nii.gz", "OT"),
        ("sub-01_T1w_mask.nii.gz", "OT"),
        ("flair.nii.gz", "OT"),
        ("heart_t1W.nii.gz", "OT"),
    ],
)
def test_the_suffix_of_the_name_states_the_modality(tmp_path: Path, name: str, modality: str) -> None:
    assert read_image(saved(tmp_path, name)).modality == modality


def test_a_sidecar_counts_before_the_name(tmp_path: Path) -> None:
    path = saved(tmp_path, "sub-01_T1w.nii.gz")
    sidecar = tmp_path / "sub-01_T1w.json"
    sidecar.write_text(json.dumps({"Modality": "CT", "EchoTime": 0.003}))
    assert read_image(path).modality == "CT"
    for damaged in ('{"Modality": 3}', '{"Modality": "magnetic"}', "[1, 2]", "{", "[" * 100_000):
        sidecar.write_text(damaged)
        assert read_image(path).modality == "MR"
    sidecar.write_bytes(b"\xff\xfe\x00")
    assert read_image(path).modality == "MR"


@pytest.mark.parametrize("member", ["anat/sub-01_T2w.nii.gz", "FLAIR.nii.gz"])
def test_a_name_inside_of_a_zip_counts(tmp_path: Path, member: str) -> None:
    path = saved(tmp_path, "plain.nii.gz")
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as packed:
        packed.write(path, member)
    assert [image.modality for image in read_study(tmp_path / "study.zip").images] == ["MR"]
