"""`groundglass synthesize drr`, `corrupt` and `motion` on real files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner

from groundglass.app.cli import app
from groundglass.core import ConfigurationError, Image
from groundglass.io import read_image, write_nifti

RUN = CliRunner()


def call(*words: object) -> None:
    done = RUN.invoke(app, ["synthesize", *map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0, done.output


def test_drr_writes_films_masks_and_geometry(tmp_path: Path) -> None:
    x, y, z = np.mgrid[-20:20, -15:15, -16:16]
    hu = np.where((x / 18) ** 2 + (y / 13) ** 2 < 1, 0, -1000).astype(np.int16)
    ball = (x - 8) ** 2 + y**2 + z**2 <= 16
    affine = np.diag([5.0, 5.0, 5.0, 1.0])
    image = Image.of(hu, affine, name="ct", modality="CT")
    write_nifti(hu, image, tmp_path / "ct.nii.gz")
    write_nifti(ball, image, tmp_path / "liver.nii.gz")
    out = tmp_path / "out"
    call("drr", tmp_path / "ct.nii.gz", "-o", out, "--view", "PA", "--view", "LAT", "--angles", "30,10",
         "--size", 64, "--mask", f"liver={tmp_path / 'liver.nii.gz'}", "--kilovolt", 110, "--photons", 1e5)  # fmt: skip
    document = json.loads((out / "drr.json").read_text())
    assert [view["view"] for view in document["views"]] == ["PA", "LAT", "30,10"]
    (finding,) = document["views"][0]["findings"]
    assert finding["thickest_mm"] == pytest.approx(40, abs=6)
    assert finding["box"][1][1] < 40  # the patient's right is on the left
    assert pydicom.dcmread(out / "PA.dcm").ImageType[0] == "DERIVED"
    assert np.asarray(Pillow.open(out / "LAT.png")).shape == (64, 64)
    assert read_image(out / "30_10.nii.gz").shape[:2] == (64, 64)
    packed = np.load(out / "PA_masks.npz")
    np.testing.assert_array_equal(np.unpackbits(packed["packed"], axis=-1), packed["path_mm"] > 0)
    before = (out / "PA.dcm").read_bytes()
    call("drr", tmp_path / "ct.nii.gz", "-o", out, "--size", 64, "--kilovolt", 110, "--photons", 1e5)
    assert (out / "PA.dcm").read_bytes() == before
    with pytest.raises(ConfigurationError, match="two numbers"):
        RUN.invoke(app, ["synthesize", "drr", str(tmp_path / "ct.nii.gz"), "-o", str(out), "--angles", "thirty"],
                   catch_exceptions=False)  # fmt: skip


def test_corrupt_pictures_and_sets(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    Pillow.fromarray(rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    call("corrupt", tmp_path / "a.png", "-o", tmp_path / "one", "--set", "pathmnist", "--kind", "bubble",
         "--severity", 3)  # fmt: skip
    assert [p.name for p in sorted((tmp_path / "one").glob("*.png"))] == ["bubble_3.png"]
    np.savez(tmp_path / "m.npz", test_images=rng.integers(0, 256, (2, 28, 28), dtype=np.uint8),
             test_labels=np.array([[0], [1]]))  # fmt: skip
    call("corrupt", tmp_path / "m.npz", "-o", tmp_path / "set", "--set", "octmnist", "--kind", "speckle_noise")
    held = np.load(tmp_path / "set" / "speckle_noise.npz")
    assert held["test_images"].shape == (10, 28, 28)
    assert held["test_labels"].ravel().tolist() == [0, 1] * 5


def test_motion_on_a_volume_and_on_kspace(tmp_path: Path) -> None:
    x, y, _ = np.mgrid[-16:16, -16:16, -2:2]
    volume = (1000.0 * (x**2 + y**2 < 120)).astype(np.float32)
    image = Image.of(volume, np.diag([1.0, 1.0, 5.0, 1.0]), name="mr", modality="MR")
    write_nifti(volume, image, tmp_path / "mr.nii.gz")
    call("motion", tmp_path / "mr.nii.gz", "-o", tmp_path / "a", "--severity", 0.4, "--ghosts", 3)
    rows = json.loads((tmp_path / "a" / "motion.json").read_text())["slices"]
    assert len(rows) == 4
    assert all(0 < row["ssim"] < 1 for row in rows)
    moved = read_image(tmp_path / "a" / "moved.nii.gz")
    assert moved.shape == (32, 32, 4)
    assert 500 < moved.array.max() < 2500
    from groundglass.synthesis.motion import to_kspace

    np.save(tmp_path / "k.npy", to_kspace(np.stack([volume[..., 0], 0.5 * volume[..., 1]])).astype(np.complex64))
    call("motion", tmp_path / "k.npy", "-o", tmp_path / "b", "--severity", 0.0)
    np.testing.assert_allclose(np.load(tmp_path / "b" / "moved.npy")[0], volume[..., 0] * 1.25**0.5, atol=1.0)
