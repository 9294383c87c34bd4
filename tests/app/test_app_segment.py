"""`groundglass segment`: prompts in, a mask on the image's grid out."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import PIL.Image
import pytest
from segment_cases import segment

from groundglass.core import GeometryError, GroundglassError, InputError


@pytest.fixture
def disc(tmp_path: Path) -> tuple[Path, np.ndarray]:
    rows, columns = np.indices((80, 100))
    truth = (rows - 30) ** 2 + (columns - 60) ** 2 < 15**2
    path = tmp_path / "disc.png"
    noise = np.random.default_rng(0).normal(80, 8, truth.shape)
    PIL.Image.fromarray((truth * 90 + noise).astype(np.uint8)).save(path)
    return path, truth


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * float((one & other).sum()) / float(one.sum() + other.sum())


def test_clicks_and_a_box_on_a_picture(disc: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    path, truth = disc
    facts = json.loads(
        segment(
            path, "--click", "60,30", "--click", "5,70,-", "--box", "40,10,80,50", "-o", tmp_path / "m.png", "--json"
        )
    )
    mask = np.asarray(PIL.Image.open(tmp_path / "m.png")) > 0
    assert facts["prompts"] == 3 and facts["voxels"] == mask.sum() and facts["mL"] is None
    assert dice(mask, truth) > 0.85


def test_a_picture_of_strokes(disc: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    path, truth = disc
    strokes = np.zeros((80, 100, 3), np.uint8)
    strokes[30, 50:70] = 0, 255, 0
    strokes[70, 5:90] = 255, 0, 0
    PIL.Image.fromarray(strokes).save(tmp_path / "s.png")
    segment(path, "--scribble", tmp_path / "s.png", "-o", tmp_path / "m.nii.gz")
    mask = np.asarray(nibabel.load(tmp_path / "m.nii.gz").dataobj)[..., 0] > 0
    assert dice(mask, truth) > 0.85 and mask[30, 50:70].all() and not mask[70, 5:90].any()


def test_a_volume_keeps_its_affine(tmp_path: Path) -> None:
    at = np.indices((40, 50, 20))
    truth = ((at[0] - 20) / 10) ** 2 + ((at[1] - 25) / 12) ** 2 + ((at[2] - 10) / 6) ** 2 < 1
    image = (truth * 300 + np.random.default_rng(0).normal(0, 40, truth.shape)).astype(np.int16)
    affine = np.array([[-0.9, 0.1, 0, 10], [0.05, 1.1, 0, -20], [0, 0, 2.5, 5], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(image, affine), tmp_path / "v.nii.gz")
    prompts = ("--box", "11,8,39,32", "--click", "25,20", "--slice", 10, "--propagate")
    segment(tmp_path / "v.nii.gz", *prompts, "-o", tmp_path / "m.nii.gz")
    written = nibabel.load(tmp_path / "m.nii.gz")
    assert np.array_equal(written.affine, nibabel.load(tmp_path / "v.nii.gz").affine)
    assert dice(np.asarray(written.dataobj) > 0, truth) > 0.85


def test_bad_prompts_are_named(disc: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    path, _ = disc
    out = tmp_path / "m.nii.gz"
    for arguments, word in (
        ((), "prompt"),
        (("--click", "a,b"), "numbers"),
        (("--click", "1,2,3"), "3 numbers"),
        (("--box", "1,2"), "2 numbers"),
        (("--click", "500,2"), "outside"),
        (("--click", "5,2", "--slice", 3), "flat"),
        (("--click", "5,2", "--propagate"), "flat"),
    ):
        with pytest.raises(GroundglassError, match=word):
            segment(path, *arguments, "-o", out)
    PIL.Image.fromarray(np.zeros((5, 5), np.uint8)).save(tmp_path / "small.png")
    with pytest.raises(GeometryError):
        segment(path, "--scribble", tmp_path / "small.png", "-o", out)
    PIL.Image.fromarray(np.zeros((80, 100, 3), np.uint8)).save(tmp_path / "black.png")
    with pytest.raises(InputError, match="stroke"):
        segment(path, "--scribble", tmp_path / "black.png", "-o", out)
    assert not out.exists()
