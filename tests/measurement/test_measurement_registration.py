"""Registration against known maps (simulated patients), and the failures that it must state."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage as ndi

from groundglass.core import GeometryError, Image, Mask
from groundglass.measurement import MNI_1MM, Grid, WorldTransform, mni152_template, register_brain, resample
from groundglass.measurement.itk_grid import from_itk, to_itk
from groundglass.systems.s66_raidionics import TUMOURS, nilearn_template, simulate_patient


@pytest.mark.parametrize("left_handed", [False, True])
def test_itk_images_keep_every_voxel_where_it_was(left_handed: bool) -> None:
    affine = np.array([[0.9, 0.2, -0.1, 7.0], [-0.2, 1.1, 0.3, -4.0], [0.1, -0.2, 2.4, 30.0], [0, 0, 0, 1]])
    if left_handed:
        affine[:, 0] *= -1
    array = np.random.default_rng(1).random((5, 6, 7)).astype(np.float32)
    image = to_itk(array, affine)
    assert np.array_equal(from_itk(image), array)
    for index in ((0, 0, 0), (4, 5, 6), (1, 3, 2)):
        world = np.array(image.TransformIndexToPhysicalPoint(index)) * [-1, -1, 1]
        assert world == pytest.approx((affine @ [*index, 1])[:3], abs=1e-9)
        assert image[index] == array[index]


def test_resampling_follows_the_map() -> None:
    import SimpleITK as sitk

    move = sitk.TranslationTransform(3, [4.0, 0.0, 0.0])
    array = np.zeros((20, 20, 20), np.uint8)
    array[12, 5, 5] = 3
    onto = Grid((20, 20, 20), np.eye(4))
    # +4 in LPS is -4 in RAS: the voxel at x = 16 of the new grid shows the one at 12.
    assert resample(array, np.eye(4), onto, WorldTransform(move), labels=True)[16, 5, 5] == 3
    assert WorldTransform(move)(np.array([[16.0, 5, 5]])) == pytest.approx(np.array([[12.0, 5, 5]]))


def test_affine_map_of_a_simulated_patient_is_recovered() -> None:
    template = nilearn_template()
    patient = simulate_patient(template, 3)
    exclude = Mask.of(np.linalg.norm(patient.truth - np.array(TUMOURS[0][0]), axis=-1) <= 18, patient.grid.affine)
    found = register_brain(patient.image, template=template, exclude=exclude, deformable=False)
    points = np.argwhere(patient.image.array[0] > 0.2)[::501]
    world = points @ patient.grid.affine[:3, :3].T + patient.grid.affine[:3, 3]
    truth = patient.truth[tuple(points.T)]
    error = np.linalg.norm(found.to_template(world) - truth, axis=1)
    # What the affine map cannot follow is the warp itself: at most 8 mm, 3 mm on average.
    assert error.mean() < 3.5 < np.linalg.norm(world - truth, axis=1).mean()
    assert found.reliable, found.reasons
    assert np.linalg.norm(found.to_patient(found.to_template(world)) - world, axis=1).max() < 1e-6


@pytest.mark.slow
def test_deformable_map_of_a_simulated_patient_is_recovered() -> None:
    template = nilearn_template()
    patient = simulate_patient(template, 4, tumours=False)
    found = register_brain(patient.image, template=template)
    points = np.argwhere(patient.image.array[0] > 0.2)[::501]
    world = points @ patient.grid.affine[:3, :3].T + patient.grid.affine[:3, 3]
    error = np.linalg.norm(found.to_template(world) - patient.truth[tuple(points.T)], axis=1)
    assert error.mean() < 2
    assert found.quality.return_mm < 1


def test_what_is_no_brain_is_stated() -> None:
    from scipy import ndimage as ndi

    noise = ndi.gaussian_filter(np.random.default_rng(0).random((60, 70, 60)), 2).astype(np.float32)
    affine = np.diag([3.0, 3, 3, 1])
    affine[:3, 3] = -90, -105, -90
    found = register_brain(Image.of(noise, affine, name="noise"), deformable=False)
    assert not found.reliable
    assert any("agreement" in reason or "10 mm" in reason for reason in found.reasons)


@pytest.mark.slow
def test_half_a_brain_is_stated() -> None:
    held = mni152_template()
    image = Image.of(held.t1[:, :, :38], held.affine, name="lower half")
    found = register_brain(image, deformable=False)
    assert any("covers" in reason for reason in found.reasons)


def test_a_flat_image_is_refused() -> None:
    with pytest.raises(GeometryError):
        register_brain(Image.of(np.ones((20, 20)), np.eye(4)))
    with pytest.raises(GeometryError):
        register_brain(Image.of(np.ones((20, 20, 20))))


def test_the_template_lies_where_mni152_lies() -> None:
    held = mni152_template()
    assert (held.affine @ [45, 63, 36, 1])[:3].tolist() == [0, 0, 0]
    assert MNI_1MM.affine[0, 3] == 90
    middle = np.argwhere(held.brain).mean(axis=0)
    assert abs((held.affine @ [*middle, 1])[0]) < 1.0


def test_a_small_head_is_recovered() -> None:
    """A head of half the template's volume: from the template's own size, its brain was fitted to the scalp."""
    template = mni152_template()
    voxel = np.linalg.norm(template.affine[:3, :3], axis=0)
    head = np.where(ndi.distance_transform_edt(~template.brain, sampling=voxel) <= 14, template.t1, 0)
    pixels, truth = (
        ndi.affine_transform(array.astype(np.float32), np.eye(3) / 0.8, offset=-0.25 * (np.array(array.shape) - 1) / 2)
        for array in (head, template.brain)
    )
    found = register_brain(Image.of(pixels, template.affine, modality="MR"), deformable=False)
    assert found.reliable
    brain = resample(
        template.brain.astype(np.uint8),
        template.affine,
        Grid(pixels.shape, template.affine),
        found.to_template,
        labels=True,
    )
    assert 2 * float(((truth > 0.5) & (brain > 0)).sum()) / float((truth > 0.5).sum() + (brain > 0).sum()) > 0.97
