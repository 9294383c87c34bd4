"""The interactive session: what it must never do, whatever the image and the strokes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, label

from groundglass.core import ConfigurationError, EmptyMaskError, Image, InputError, Term, UnsupportedError
from groundglass.segmentation.interactive import Prompt, Session
from groundglass.segmentation.interactive.propagation import carried_strokes


def disc(shape: tuple[int, int] = (96, 120), centre: tuple[int, int] = (40, 60), radius: float = 20) -> np.ndarray:
    rows, columns = np.indices(shape)
    return (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= radius**2


def noisy(mask: np.ndarray, seed: int = 0) -> np.ndarray:
    return (mask * 100 + np.random.default_rng(seed).normal(100, 15, mask.shape)).astype(np.float32)


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * float((one & other).sum()) / float(one.sum() + other.sum())


def test_a_click_and_a_stroke_outline_a_disc() -> None:
    truth = disc()
    session = Session(noisy(truth))
    session.click((60, 40))
    assert dice(session.mask, truth) > 0.8
    session.scribble([(5, 5), (115, 5), (115, 90)], positive=False)
    assert dice(session.mask, truth) > 0.9
    assert session.probability.shape == truth.shape
    assert session.probability[40, 60] > 0.5 > session.probability[5, 5]


def test_undo_redo_and_replay_are_bit_identical() -> None:
    image = noisy(disc())
    session = Session(image)
    session.click((60, 40))
    first = session.mask
    session.scribble([(5, 5), (100, 5)], positive=False)
    session.box((30, 10, 90, 70))
    last, probability = session.mask, session.probability
    assert session.undo() and session.undo()
    assert np.array_equal(session.mask, first)
    assert session.redo() and session.redo() and not session.redo()
    assert np.array_equal(session.mask, last) and np.array_equal(session.probability, probability)
    again = Session.replay(image, session.prompts)
    assert np.array_equal(again.mask, last) and again.prompts == session.prompts
    session.undo()
    session.click((3, 3), positive=False)
    assert not session.can_redo and session.revision == 3
    session.reset()
    assert not session.mask.any() and not session.undo() and session.prompts == ()


@pytest.mark.parametrize("positive", [True, False])
def test_the_pixel_under_a_click_is_as_the_click_says(positive: bool) -> None:
    image = np.zeros((700, 500), np.uint16)
    image[333, 222] = 4000
    session = Session(image)
    session.click((222, 333), positive)
    assert session.mask[333, 222] == positive


def test_the_later_of_contradictory_strokes_holds() -> None:
    session = Session(noisy(disc()))
    session.scribble([(40, 40), (80, 40)])
    session.scribble([(60, 20), (60, 60)], positive=False)
    assert not session.mask[40, 60] and session.mask[40, 50]
    session.click((60, 40))
    assert session.mask[40, 60]


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((1, 1)),
        np.full((50, 40), 7, np.int16),
        np.full((30, 30), np.nan),
        np.where(np.indices((64, 64)).sum(0) % 7 == 0, np.nan, 5.0),
        np.arange(12).reshape(3, 4),
        np.random.default_rng(0).integers(0, 2, (2000, 3)).astype(bool),
        np.array([[np.inf, -np.inf], [0, 1]]),
        np.random.default_rng(0).integers(-1024, 3000, (129, 257)).astype(np.int32),
    ],
    ids=["one pixel", "constant", "all NaN", "some NaN", "tiny", "boolean strip", "infinite", "odd sides"],
)
def test_any_image_gets_an_answer_on_its_grid(image: np.ndarray) -> None:
    session = Session(image)
    session.click((0, 0))
    session.click((image.shape[1] - 1, image.shape[0] - 1), positive=False)
    session.box((0, 0, image.shape[1] / 2, image.shape[0] / 2))
    assert session.mask.shape == image.shape and session.mask.dtype == bool
    assert np.isfinite(session.probability).all()


def test_colour_and_depth_do_not_matter() -> None:
    grey = noisy(disc()).clip(0, 255).astype(np.uint8)
    colour = Image.of(np.stack([grey] * 3), channels=3)
    masks = []
    for image in (grey, grey.astype(np.uint16) * 257, colour):
        session = Session(image)
        session.click((60, 40))
        masks.append(session.mask)
    assert np.array_equal(masks[0], masks[1]) and dice(masks[0], masks[2]) > 0.99


def test_strokes_outside_of_the_image() -> None:
    session = Session(noisy(disc()))
    with pytest.raises(InputError, match="outside"):
        session.click((500, 10))
    assert session.prompts == ()
    session.scribble([(-1e9, 40), (60, 40), (60, 1e9)])
    assert session.mask[40, 0] and session.mask[95, 60]
    with pytest.raises(InputError, match="finite"):
        session.scribble([(np.nan, 3), (4, 5)])
    with pytest.raises(InputError, match="mask"):
        session.scribble(np.zeros((3, 3), bool))
    with pytest.raises(InputError):
        session.scribble(np.zeros((96, 120), bool))
    assert session.revision == 1


def test_a_painted_mask_and_its_pixels_are_the_same_prompt() -> None:
    image = noisy(disc())
    painted = np.zeros((96, 120), bool)
    painted[40, 50:70] = True
    one, other = Session(image), Session(image)
    one.scribble(painted)
    other.scribble([(50, 40), (69, 40)])
    assert np.array_equal(one.mask, other.mask)
    assert one.prompts[0].kind == "pixels"


def ball(shape: tuple[int, int, int] = (48, 56, 30)) -> np.ndarray:
    at = np.indices(shape).astype(float)
    return ((at[0] - 22) / 12) ** 2 + ((at[1] - 30) / 14) ** 2 + ((at[2] - 14) / 9) ** 2 <= 1


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_box_and_a_click_in_one_slice_are_carried_through_the_volume(axis: int) -> None:
    truth = np.moveaxis(ball(), 2, axis)
    image = Image.of(noisy(truth), np.diag([-1.0, 1.5, 2.0, 1.0]))
    session = Session(image, axis=axis)
    session.box((15, 9, 45, 35), slice=14)
    session.click((30, 22))
    assert session.mask.any(axis=tuple(a for a in range(3) if a != axis)).sum() == 1
    heard: list[float] = []
    session.propagate(heard.append)
    assert heard[-1] == 1.0 and dice(session.mask, truth) > 0.85
    before = session.mask
    session.click((2, 2), positive=False, slice=3)
    session.undo()
    assert np.array_equal(session.mask, before)
    assert np.array_equal(Session.replay(image, session.prompts, axis=axis).mask, before)
    found = session.finding(Term("52988006", "SCT", "lesion"))
    assert found.where.mask is not None and np.array_equal(found.where.mask.array, before)
    assert np.array_equal(found.where.mask.affine, image.affine)
    assert found.evidence[0].source == "model"


def test_carried_strokes_are_the_core_of_every_part_and_a_ring_around() -> None:
    mask = disc() | disc(centre=(80, 12), radius=6) | disc(centre=(0, 119), radius=9)
    positive, negative = carried_strokes(mask)
    depth, away = distance_transform_edt(mask), distance_transform_edt(~mask)
    parts, count = label(mask)
    for part in range(1, count + 1):
        deepest = depth[parts == part].max()
        assert np.array_equal(positive & (parts == part), (parts == part) & (depth >= 0.55 * deepest))
    assert count == 3 and not (positive & ~mask).any()
    margin = 0.35 * depth.max()
    assert np.array_equal(negative, (away > margin) & (away <= margin + 2))


def test_strokes_on_another_plane_fall_on_the_slices_they_cross() -> None:
    session = Session(noisy(ball()))
    session.scribble([(10, 22), (18, 22)], slice=30, axis=1)  # rows i, columns k of plane j = 30
    assert session.prompted_slices == tuple(range(10, 19))
    assert session.mask[22, 30, 10:19].all()
    with pytest.raises(ConfigurationError):
        session.apply(Prompt("box", ((0, 0), (4, 4)), True, 3, 1))


def test_slices_must_exist_and_be_named() -> None:
    session = Session(noisy(ball()))
    with pytest.raises(ConfigurationError, match="slice"):
        session.click((3, 3))
    with pytest.raises(ConfigurationError, match="30 slices"):
        session.click((3, 3), slice=30)
    with pytest.raises(ConfigurationError):
        session.propagate()
    session.click((30, 22), slice=14)
    session.click((31, 22))
    assert session.current_slice == 14 and session.prompts[1].slice == 14
    flat = Session(noisy(disc()))
    flat.click((60, 40))
    with pytest.raises(ConfigurationError):
        flat.propagate()
    with pytest.raises(ConfigurationError):
        flat.click((60, 40), slice=2)
    with pytest.raises(UnsupportedError):
        Session(np.zeros((2, 2, 2, 2)))


def test_an_empty_session_has_an_empty_finding() -> None:
    found = Session(noisy(disc())).finding(Term("52988006", "SCT", "lesion"))
    assert found.where.mask is not None and found.where.mask.is_empty
    with pytest.raises(EmptyMaskError):
        _ = found.where.mask.box
