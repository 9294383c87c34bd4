"""The brain generator: moments, blur, sides and replay (card 28, check 4)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from groundglass.synthesis.brain_anatomy import LABEL_COUNT, apply_anatomy, draw_anatomy
from groundglass.synthesis.brain_artefacts import add_noise, apply_gamma_and_bias, draw_artefacts
from groundglass.synthesis.brain_atlases import PAIRED, BrainAtlas
from groundglass.synthesis.brain_contrast import Contrast, apply_contrast, draw_contrast
from groundglass.synthesis.resolution import blur_sigma, draw_resolution, gaussian_blur


@pytest.fixture(scope="module")
def atlas() -> BrainAtlas:
    """A small head in the place of the real atlas: two halves of white matter in cortex, each with a ventricle."""
    shape = (81, 81, 81)
    x, y, z = np.meshgrid(*[np.arange(n) - 40.0 for n in shape], indexing="ij")
    radius = np.sqrt(x**2 + y**2 + z**2)
    ventricle = np.sqrt((np.abs(x) - 12) ** 2 + y**2 + z**2) - 6
    labels = np.select([radius > 36, ventricle < 0, radius < 28], [0, 4, 3], 2).astype(np.uint8)
    gradient = np.stack(np.gradient(ventricle)).astype(np.float32)
    return BrainAtlas(
        labels=labels,
        grey=(labels == 2).astype(np.float32),
        white=(labels == 3).astype(np.float32),
        depth=(radius - 36).astype(np.float32),
        ventricle=ventricle.astype(np.float32),
        outward=gradient / np.maximum(np.linalg.norm(gradient, axis=0), 1e-3),
        affine=np.array([[1.0, 0, 0, -40], [0, 1, 0, -58], [0, 0, 1, -35], [0, 0, 0, 1]]),
    )


def test_a_label_has_the_mean_and_spread_that_were_drawn() -> None:
    mean, spread = np.zeros(LABEL_COUNT, np.float32), np.zeros(LABEL_COUNT, np.float32)
    mean[3], spread[3] = 140.0, 17.0
    image = apply_contrast(Contrast(mean, spread), torch.full((60, 60, 60), 3), np.random.default_rng(0))
    assert float(image.mean()) == pytest.approx(140, rel=0.02)
    assert float(image.std()) == pytest.approx(17, rel=0.02)


@pytest.mark.parametrize("thickness", [3.0, 5.0, 8.5])
def test_slice_blur_has_the_width_of_theory(thickness: float) -> None:
    line = torch.zeros(1, 1, 121)
    line[0, 0, 60] = 1
    profile = gaussian_blur(line, (0, 0, blur_sigma(thickness)))[0, 0].numpy()
    at = np.linspace(0, 120, 12001)
    above = at[np.interp(at, np.arange(121), profile) >= profile.max() / 2]
    theory = 2 * np.sqrt(2 * np.log(2)) * np.log(5) / np.pi * thickness
    assert above[-1] - above[0] == pytest.approx(theory, rel=0.05)


def test_thin_slices_are_not_blurred() -> None:
    assert blur_sigma(1.0) == 0.0


def test_mirrored_anatomy_has_its_sides_swapped(atlas: BrainAtlas) -> None:
    from dataclasses import replace

    shape = (64, 64, 64)
    drawn = draw_anatomy(np.random.default_rng(3), shape, head_probability=0)
    straight = replace(
        drawn.deformation, matrix=np.eye(3), centre=np.array([0.0, -18, 5]), field=drawn.deformation.field * 0,
        fine=drawn.deformation.fine * 0, flip=False,
    )  # fmt: skip
    plain = replace(drawn, deformation=straight, fluid_bias=drawn.fluid_bias * 0, folds=None, lesions=None)
    _, labels, right = apply_anatomy(plain, atlas, shape)
    _, mirrored, mirrored_right = apply_anatomy(replace(plain, deformation=replace(straight, flip=True)), atlas, shape)
    paired = torch.isin(labels, torch.tensor(PAIRED))
    assert torch.equal(labels.flip(0), mirrored)
    # What lies at larger x is right in both: the mirrored patch names the other half of the atlas right.
    assert right[40:].all() and not right[:24].any()
    assert torch.equal(mirrored_right[paired.flip(0)], right[paired.flip(0)])


def test_ventricles_widen_and_shrink_as_drawn(atlas: BrainAtlas) -> None:
    from dataclasses import replace

    shape = (65, 65, 65)
    drawn = draw_anatomy(np.random.default_rng(3), shape, head_probability=0)
    volumes = []
    for widening in (-2.0, 0.0, 4.0, 8.0):
        deformation = replace(
            drawn.deformation, matrix=np.eye(3), centre=np.array([0.0, -18, 5]), field=drawn.deformation.field * 0,
            fine=drawn.deformation.fine * 0, widening=widening,
        )  # fmt: skip
        _, labels, _ = apply_anatomy(replace(drawn, deformation=deformation, folds=None, lesions=None), atlas, shape)
        volumes.append(int((labels == 4).sum()))
    assert volumes[0] < volumes[1] < volumes[2] < volumes[3]
    # Two spheres of radius 6 voxels.
    assert volumes[1] == pytest.approx(2 * 4 / 3 * np.pi * 6**3, rel=0.08)
    assert volumes[3] > 3 * volumes[1]


def test_the_same_seed_gives_the_same_anatomy(atlas: BrainAtlas) -> None:
    shape = (48, 48, 48)
    first, second = (apply_anatomy(draw_anatomy(np.random.default_rng(8), shape), atlas, shape) for _ in range(2))
    other = apply_anatomy(draw_anatomy(np.random.default_rng(9), shape), atlas, shape)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not torch.equal(first[0], other[0])


def test_draws_stay_in_the_ranges_of_the_paper() -> None:
    rng = np.random.default_rng(1)
    contrasts = [draw_contrast(rng, tied_probability=0) for _ in range(200)]
    foreground = np.stack([c.mean[1:21] for c in contrasts])
    assert foreground.min() >= 25 and foreground.max() <= 225
    assert 0.4 < np.mean([c.mean[0] == 0 for c in contrasts]) < 0.6
    resolutions = [draw_resolution(rng) for _ in range(300)]
    assert all(1 <= s <= 8.5 and t <= 6 for r in resolutions for s, t in zip(r.spacing, r.thickness, strict=True))
    mild, severe = (draw_artefacts(rng, (64, 64, 64), severe=s) for s in (False, True))
    assert mild.noise <= 0.02 and 5 <= severe.noise <= 15


def test_noise_is_added_on_the_scale_of_the_intensities() -> None:
    rng = np.random.default_rng(2)
    artefacts = draw_artefacts(rng, (40, 40, 40), severe=True)
    noisy = add_noise(artefacts, torch.full((40, 40, 40), 150.0), rng)
    assert float(noisy.std()) == pytest.approx(artefacts.noise, rel=0.03)
    assert torch.isfinite(apply_gamma_and_bias(artefacts, noisy)).all()


def test_an_affine_registration_is_off_by_its_misfit_and_the_bend() -> None:
    from dataclasses import replace

    from groundglass.synthesis.brain_deformation import atlas_positions, draw_deformation, registered_positions

    shape = (24, 20, 28)
    drawn = draw_deformation(np.random.default_rng(5), shape)
    exact = replace(
        drawn, field=drawn.field * 0, fine=drawn.fine * 0, misfit=np.column_stack([np.eye(3), np.zeros(3)])
    )  # fmt: skip
    at = atlas_positions(exact, shape, voxel=1.0)
    assert torch.allclose(registered_positions(exact, shape, voxel=1.0), at, atol=1e-3)
    moved = registered_positions(replace(exact, misfit=np.column_stack([np.eye(3), [1.0, -2, 3]])), shape, voxel=1.0)
    assert torch.allclose(moved - at, torch.tensor([1.0, -2, 3])[:, None, None, None].expand_as(at), atol=1e-3)
    assert np.abs(drawn.misfit[:, 3]).max() <= 3


def test_share_maps_are_read_at_millimetres() -> None:
    from groundglass.synthesis import ShareMaps, halved

    rng = np.random.default_rng(4)
    shares = torch.from_numpy(rng.random((3, 7, 8, 9)).astype(np.float32))
    affine = np.array([[2.0, 0, 0, -5], [0, 2, 0, 3], [0, 0, 2, 1], [0, 0, 0, 1]])
    index = torch.stack(torch.meshgrid(*[torch.arange(n, dtype=torch.float32) for n in (7, 8, 9)], indexing="ij"))
    millimetres = 2 * index + torch.tensor([-5.0, 3, 1])[:, None, None, None]
    assert torch.allclose(ShareMaps(shares, affine).at(millimetres), shares, atol=1e-5)
    assert torch.equal(halved(index[:, :6, :, :8])[:, 0, 0, 0], torch.full((3,), 0.5))


def test_batches_replay_from_any_number(atlas: BrainAtlas) -> None:
    from itertools import islice

    from groundglass.synthesis import BrainBatches, ShareMaps

    maps = ShareMaps(
        torch.from_numpy(np.eye(14, dtype=np.float32)[atlas.labels[::8, ::8, ::8]]).movedim(-1, 0), atlas.affine
    )
    batches = BrainBatches(maps, (16, 16, 16), seed=2, atlases=(atlas,))
    five = list(islice(batches, 6))
    for first, again in zip(five[3:], islice(batches.starting_at(3), 3), strict=True):
        assert all(torch.equal(first[key], again[key]) for key in first)
    # Four images of one anatomy, then another one.
    assert all(torch.equal(five[0]["structures"], b["structures"]) for b in five[:4])
    assert not torch.equal(five[0]["image"], five[1]["image"])
    assert five[0]["expected"].shape == (1, 14, 8, 8, 8)


def test_the_person_beside_the_average_has_every_structure_in_its_place() -> None:
    from groundglass.synthesis import STRUCTURES, colin_atlas

    atlas = colin_atlas()
    ml = np.bincount(atlas.labels.ravel(), minlength=len(STRUCTURES)) / 1000
    volume = dict(zip(STRUCTURES, ml, strict=True))
    # mL of a healthy adult on the scale of MNI152, which is about a third larger than a brain.
    plausible = {
        "cerebral cortex": (500, 850),
        "cerebral white matter": (450, 800),
        "lateral ventricle": (10, 45),
        "brainstem": (25, 50),
        "thalamus": (9, 20),
        "putamen": (8, 18),
        "caudate nucleus": (7, 16),
    }
    for name, (low, high) in plausible.items():
        assert low < volume[name] < high, name
    right = np.arange(len(atlas.labels)) + atlas.affine[0, 3] > 0
    for value in PAIRED:
        both = atlas.labels == value
        assert both[right].sum() / both.sum() == pytest.approx(0.5, abs=0.1), STRUCTURES[value]
    inside = atlas.labels > 0
    assert (atlas.grey + atlas.white)[inside].max() <= 1 + 1e-6
    # Distances: negative inside, and a sulcus is nearer to the surface than white matter is.
    assert (atlas.depth[inside] <= 0).all()
    assert atlas.depth[atlas.labels == 3].mean() < atlas.depth[atlas.labels == 1].mean() < 0
