"""A PET/CT in its frame: scaled as said, the head kept, and masks that come back to the voxel."""

from __future__ import annotations

import numpy as np
import pytest

from groundglass.core import GeometryError, Image, InputError, Mask
from groundglass.segmentation.pet_frame import PetFrame

SUV = "g/mL{SUVbw}"
SPACING = np.diag([4.0, 5.0, 6.0, 1.0])


def pet_of(values: np.ndarray, affine: np.ndarray = SPACING) -> Image:
    return Image.of(values.astype(np.float32), affine, name="PET", modality="PT", units=SUV)


def ct_of(values: np.ndarray, affine: np.ndarray = SPACING) -> Image:
    return Image.of(values.astype(np.float32), affine, name="CT", modality="CT", units="[hnsf'U]")


def body(shape: tuple[int, int, int] = (12, 10, 20)) -> np.ndarray:
    rng = np.random.default_rng(0)
    values = np.zeros(shape)
    values[2:10, 3:8, 1:19] = rng.uniform(0.3, 15, (8, 5, 18))
    return values


def test_values_are_scaled_and_the_head_is_kept() -> None:
    values = body()
    hu = np.random.default_rng(1).uniform(-300, 400, values.shape)
    framed = PetFrame.of(pet_of(values), ct_of(hu), frame=(10, 4, 16))
    inside = (slice(2, 10), slice(3, 7), slice(3, 19))  # one row too many across, two slices too many at the feet
    assert framed.pixels.shape == (2, 10, 4, 16)
    assert np.allclose(framed.pixels[0, 1:9], np.clip(values[inside] / 10, 0, 1), atol=1e-6)
    assert np.allclose(framed.pixels[1, 1:9], np.clip((hu[inside] + 150) / 400, 0, 1), atol=1e-5)
    assert not framed.pixels[:, [0, 9]].any()
    taller = PetFrame.of(pet_of(values), ct_of(hu), frame=(8, 5, 24)).pixels
    assert not taller[..., :6].any()
    assert np.allclose(taller[0, ..., 6:], np.clip(values[2:10, 3:8, 1:19] / 10, 0, 1), atol=1e-6)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, -1), (1, -1, 1)])
def test_the_way_there_and_back_in_any_storage(axes: tuple[int, int, int], flips: tuple[int, int, int]) -> None:
    values, lesion = body(), np.zeros((12, 10, 20), dtype=bool)
    lesion[4:6, 5:7, 12:15] = True
    upright = PetFrame.of(pet_of(values), ct_of(values), frame=(16, 8, 24))
    turn = np.zeros((4, 4))  # stored index -> upright index
    turn[3, 3] = 1
    for stored, world in enumerate(axes):
        turn[world, stored] = flips[stored]
        turn[world, 3] = 0 if flips[stored] > 0 else values.shape[world] - 1
    step = tuple(slice(None, None, f) for f in flips)
    stored_values, stored_lesion = (np.ascontiguousarray(a.transpose(axes)[step]) for a in (values, lesion))
    pet = pet_of(stored_values, SPACING @ turn)
    framed = PetFrame.of(pet, ct_of(values), frame=(16, 8, 24))
    assert np.allclose(framed.pixels, upright.pixels, atol=1e-5)
    held = framed.framed(Mask.of(stored_lesion, pet.affine))
    assert np.array_equal(held, upright.framed(Mask.of(lesion, SPACING)))
    back = framed.mask(held)
    assert np.array_equal(back.array, stored_lesion)
    assert np.array_equal(back.affine, pet.affine)


def test_a_ct_of_another_grid_lies_where_it_belongs() -> None:
    values = body()
    fine = SPACING @ np.diag([0.5, 0.5, 0.5, 1.0])
    fine[:3, 3] = (-4, 0, 0)
    z = np.arange(30) * 3.0  # mm; the last slices of the PET lie beyond it
    hu = np.broadcast_to(z * 2 - 100, (30, 24, 30))
    framed = PetFrame.of(pet_of(values), ct_of(hu, fine), frame=(8, 5, 18))
    wanted = np.array([k * 12 - 100 if k * 6 <= 87 else -1024 for k in range(1, 19)])
    assert np.allclose(framed.pixels[1, 3, 2], np.clip((wanted + 150) / 400, 0, 1), atol=1e-4)


def test_what_is_no_exam_is_refused() -> None:
    values = body()
    pet, ct = pet_of(values), ct_of(values)
    with pytest.raises(InputError):
        PetFrame.of(ct_of(values), ct)
    with pytest.raises(InputError):
        PetFrame.of(pet_of(values * 0), ct)
    with pytest.raises(InputError):
        PetFrame.of(pet, Image.of(values[:, :, 0]))
    with pytest.raises(GeometryError):
        PetFrame.of(pet, ct).framed(Mask.of(values[:5] > 1, SPACING))
