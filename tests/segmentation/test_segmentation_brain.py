"""Grids, windows, tissue evidence, the brain network's start and the brain mask, against closed forms."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
import torch
from nibabel.affines import apply_affine

from groundglass.core import Image
from groundglass.measurement import asymmetry_index, evans_index, parenchymal_fraction
from groundglass.nets.prior_unet import LEAST_SHARE, PriorUNet
from groundglass.nets.tissue_evidence import BETWEEN, FLUID, GREY, OUTSIDE, WHITE, tissue_evidence
from groundglass.segmentation.brain_mr import brain_mask, brain_shares, on_one_grid
from groundglass.segmentation.brain_prior import positions_of
from groundglass.segmentation.sliding import label_map, predict_windows, window_starts
from groundglass.segmentation.ventricle_wall import sharpen_ventricles
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


def shells() -> tuple[np.ndarray, torch.Tensor]:
    """Truth (outside, fluid, grey, white) of wavy shells in 48 cubes, and smooth expected shares at half resolution."""
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, 48)] * 3, indexing="ij")
    smooth = np.sqrt(x**2 + y**2 + z**2)
    radius = smooth + 0.06 * np.sin(9 * x) * np.sin(9 * y) * np.sin(9 * z)
    truth = np.select([radius > 0.9, radius > 0.75, radius > 0.5], [0, 1, 2], 3)
    soft = [1 / (1 + np.exp(-(smooth - e) * 25)) for e in (0.9, 0.75, 0.5)]
    shares = np.stack([soft[0], soft[1] - soft[0], soft[2] - soft[1], 1 - soft[2]]).astype(np.float32)
    return truth, torch.nn.functional.avg_pool3d(torch.from_numpy(shares)[None], 2)


TISSUE = (OUTSIDE, FLUID, GREY, WHITE)


@pytest.mark.parametrize("means", [(0.3, 0.6, 0.9), (0.9, 0.6, 0.3), (0.2, 0.9, 0.6)])
def test_evidence_finds_the_tissues_in_any_contrast(means: tuple[float, float, float]) -> None:
    truth, shares = shells()
    noise = 0.03 * np.random.default_rng(0).standard_normal(truth.shape)
    image = torch.from_numpy((np.array([0.0, *means])[truth] + noise).astype(np.float32))[None, None]
    evidence = tissue_evidence(image, shares, torch.tensor(TISSUE))[0]
    assert (evidence.amax(0) == 0).all()
    order = torch.tensor([OUTSIDE, FLUID, GREY, WHITE])
    found = evidence[order].argmax(0).numpy()
    assert (found == truth)[truth > 0].mean() > 0.95
    between = torch.logaddexp(evidence[GREY], evidence[WHITE]) - np.log(2)
    inner = torch.from_numpy(truth >= 2) & (evidence[BETWEEN] > -5)
    assert torch.allclose(evidence[BETWEEN][inner], between[inner], atol=0.05)


def test_evidence_is_the_same_for_a_scaled_image_and_for_its_negative() -> None:
    truth, shares = shells()
    noise = 0.05 * np.random.default_rng(1).standard_normal(truth.shape)
    image = torch.from_numpy((np.array([0.1, 0.3, 0.6, 0.9])[truth] + noise).astype(np.float32))[None, None]
    tissue = torch.tensor(TISSUE)
    plain = tissue_evidence(image, shares, tissue)
    for other in (3.7 * image, 1 - image):
        again = tissue_evidence(other, shares, tissue)
        same = plain[:, :4].argmax(1) == again[:, :4].argmax(1)
        assert same.float().mean() > 0.99


def test_an_untrained_network_answers_with_prior_and_evidence() -> None:
    _, shares = shells()
    image = torch.rand(1, 1, 48, 48, 48)
    network = PriorUNet(tissue=TISSUE, filters=(4, 6, 8)).eval()
    with torch.no_grad():
        logits = network(image, shares)
    wide = torch.nn.functional.interpolate((shares + LEAST_SHARE).log(), scale_factor=2, mode="trilinear")
    evidence = tissue_evidence(image, shares, network.tissue)[:, network.tissue]
    assert torch.allclose(logits, wide + 0.7 * evidence, atol=1e-5)


def test_windows_of_a_volume_agree_with_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that only passes the atlas on gives the atlas's shares at every place, in whatever windows."""
    from groundglass.segmentation import brain_mr
    from groundglass.segmentation.brain_prior import share_maps

    def passing(_image: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.interpolate(expected.clamp(min=1e-6).log(), scale_factor=2, mode="nearest")

    monkeypatch.setattr(brain_mr, "WINDOW", (64, 64, 64))
    to_template = np.array([[2.0, 0, 0, -91], [0, 2, 0, -127], [0, 0, 2, -73], [0, 0, 0, 1]])
    pixels = np.random.default_rng(0).random((92, 110, 92)).astype(np.float32)
    box, shares = brain_shares(passing, pixels, to_template)  # type: ignore[arg-type]
    assert all(0 <= s.start < s.stop <= n for s, n in zip(box, pixels.shape, strict=True))
    assert torch.allclose(shares.sum(0), torch.ones(()), atol=1e-4)
    inside = tuple(slice(s.start + s.start % 2, s.stop - 2) for s in box)
    expected = share_maps().at(positions_of(to_template, inside))
    here = tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(inside, box, strict=True))
    assert (shares[(slice(None), *here)] - expected).abs().mean() < 0.01


