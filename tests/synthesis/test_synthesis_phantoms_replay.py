"""Same seed, same bytes: in another process, with any number of workers; and layouts that tools read."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image as Picture

from groundglass.core import ConfigurationError, from_dict
from groundglass.synthesis import make_phantom, stream_phantoms, write_phantoms
from groundglass.text import label


def digest(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("microscopy", {"size": 64}),
        pytest.param("chest-ct", {"shape": (40, 40, 40)}, marks=pytest.mark.slow),
        pytest.param("abdomen-ct", {"shape": (40, 40, 40)}, marks=pytest.mark.slow),
        pytest.param("petct", {"shape": (32, 32, 48), "ct_shape": (32, 32, 48)}, marks=pytest.mark.slow),
        ("spine-mr", {"shape": (8, 64, 64)}),
        pytest.param("brain-mr", {"shape": (40, 48, 36)}, marks=pytest.mark.slow),
    ],
)
def test_same_bytes_with_one_worker_and_with_two(kind: str, options: dict[str, object], tmp_path: Path) -> None:
    if kind == "brain-mr":
        pytest.importorskip("nilearn")  # its template
    write_phantoms(kind, 2, 9, tmp_path / "one", workers=1, **options)
    write_phantoms(kind, 2, 9, tmp_path / "two", workers=2, **options)
    one = digest(tmp_path / "one")
    assert one == digest(tmp_path / "two") and len(one) > 6


def test_the_command_writes_the_same_part_of_a_set(tmp_path: Path) -> None:
    write_phantoms("microscopy", 2, 9, tmp_path / "all", size=64)
    command = [sys.executable, "-m", "groundglass", "synthesize", "phantom", "microscopy", "-n", "1", "--start", "1"]
    command += ["--seed", "9", "--size", "64", "-o", str(tmp_path / "part")]
    subprocess.run(command, check=True, capture_output=True)
    every = digest(tmp_path / "all")
    part = {k: v for k, v in digest(tmp_path / "part").items() if k != "phantoms.json"}
    assert part and all(every[k] == v for k, v in part.items())


def test_streams_come_in_order_and_seeds_differ() -> None:
    cases = list(stream_phantoms("ultrasound", 4, 1, size=64))
    again = make_phantom("ultrasound", 1, 2, size=64)
    assert [c.name for c in cases] == [f"ultrasound0001{n:05d}v0" for n in range(4)]
    assert np.array_equal(cases[2].arrays[0], again.image.array) and cases[2].findings == again.findings
    assert not np.array_equal(cases[0].arrays[0], cases[1].arrays[0])
    with pytest.raises(ConfigurationError):
        next(stream_phantoms("ultrasound", -1, 1))


def test_decathlon_folder(tmp_path: Path) -> None:
    write_phantoms("abdomen-ct", 2, 4, tmp_path, layout="msd", shape=(64, 64, 56))
    table = json.loads((tmp_path / "dataset.json").read_text())
    assert table["numTraining"] == 2 and table["modality"] == {"0": "CT"} and table["labels"]["0"] == "background"
    for row in table["training"]:
        image, labels = (nibabel.load(tmp_path / row[k]) for k in ("image", "label"))
        assert image.shape == labels.shape and np.array_equal(image.affine, labels.affine)
        assert {str(v) for v in np.unique(labels.dataobj)} <= set(table["labels"])


def test_bids_folder(tmp_path: Path) -> None:
    write_phantoms("petct", 1, 4, tmp_path, layout="bids", shape=(48, 48, 72), ct_shape=(48, 48, 72))
    subject = next(tmp_path.glob("sub-*"))
    stem = f"{subject.name}_ses-01"
    assert (subject / "ses-01" / "pet" / f"{stem}_pet.nii.gz").exists()
    assert (subject / "ses-01" / "ct" / f"{stem}_ct.json").exists()
    home = tmp_path / "derivatives" / "phantom" / subject.name / "ses-01"
    levels = json.loads((home / f"{stem}_desc-bodies_ctd.json").read_text())
    assert levels[0] == {"direction": ["R", "A", "S"]} and {row["label"] for row in levels[1:]} >= set(range(8, 25))
    assert json.loads((tmp_path / "dataset_description.json").read_text())["BIDSVersion"]


def test_coco_file_holds_the_masks(tmp_path: Path) -> None:
    coco_mask = pytest.importorskip("pycocotools.mask")
    write_phantoms("microscopy", 1, 4, tmp_path, layout="coco", size=128)
    table = json.loads((tmp_path / "annotations.json").read_text())
    phantom = make_phantom("microscopy", 4, 0, size=128)
    assert len(table["annotations"]) == len(phantom.findings) > 3
    for row, finding in zip(table["annotations"], phantom.findings, strict=True):
        held = row["segmentation"]
        decoded = coco_mask.decode(coco_mask.frPyObjects(held, *held["size"]))
        assert finding.where.mask is not None
        assert np.array_equal(decoded.astype(bool), finding.where.mask.array)
        assert row["area"] == decoded.sum()
        assert row["bbox"] == [int(v) for v in coco_mask.toBbox(coco_mask.frPyObjects(held, *held["size"]))]


def test_mimic_like_folder_has_the_labels_that_its_reports_state(tmp_path: Path) -> None:
    write_phantoms("radiograph", 4, 6, tmp_path, layout="mimic", visits=2, size=64)
    rows = list(csv.DictReader((tmp_path / "mimic-cxr-2.0.0-chexpert.csv").open()))
    assert len(rows) == 8
    values = {"present": "1.0", "absent": "0.0", "uncertain": "-1.0", None: ""}
    same = total = 0
    for row in rows:
        home = tmp_path / "files" / "p10" / f"p{row['subject_id']}"
        picture = next((home / f"s{row['study_id']}").glob("*.png"))
        assert Picture.open(picture).size == (64, 64)
        read = label((home / f"s{row['study_id']}.txt").read_text(), "chexpert14")
        for name, given in read.items():
            total += 1
            same += values[given.value] == row[name]
    assert same / total > 0.97


def test_the_plain_folder_gives_the_findings_back(tmp_path: Path) -> None:
    write_phantoms("retina", 1, 3, tmp_path, size=128)
    phantom = make_phantom("retina", 3, 0, size=128)
    truth = json.loads((tmp_path / phantom.name / "phantom.json").read_text())
    assert truth["simulated"] is True
    assert tuple(from_dict(f) for f in truth["findings"]) == phantom.findings
    for layout in ("msd", "mimic", "dicomdir"):
        with pytest.raises(ConfigurationError):
            write_phantoms("retina", 1, 3, tmp_path / "no", layout=layout, size=64)
