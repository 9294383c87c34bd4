"""A cube of an oblique volume and back."""

from __future__ import annotations

import numpy as np
import pytest

from groundglass.core import GeometryError
from groundglass.segmentation.volume_crop import VolumeCrop


def rotation(rng: np.random.Generator) -> np.ndarray:
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return q


@pytest.mark.parametrize("seed", range(8))
def test_a_cube_comes_back_within_half_a_voxel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    affine = np.eye(4)
    affine[:3, :3] = rotation(rng) * rng.uniform(0.8, 3.0, 3)
    affine[:3, 3] = rng.uniform(-200, 200, 3)
    truth = np.zeros((40, 36, 30), dtype=np.float32)
    truth[14:26, 10:24, 9:19] = 1
    crop = VolumeCrop.about(np.array([20.0, 17, 14]), shape=truth.shape, affine=affine, side=64, spacing=1.0)
    back = crop.paste(crop.cut(truth), outside=0.0) > 0.5
    wanted = np.argwhere(truth > 0.5).mean(axis=0)
    assert np.abs(np.argwhere(back).mean(axis=0) - wanted).max() < 0.5
    assert 2 * (back & (truth > 0.5)).sum() / (back.sum() + truth.sum()) > 0.93


def test_axes_are_upright_and_the_middle_is_the_voxel() -> None:
    affine = np.array([[0.0, -2, 0, 50], [0, 0, 3.0, -20], [-1.0, 0, 0, 7], [0, 0, 0, 1]])
    crop = VolumeCrop.about(np.array([5.0, 6, 7]), shape=(20, 20, 20), affine=affine, side=32, spacing=1.5)
    assert np.allclose(crop.affine[:3, :3], 1.5 * np.eye(3))
    assert np.allclose(crop.into(np.array([[5, 6, 7]])), 16)


def test_the_cut_agrees_with_torchio_on_its_own_grid() -> None:
    """Upright 1.5 mm volumes need no interpolation: the cube is torchio's crop about the middle."""
    torchio = pytest.importorskip("torchio")
    rng = np.random.default_rng(0)
    volume = rng.normal(size=(20, 24, 16)).astype(np.float32)
    affine = np.diag([1.5, 1.5, 1.5, 1.0])
    crop = VolumeCrop.about(np.array([10.0, 12, 8]), shape=volume.shape, affine=affine, side=18, spacing=1.5)
    wanted = torchio.CropOrPad(18)(torchio.ScalarImage(tensor=volume[None], affine=affine)).data[0].numpy()
    assert np.allclose(crop.cut(volume), wanted, atol=1e-5)


def test_a_coarser_answer_lies_where_its_cells_do() -> None:
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    crop = VolumeCrop.about(np.array([16.0, 16, 16]), shape=(32, 32, 32), affine=affine, side=32, spacing=1.0)
    cells = np.zeros((8, 8, 8), dtype=np.float32)
    cells[2:5, 3:6, 1:4] = 1
    at = np.argwhere(crop.paste(cells, outside=0.0) > 0.5)
    assert np.allclose(at.mean(axis=0), (np.array([3, 4, 2]) + 0.5) * 4 - 0.5)


def test_a_singular_affine_is_named() -> None:
    with pytest.raises(GeometryError, match="affine"):
        VolumeCrop.about(np.zeros(3), shape=(4, 4, 4), affine=np.zeros((4, 4)), side=4, spacing=1.0)
