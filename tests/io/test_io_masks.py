"""Masks from files onto the grid of an image."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import PIL.Image
import pytest
from dicom_factory import write_series
from scipy import ndimage

from groundglass.core import GeometryError
from groundglass.io import read_image, read_mask

AFFINE = np.array([[1.5, 0.2, 0, -20], [-0.2, 1.5, 0, 10], [0, 0, 3, 5], [0, 0, 0, 1]])


def _save(path: Path, array: np.ndarray, affine: np.ndarray) -> Path:
    nibabel.save(nibabel.Nifti1Image(array, affine), path)
    return path


@pytest.fixture()
def said() -> list[str]:
    return []


def test_axes_in_another_order_and_direction_are_turned_exactly(tmp_path: Path, said: list[str]) -> None:
    # A DICOM series is (slice, row, column); its mask from another tool is (i, j, k) with flips.
    write_series(tmp_path / "ct", [(-10.0, -20.0, 3.0 * i) for i in range(4)])
    image = read_image(tmp_path / "ct")
    rng = np.random.default_rng(0)
    truth = rng.random(image.shape) > 0.6
    turned = truth.transpose(2, 1, 0)[:, ::-1, :]
    turn = np.array([[0, 0, 1, 0], [0, -1, 0, image.shape[1] - 1], [1, 0, 0, 0], [0, 0, 0, 1]])
    path = _save(tmp_path / "m.nii.gz", turned.astype(np.uint8), image.affine @ turn)
    mask = read_mask(path, like=image, warn=said.append)
    np.testing.assert_array_equal(mask.array, truth)
    assert said == []
    assert mask.affine.tobytes() == image.affine.tobytes()


def test_another_grid_is_resampled_to_the_nearest_voxel_and_said(tmp_path: Path, said: list[str]) -> None:
    image = read_image(_save(tmp_path / "i.nii", np.zeros((20, 18, 10), dtype=np.int16), AFFINE))
    coarse = AFFINE @ np.diag([2.0, 2.0, 1.0, 1.0])
    inside = np.zeros((10, 9, 10), dtype=np.uint8)
    inside[2:7, 3:6, 2:8] = 1
    mask = read_mask(_save(tmp_path / "m.nii", inside, coarse), like=image, warn=said.append)
    # Index by index: the coarse voxel whose centre is nearest (ties of .5 may go either way, so only others count).
    for index in np.ndindex(*image.shape):
        place = np.linalg.inv(coarse) @ AFFINE @ [*index, 1]
        if np.all(np.abs(np.abs(place[:3] % 1) - 0.5) > 1e-6):
            near = np.rint(place[:3]).astype(int)
            held = np.all(near >= 0) and np.all(near < inside.shape) and inside[tuple(near)]
            assert mask.array[index] == bool(held)
    assert len(said) == 1
    assert "resampled" in said[0]


def test_volume_survives_resampling_of_an_oblique_ball(tmp_path: Path, said: list[str]) -> None:
    image = read_image(_save(tmp_path / "i.nii", np.zeros((60, 60, 60), dtype=np.int16), np.diag([1.0, 1, 1, 1])))
    angle = np.radians(33)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn[:3, 3] = [20, -12, 0]
    fine = turn @ np.diag([0.8, 0.8, 0.8, 1])
    centre = np.linalg.inv(fine) @ [30, 30, 30, 1]
    grid = np.indices((90, 90, 90)).transpose(1, 2, 3, 0)
    ball = (np.linalg.norm(grid - centre[:3], axis=-1) * 0.8 < 12).astype(np.uint8)
    mask = read_mask(_save(tmp_path / "m.nii.gz", ball, fine), like=image, warn=said.append)
    assert mask.voxel_count == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.01)
    np.testing.assert_allclose(ndimage.center_of_mass(mask.array), (30, 30, 30), atol=0.25)


def test_masks_elsewhere_are_refused(tmp_path: Path) -> None:
    image = read_image(_save(tmp_path / "i.nii", np.zeros((8, 8, 8), dtype=np.int16), AFFINE))
    far = AFFINE.copy()
    far[0, 3] += 500
    with pytest.raises(GeometryError, match="does not overlap"):
        read_mask(_save(tmp_path / "m.nii", np.ones((8, 8, 8), dtype=np.uint8), far), like=image)
    flat = _save(tmp_path / "f.nii", np.ones((8, 8), dtype=np.uint8), AFFINE)
    with pytest.raises(GeometryError, match="axes"):
        read_mask(flat, like=image)


def test_labels_and_probabilities(tmp_path: Path, said: list[str]) -> None:
    labels = np.arange(27).reshape(3, 3, 3).astype(np.int16) % 3
    path = _save(tmp_path / "l.nii", labels, AFFINE)
    image = read_image(path)
    np.testing.assert_array_equal(read_mask(path, like=image).array, labels > 0)
    np.testing.assert_array_equal(read_mask(path, like=image, label=2).array, labels == 2)
    soft = _save(tmp_path / "p.nii", (labels * 0.45).astype(np.float32), AFFINE)
    np.testing.assert_array_equal(read_mask(soft, like=image, warn=said.append).array, labels == 2)
    assert "one half" in said[0]


def test_pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (12, 17), dtype=np.uint8)
    PIL.Image.fromarray(picture).save(tmp_path / "i.png")
    PIL.Image.fromarray((picture > 99).astype(np.uint8) * 255).save(tmp_path / "m.png")
    PIL.Image.fromarray(picture[:5]).save(tmp_path / "small.png")
    image = read_image(tmp_path / "i.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png", like=image).array, picture > 99)
    with pytest.raises(GeometryError, match="no common space"):
        read_mask(tmp_path / "small.png", like=image)


def test_a_mask_some_micrometres_aside_is_moved_there(tmp_path: Path, said: list[str]) -> None:
    pixel = np.diag([0.001, 0.001, 1, 1])
    image = read_image(_save(tmp_path / "i.nii", np.zeros((30, 20, 1), dtype=np.int16), pixel))
    aside = pixel.copy()
    aside[0, 3] = 0.006
    inside = np.zeros((30, 20, 1), dtype=np.uint8)
    inside[3:8, 4:9] = 1
    mask = read_mask(_save(tmp_path / "m.nii", inside, aside), like=image, warn=said.append)
    np.testing.assert_array_equal(mask.array.reshape(30, 20), np.roll(inside[..., 0], 6, axis=0))
    assert "another grid" in said[0]
