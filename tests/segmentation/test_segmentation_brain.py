"""Grids, windows, the tissue mixture and the brain mask, against closed forms."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
import torch
from nibabel.affines import apply_affine

from groundglass.measurement import asymmetry_index, evans_index, parenchymal_fraction
from groundglass.segmentation.brain_mr import closed_ball
from groundglass.segmentation.sliding import label_map, predict_windows, window_starts
from groundglass.segmentation.tissue_mixture import refine
from groundglass.segmentation.working_grid import working_grid


@pytest.mark.parametrize("axes", ["RAS", "LAS", "LPS", "PIR", "SAL"])
def test_a_one_mm_file_is_only_turned_and_comes_back_exactly(axes: str) -> None:
    pixels = np.random.default_rng(0).random((23, 17, 30)).astype(np.float32)
    affine = nib.orientations.inv_ornt_aff(nib.orientations.axcodes2ornt(axes), pixels.shape)
    affine[:3, 3] += (-40, 7.3, 12)
    grid = working_grid(pixels, affine)
    assert np.array_equal(grid.back(grid.pixels), pixels)
    assert nib.aff2axcodes(grid.affine) == ("R", "A", "S")
    canonical = nib.as_closest_canonical(nib.Nifti1Image(pixels, affine))
    assert np.array_equal(grid.pixels, canonical.get_fdata().astype(np.float32))
    assert np.allclose(grid.affine, canonical.affine)


def test_an_oblique_coarse_volume_keeps_world_positions() -> None:
    angle = np.deg2rad(25)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([0.9, 0.9, 4.0])
    affine[:3, 3] = (-30, -40, -20)
    centre = np.array([2.0, 1.0, 10.0])
    at = apply_affine(affine, np.moveaxis(np.indices((70, 80, 16)), 0, -1))
    pixels = np.exp(-((at - centre) ** 2).sum(-1) / (2 * 8.0**2)).astype(np.float32)
    grid = working_grid(pixels, affine)
    world = apply_affine(grid.affine, np.moveaxis(np.indices(grid.pixels.shape), 0, -1))
    found = (world * grid.pixels[..., None]).sum((0, 1, 2)) / grid.pixels.sum()
    # The file cuts the blob's tail, so its own centroid is the truth.
    assert np.allclose(found, (at * pixels[..., None]).sum((0, 1, 2)) / pixels.sum(), atol=0.15)
    assert np.abs(grid.back(grid.pixels) - pixels)[8:-8, 8:-8, 2:-2].max() < 0.08


def test_windows_cover_and_blend_to_the_identity() -> None:
    volume = torch.rand(50, 37, 41) + 0.1
    found = predict_windows(lambda p: torch.cat([p, 2 * p], 1), volume, channels=2, window=(32, 32, 48), stride=16)
    assert torch.allclose(found[0], volume, atol=1e-5)
    assert torch.allclose(found[1], 2 * volume, atol=1e-5)
    assert window_starts(100, 40, 0.25) == [0, 30, 60]


def test_label_map_is_argmax() -> None:
    shares = torch.rand(7, 12, 13, 14)
    assert np.array_equal(label_map(shares), shares.argmax(0).numpy())


@pytest.mark.parametrize("means", [(0.3, 0.6, 0.9), (0.9, 0.6, 0.3), (0.2, 0.9, 0.6)])
def test_the_mixture_learns_any_contrast_and_removes_bias(means: tuple[float, float, float]) -> None:
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, 48)] * 3, indexing="ij")
    radius = np.sqrt(x**2 + y**2 + z**2) + 0.06 * np.sin(9 * x) * np.sin(9 * y) * np.sin(9 * z)
    truth = np.select([radius > 0.9, radius > 0.75, radius > 0.5], [0, 1, 2], 3)
    rng = np.random.default_rng(0)
    table = np.array([0.0, *means])
    image = (table[truth] * (1 + 0.2 * x + 0.1 * y * z) + 0.03 * rng.standard_normal(x.shape)).astype(np.float32)
    smooth = np.sqrt(x**2 + y**2 + z**2)
    edges = (0.9, 0.75, 0.5)
    soft = [1 / (1 + np.exp(-(smooth - e) * 25)) for e in edges]
    prior = np.stack([soft[0], soft[1] - soft[0], soft[2] - soft[1], 1 - soft[2]]).astype(np.float32) + 1e-3
    prior /= prior.sum(axis=0)
    before = (prior.argmax(0) == truth).mean()
    after = (refine(image, prior, [0, 0, 1, 2]).argmax(0) == truth).mean()
    assert after > 0.97 and after > before + 0.02


def test_closing_fills_a_narrow_gap_and_not_a_wide_one() -> None:
    mask = np.zeros((40, 40, 40), dtype=bool)
    mask[5:35, 5:35, 5:35] = True
    mask[10:13, :, 15:] = False
    mask[18:32, 10:30, 20:] = False
    closed = closed_ball(mask, 4.0, (1, 1, 1))
    assert closed[11, 20, 20] and not closed[25, 20, 34]
    assert closed[mask].all()


def test_evans_index_of_boxes() -> None:
    shape = (160, 200, 60)
    skull, horns, thalami = (np.zeros(shape, dtype=bool) for _ in range(3))
    skull[15:145, 10:190] = True
    thalami[70:90, 80:100, 20:30] = True
    horns[62:75, 110:130, 25:35] = horns[85:98, 110:130, 25:35] = True
    horns[50:110, 60:80, 25:35] = True
    found = evans_index(horns, thalami, skull)
    assert found is not None
    assert found.ratio == pytest.approx(36 / 130)
    assert found.horns.points[0][0] == 61.5 and found.horns.points[1][0] == 97.5
    assert found.horns.points[0][2] == found.skull.points[0][2]
    assert evans_index(np.zeros(shape, bool), thalami, skull) is None


def test_indices() -> None:
    assert asymmetry_index(11.0, 9.0) == pytest.approx(0.2)
    assert asymmetry_index(0.0, 0.0) == 0.0
    assert parenchymal_fraction(1200.0, 300.0) == pytest.approx(0.8)
    with pytest.raises(ValueError, match="neither"):
        parenchymal_fraction(0.0, 0.0)