@pytest.mark.parametrize(("fluid", "tissue", "plexus"), [(0.1, 0.8, 0.6), (0.9, 0.25, 0.8), (0.1, 0.6, 0.9)])
def test_the_ventricles_wall_lies_where_the_intensity_is_half_way(fluid: float, tissue: float, plexus: float) -> None:
    """An ellipsoid with partial volume and a plexus in it; the network's one is 1 mm too large all around."""
    x, y, z = np.meshgrid(*[np.arange(56) - 27.5] * 3, indexing="ij")
    depth = 10 - np.sqrt((x / 1.4) ** 2 + y**2 + (z / 1.2) ** 2)
    truth = 4 / 3 * np.pi * 10**3 * 1.4 * 1.2
    share = np.clip(depth / 1.2 + 0.5, 0, 1)
    pixels = tissue + (fluid - tissue) * share
    pixels[depth > 5] = plexus
    pixels = (pixels + 0.02 * np.random.default_rng(0).standard_normal(x.shape)).astype(np.float32)
    guess = (1 / (1 + np.exp(-2 * (depth + 1)))).astype(np.float32)
    shares = torch.from_numpy(np.stack([np.zeros_like(guess), 0.02 * (1 - guess), 0.98 * (1 - guess), guess]))
    assert float(shares[3].sum()) > 1.2 * truth
    found = sharpen_ventricles(shares.clone(), [pixels], [3], 1)
    assert torch.allclose(found.sum(0), torch.ones(()), atol=1e-3)
    assert float(found[3].sum()) == pytest.approx(truth, rel=0.04)
    flat = sharpen_ventricles(shares.clone(), [np.full_like(pixels, 0.5)], [3], 1)
    assert torch.equal(flat, shares)


def test_images_are_grouped_by_their_grid() -> None:
    def image(name: str, shift: float) -> Image:
        affine = np.eye(4)
        affine[0, 3] = shift
        return Image.of(np.zeros((8, 8, 8), np.float32), affine, name=name, modality="MR")

    groups = on_one_grid([image("T1", 0), image("T2", 3), image("FLAIR", 0.001)])
    assert [[i.name for i in group] for group in groups] == [["T1", "FLAIR"], ["T2"]]


def test_a_brain_has_its_fluid_and_no_holes() -> None:
    labels = np.zeros((20, 20, 20), dtype=np.uint8)
    labels[4:16, 4:16, 4:16] = 1
    labels[6:14, 6:14, 6:14] = 3
    labels[9:11, 9:11, 9:11] = 0
    assert brain_mask(labels).sum() == 12**3


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
