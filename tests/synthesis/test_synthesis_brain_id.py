"""Brain-ID's generator: moments, mixtures, geometry, grades, replay; against torchio, SciPy, closed forms."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from scipy import ndimage as ndi

from groundglass.synthesis.brain_artefacts import Artefacts
from groundglass.synthesis.brain_atlases import LABEL, BrainAtlas
from groundglass.synthesis.brain_id.contrast import LabelContrast, draw_label_contrast, paint
from groundglass.synthesis.brain_id.drawing import Placement, draw_item
from groundglass.synthesis.brain_id.generator import BrainItems, render_item
from groundglass.synthesis.brain_id.subject import (
    FLUID,
    GREY,
    GREY_TO_FLUID,
    LABEL_COUNT,
    OUTSIDE_BRAIN,
    OWN,
    PURE_FLUID,
    WHITE,
    WHITE_TO_GREY,
    BrainSubject,
    generation_labels,
)
from groundglass.synthesis.fields import coarse_noise, flow, smooth_field
from groundglass.synthesis.resolution import Resolution, gaussian_blur

SHAPE = (40, 44, 36)


@pytest.fixture(scope="module")
def subject() -> BrainSubject:
    """A ball of fluid, grey and white shells with a block of cerebellum, in a head; x = 0 is the middle plane."""
    x, y, z = (torch.arange(n) - n / 2 + 0.5 for n in (64, 64, 64))
    r = (x[:, None, None] ** 2 + y[None, :, None] ** 2 + z[None, None, :] ** 2).sqrt()
    codes = torch.full((64, 64, 64), OUTSIDE_BRAIN + 1, dtype=torch.int16)
    structures = torch.zeros((64, 64, 64), dtype=torch.uint8)
    shells = (
        (26, PURE_FLUID, "cerebrospinal fluid"),
        (23, GREY, "cerebral cortex"),
        (19, WHITE, "cerebral white matter"),
    )
    for radius, code, name in shells:
        codes[r < radius], structures[r < radius] = code, LABEL[name]
    low = (r < 23) & (z < -12)[None, None]
    codes[low], structures[low] = OWN + LABEL["cerebellar cortex"], LABEL["cerebellar cortex"]
    affine = np.eye(4)
    affine[:3, 3] = -31.5
    return BrainSubject(codes, structures, (structures > 0) * (1 + 0.01 * x[:, None, None]).float(), affine)


def still(shape: tuple[int, int, int], *, flip: bool = False) -> Placement:
    """The patch in the middle of the subject, unbent."""
    return Placement(np.eye(3), np.zeros(3), np.zeros((3, 2, 2, 2), np.float32), False, flip)


def test_a_label_has_the_mean_and_the_spread_that_were_drawn() -> None:
    rng = np.random.default_rng(1)
    contrast = draw_label_contrast(rng)
    for label in (WHITE, WHITE_TO_GREY + 20, GREY_TO_FLUID + 49, OWN + 11):
        cube = paint(contrast, torch.full((80, 80, 80), label, dtype=torch.int16), rng)
        assert float(cube.mean()) == pytest.approx(contrast.mean[label], rel=0.02)
        assert float(cube.std()) == pytest.approx(contrast.spread[label], rel=0.02)


def test_labels_are_painted_as_torchio_paints_them() -> None:
    import torchio

    labels = torch.from_numpy(np.random.default_rng(0).integers(0, 5, (1, 48, 48, 48)).astype(np.int16))
    mean, spread = np.zeros(LABEL_COUNT, np.float32), np.zeros(LABEL_COUNT, np.float32)
    mean[:5], spread[:5] = (10, 60, 110, 160, 210), (3, 6, 9, 12, 15)
    torch.manual_seed(0)
    theirs = torchio.LabelsToImage(
        label_key="labels",
        used_labels=list(range(5)),
        mean=mean[:5].tolist(),
        std=spread[:5].tolist(),
    )(torchio.Subject(labels=torchio.LabelMap(tensor=labels)))["image_from_labels"].data[0]
    ours = paint(LabelContrast(mean, spread), labels[0], np.random.default_rng(2))
    for label in range(5):
        here = labels[0] == label
        assert float(ours[here].mean()) == pytest.approx(float(theirs[here].mean()), abs=0.4)
        assert float(ours[here].std()) == pytest.approx(float(theirs[here].std()), rel=0.03)


def test_mixtures_lie_between_their_tissues() -> None:
    contrast = draw_label_contrast(np.random.default_rng(3))
    mean, variance = contrast.mean, contrast.spread**2
    for start, first, second in ((WHITE_TO_GREY, WHITE, GREY), (GREY_TO_FLUID, GREY, FLUID)):
        assert mean[start] == mean[first]
        assert mean[start + 25] == pytest.approx((mean[first] + mean[second]) / 2, rel=1e-5)
        assert variance[start + 10] == pytest.approx(0.8 * variance[first] + 0.2 * variance[second], rel=1e-4)
    assert (mean[PURE_FLUID], variance[PURE_FLUID]) == (mean[FLUID], variance[FLUID])


def test_generation_labels_say_how_much_of_what() -> None:
    labels = np.array(
        [[[LABEL["cerebral cortex"]] * 3 + [LABEL["lateral ventricle"], LABEL["thalamus"], 0, 0]]], np.uint8
    )
    grey = np.array([[[0.5, 1.0, 0.6, 0.0, 1.0, 0.0, 0.0]]], np.float32)
    white = np.array([[[0.5, 0.0, 0.0, 0.3, 0.0, 0.0, 0.0]]], np.float32)
    depth = np.array([[[-1, -1, -1, -1, -1, 1.0, 99.0]]], np.float32)
    atlas = BrainAtlas(labels, grey, white, depth, depth, np.zeros((3, 1, 1, 7), np.float32), np.eye(4))
    expected = [WHITE_TO_GREY + 25, WHITE_TO_GREY + 50, GREY_TO_FLUID + 20, PURE_FLUID, OWN + LABEL["thalamus"]]
    assert generation_labels(atlas)[0, 0].tolist() == [*expected, OUTSIDE_BRAIN, 0]


def test_an_unmoved_patch_is_the_subject(subject: BrainSubject) -> None:
    draw = replace(draw_item(np.random.default_rng(4), SHAPE), placement=still(SHAPE), photo=False)
    item = render_item(draw, subject)
    cut = tuple(slice(32 - n // 2, 32 + n // 2) for n in SHAPE)
    assert torch.equal(item.structures, subject.structures[cut])
    torch.testing.assert_close(item.target, subject.target[cut], atol=1e-5, rtol=0)
    assert item.right[: SHAPE[0] // 2].sum() == 0 and bool(item.right[SHAPE[0] // 2 :].all())


def test_a_mirrored_patch_has_its_sides_swapped(subject: BrainSubject) -> None:
    draw = replace(draw_item(np.random.default_rng(5), SHAPE), placement=still(SHAPE), photo=False)
    plain = render_item(draw, subject)
    mirrored = render_item(replace(draw, placement=still(SHAPE, flip=True)), subject)
    torch.testing.assert_close(mirrored.target, plain.target.flip(0), atol=1e-5, rtol=0)
    # What lies at larger x is right in both, whichever half of the subject it shows.
    assert torch.equal(mirrored.right, plain.right)


def test_images_of_an_item_share_everything_but_their_looks(subject: BrainSubject) -> None:
    draw = draw_item(np.random.default_rng(6), SHAPE)
    item = render_item(draw, subject)
    assert [a.severe for a in draw.acquisitions] == [False, False, True, True]
    assert item.images.shape == (4, *SHAPE) and float(item.images.min()) >= 0
    assert item.images.amax((1, 2, 3)).tolist() == pytest.approx([1.0] * 4)
    # Without blur, noise and field the edges of all images are the edges of the one structure map.
    quiet = Artefacts(1.0, np.zeros((1, 2, 2, 2), np.float32), 0.0)
    fine = Resolution((1.0,) * 3, (1.0,) * 3)
    plain = tuple(replace(a, artefacts=quiet, resolution=fine) for a in draw.acquisitions)
    flat = np.random.default_rng(7).uniform(25, 225, LABEL_COUNT).astype(np.float32)
    item = render_item(
        replace(draw, acquisitions=plain, photo=False, placement=still(SHAPE)),
        subject,
        contrast=lambda _: LabelContrast(flat, np.zeros_like(flat)),
    )
    torch.testing.assert_close(item.images[0], item.images[3])
    for value in item.structures.unique():
        assert float(item.images[0][item.structures == value].std()) < 1e-5


def test_photographs_show_a_brain_without_its_hind_part_in_coronal_slabs(subject: BrainSubject) -> None:
    seed = next(s for s in range(100) if draw_item(np.random.default_rng(s), SHAPE).photo)
    draw = replace(draw_item(np.random.default_rng(seed), SHAPE), placement=still(SHAPE))
    for taken in draw.acquisitions:
        assert taken.resolution.spacing[1] >= 2 and taken.resolution.spacing[::2] == (1.0, 1.0)
    quiet = Artefacts(1.0, np.zeros((1, 2, 2, 2), np.float32), 0.0)
    sharp = replace(draw.acquisitions[0], artefacts=quiet, resolution=Resolution((1.0,) * 3, (1.0,) * 3))
    item = render_item(replace(draw, acquisitions=(sharp,)), subject)
    assert LABEL["cerebellar cortex"] not in item.structures.unique().tolist()
    assert float(item.images[0][item.structures == 0].max()) < 1e-4
    assert float(item.images[0][item.structures > 0].mean()) > 0.1


def test_items_replay_and_can_be_started_anywhere(subject: BrainSubject) -> None:
    items = BrainItems(shape=(24, 24, 24), seed=9, subjects=(subject,))
    first = list(islice(items, 3))
    again = next(iter(items.starting_at(2)))
    assert torch.equal(first[2].images, again.images) and torch.equal(first[2].target, again.target)
    assert not torch.equal(first[0].images, first[1].images)


def test_a_flow_of_constant_velocity_is_a_shift_and_is_undone_by_its_opposite() -> None:
    constant = torch.tensor([1.5, -2.0, 0.5])[:, None, None, None].expand(3, 20, 20, 20)
    torch.testing.assert_close(flow(constant), constant.contiguous(), atol=1e-4, rtol=0)
    shape = (32, 32, 32)
    velocity = smooth_field(coarse_noise(np.random.default_rng(1), 3, shape, spacing=12, std=2.0), shape)
    there, back = flow(velocity).numpy(), flow(-velocity).numpy()
    places = np.indices(shape) + there
    together = there + np.stack([ndi.map_coordinates(b, places, order=1, mode="nearest") for b in back])
    inner = (slice(None), *(slice(6, -6),) * 3)
    assert np.abs(there[inner]).max() > 1.5
    assert np.abs(together[inner]).max() < 0.1


@pytest.mark.parametrize("sigma", [0.4, 1.3, 4.0])
def test_blur_is_scipys(sigma: float) -> None:
    image = np.random.default_rng(8).random((17, 23, 9), dtype=np.float32)
    radius = max(1, int(np.ceil(3 * sigma)))
    for axis in range(3):
        sigmas = tuple(sigma if k == axis else 0.0 for k in range(3))
        expected = ndi.gaussian_filter1d(image.astype(np.float64), sigma, axis=axis, mode="nearest", radius=radius)
        found = gaussian_blur(torch.from_numpy(image), sigmas)
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)
