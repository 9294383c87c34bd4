"""`compare images`: figures of known differences, data ranges, masks, grids and channels."""

from __future__ import annotations

import math
from pathlib import Path

import nibabel
import numpy as np
import pytest
from compare_cases import document, problem, summary, values
from PIL import Image as Picture
from skimage.metrics import structural_similarity


@pytest.fixture
def volumes(tmp_path: Path) -> tuple[Path, Path]:
    """CT-like volumes; case n is predicted 10 n HU too high."""
    rng = np.random.default_rng(0)
    for n in range(3):
        truth = rng.integers(-1000, 1500, (20, 18, 16)).astype(np.int16)
        for name, array in (("t", truth), ("p", truth + 10 * n)):
            (tmp_path / name).mkdir(exist_ok=True)
            nibabel.save(
                nibabel.Nifti1Image(array.astype(np.int16), np.diag([1, 1, 2.5, 1])),
                tmp_path / name / f"1BA00{n}.nii.gz",
            )
    return tmp_path / "p", tmp_path / "t"


def test_constant_shift(volumes: tuple[Path, Path]) -> None:
    result = document("images", *volumes, "--data-range", "-1024,3000", "--metrics", "mae,mean_error,rmse,psnr,ssim")
    assert values(result, "mae", "all") == {f"1BA00{n}": 10 * n for n in range(3)}
    assert values(result, "mean_error", "all") == {f"1BA00{n}": 10 * n for n in range(3)}
    psnr = values(result, "psnr", "all")
    assert psnr["1BA001"] == pytest.approx(20 * math.log10(4024 / 10))
    assert psnr["1BA000"] is None  # infinite: equal images
    assert summary(result, "psnr")["mean"] is None
    assert summary(result, "psnr")["median"] == pytest.approx(psnr["1BA001"])
    assert summary(result, "ssim")["mean"] < 1


def test_the_range_must_be_said(volumes: tuple[Path, Path]) -> None:
    prediction, truth = volumes
    result = document("images", prediction / "1BA001.nii.gz", truth / "1BA001.nii.gz", "--metrics", "mae")
    assert summary(result, "mae")["mean"] == 10
    text = problem("images", prediction / "1BA001.nii.gz", truth / "1BA001.nii.gz")
    assert "has no data range of its own" in text
    assert "is no range" in problem("images", prediction, truth, "--data-range", "5,3")
    assert "is not defined for images" in problem("images", prediction, truth, "--allow-missing", "worst")


def test_synthrad_and_masks(volumes: tuple[Path, Path], tmp_path: Path) -> None:
    from groundglass.metrics.images import synthrad_scores

    prediction, truth = volumes
    assert "needs the patients' outlines" in problem("images", prediction, truth, "--convention", "synthrad")
    inside = np.zeros((20, 18, 16), dtype=np.uint8)
    inside[4:15, 4:14, 4:12] = 1
    mask = tmp_path / "mask.nii.gz"
    nibabel.save(nibabel.Nifti1Image(inside, np.diag([1, 1, 2.5, 1])), mask)
    result = document("images", prediction, truth, "--convention", "synthrad", "--mask", mask)
    said, real = (nibabel.load(path / "1BA002.nii.gz").get_fdata() for path in volumes)
    expected = synthrad_scores(said, real, inside)
    for metric, value in expected.items():
        assert values(result, metric, "all")["1BA002"] == pytest.approx(value)


def test_pictures_of_eight_bits_and_colour(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 256, (48, 50, 3), dtype=np.uint8)
    said = np.clip(truth.astype(int) + rng.integers(-9, 10, truth.shape), 0, 255).astype(np.uint8)
    Picture.fromarray(truth).save(tmp_path / "t.png")
    Picture.fromarray(said).save(tmp_path / "p.png")
    result = document("images", tmp_path / "p.png", tmp_path / "t.png")
    peer = structural_similarity(
        said, truth, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    # The peer pads the border away from its map by the same 5 pixels.
    assert summary(result, "ssim")["mean"] == pytest.approx(peer, abs=1e-6)
    assert summary(result, "mae")["mean"] == pytest.approx(np.abs(said.astype(float) - truth).mean())


def test_grids_and_shapes(volumes: tuple[Path, Path], tmp_path: Path) -> None:
    prediction, truth = volumes
    image = nibabel.load(prediction / "1BA001.nii.gz")
    to = nibabel.orientations.axcodes2ornt("SLP")
    nibabel.save(
        image.as_reoriented(nibabel.orientations.ornt_transform(nibabel.io_orientation(image.affine), to)),
        tmp_path / "turned.nii.gz",
    )
    result = document("images", tmp_path / "turned.nii.gz", truth / "1BA001.nii.gz", "--metrics", "mae,rmse")
    assert (summary(result, "mae")["mean"], summary(result, "rmse")["mean"]) == (10, 10)
    nibabel.save(
        nibabel.Nifti1Image(image.get_fdata()[:10].astype(np.int16), image.affine), prediction / "1BA002.nii.gz"
    )
    broken = document("images", prediction, truth, "--metrics", "mae", code=1)
    assert (
        "have different shapes, 10 x 18 x 16 and 20 x 18 x 16 voxels" in broken["methods"][0]["failures"][0]["reason"]
    )
    assert summary(broken, "mae")["n"] == 2


def test_features_of_generated_images(tmp_path: Path) -> None:
    from groundglass.metrics.generative import fid

    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(60, 4)), rng.normal(0.5, 1, size=(50, 4))
    np.save(tmp_path / "t.npy", real)
    np.savez(tmp_path / "p.npz", features=fake)
    result = document("images", tmp_path / "p.npz", tmp_path / "t.npy")
    assert summary(result, "fid")["value"] == pytest.approx(fid(real, fake))
    assert 0 <= summary(result, "coverage")["value"] <= 1
    assert {row["metric"] for row in result["figures"]} == {"fid", "kid", "precision", "recall", "density", "coverage"}
    (tmp_path / "t.npy").write_bytes(b"nothing")
    assert "holds no array of features" in problem("images", tmp_path / "p.npz", tmp_path / "t.npy")
