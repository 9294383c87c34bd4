"""Motion in k-space: closed forms, torchio, contrast changes, items (card 42, check 4)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchio
from scipy.ndimage import rotate
from skimage.metrics import structural_similarity

from groundglass.core import ConfigurationError, GeometryError
from groundglass.synthesis.motion import (
    ContrastChange,
    Trajectory,
    change_contrast,
    corrupt_slice,
    draw_contrast_change,
    few_poses,
    moved_kspace,
    padded,
    per_line,
    random_trajectory,
    still,
    to_image,
    to_kspace,
    with_ghosts,
    with_motion,
)

N = 64


@pytest.fixture(scope="module")
def head() -> np.ndarray:
    rows, columns = np.mgrid[:N, :N]
    blob = np.exp(-(((rows - 30) / 5.0) ** 2) - ((columns - 34) / 6.0) ** 2)
    return blob + 0.5 * np.exp(-(((rows - 36) / 2.0) ** 2) - ((columns - 28) / 3.0) ** 2)


@pytest.mark.parametrize("axis", [0, 1])
def test_no_motion_is_the_image(head: np.ndarray, axis: int) -> None:
    np.testing.assert_allclose(with_motion(head, still(N, axis=axis)), head, atol=1e-6)


@pytest.mark.parametrize("axis", [0, 1])
def test_constant_shift_is_a_circular_shift(head: np.ndarray, axis: int) -> None:
    moved = with_motion(head, Trajectory(np.zeros(N), np.tile([[3.0, -5.0]], (N, 1)), axis))
    np.testing.assert_allclose(moved, np.roll(head, (3, -5), (0, 1)), atol=1e-5)
    back = np.roll(moved, (-3, 5), (0, 1))
    assert structural_similarity(back, head, data_range=1.0) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("axis", [0, 1])
def test_constant_turn_is_a_rotation(head: np.ndarray, axis: int) -> None:
    odd = np.pad(head, ((0, 1), (0, 1)))  # an odd image turns about a pixel, as scipy's does
    moved = with_motion(odd, Trajectory(np.full(N + 1, 8.0), np.zeros((N + 1, 2)), axis))
    np.testing.assert_allclose(moved, rotate(odd, 8.0, reshape=False, order=3), atol=0.02)


@pytest.mark.parametrize("axis", [0, 1])
def test_only_the_moved_lines_change(head: np.ndarray, axis: int) -> None:
    degrees, shift = np.zeros(N), np.zeros((N, 2))
    degrees[5:9], shift[50] = 4.0, (1.5, 0.5)
    before = to_kspace(head)
    after = moved_kspace(head, Trajectory(degrees, shift, axis))
    changed = np.abs(after - before).max(axis=1 - axis) > 1e-12
    assert np.flatnonzero(changed).tolist() == [5, 6, 7, 8, 50]


def test_one_pose_equals_torchio(head: np.ndarray) -> None:
    """torchio: content moves by +t along x and -t along z, and turns against the sign of its angle about y."""
    affine = np.eye(4)
    affine[:3, 3] = [-N / 2, -4, -N / 2]
    image = torchio.ScalarImage(tensor=torch.from_numpy(np.repeat(head[None, :, None], 8, 2)).float(), affine=affine)
    first = int(0.48 * N)
    for angle, move, tolerance in ((0.0, (3.0, 2.0), 1e-5), (5.0, (0.0, 0.0), 0.006)):
        theirs = (
            torchio.Motion(
                degrees=np.array([[0, angle, 0]]),
                translation=np.array([[move[0], 0, move[1]]]),
                times=np.array([0.48]),
                image_interpolation="bspline",
            )(image)
            .data[0, :, 4]
            .numpy()
        )
        degrees, shift = np.zeros(N), np.zeros((N, 2))
        degrees[:first], shift[:first] = -angle, (move[0], -move[1])
        ours = to_image(moved_kspace(head, Trajectory(degrees, shift, 1))).real
        np.testing.assert_allclose(ours, theirs, atol=tolerance)
        assert np.abs(theirs - head).max() > 4 * tolerance


def test_trajectories_keep_the_centre_and_their_bounds() -> None:
    rng = np.random.default_rng(0)
    made = [few_poses(N, rng, poses=4, degrees=5, pixels=3) for _ in range(20)]
    for one in made:
        middle = slice(N // 2 - 2, N // 2 + 3)
        assert not one.degrees[middle].any()
        assert not one.shift[middle].any()
    made += [per_line(N, rng, kind=kind, degrees=5, pixels=3) for kind in ("drift", "sudden", "periodic")]
    for one in made:
        assert np.abs(one.degrees).max() <= 5
        assert np.abs(one.shift).max() <= 3
        assert one.size > 0
    assert all(len(np.unique(one.degrees)) <= 5 for one in made[:20])
    assert random_trajectory((N, 48), rng, severity=0.0).size == 0
    with pytest.raises(ConfigurationError, match="not known"):
        per_line(N, rng, kind="jitter", degrees=1, pixels=1)
    with pytest.raises(GeometryError, match="lines"):
        with_motion(np.zeros((N, 32)), still(N, axis=1))


@pytest.mark.parametrize("kind", ["drift", "sudden", "periodic"])
def test_a_course_does_not_shift_the_head_as_a_whole(head: np.ndarray, kind: str) -> None:
    """Where the spoilt head lies best on the clean one, by cross-correlation: off by no more than two of six pixels."""
    spectrum = np.fft.fft2(head)
    for seed in range(8):
        course = per_line(N, np.random.default_rng(seed), kind=kind, degrees=0, pixels=6, axis=seed % 2)
        spoilt = with_motion(head, course)
        likeness = np.fft.ifft2(spectrum * np.conj(np.fft.fft2(spoilt))).real
        shift = (np.array(np.unravel_index(likeness.argmax(), likeness.shape)) + N // 2) % N - N // 2
        assert np.abs(shift).max() <= 2


def test_items_are_labelled_by_ssim_and_replay(head: np.ndarray) -> None:
    one = corrupt_slice(head, np.random.default_rng(5), severity=0.6)
    two = corrupt_slice(head, np.random.default_rng(5), severity=0.6)
    np.testing.assert_array_equal(one.image, two.image)
    # The label is scikit-image's, up to the float32 that the picture is kept in.
    assert one.score == pytest.approx(structural_similarity(one.image.astype(float), head, data_range=1.0), abs=1e-6)
    assert corrupt_slice(head, np.random.default_rng(5), severity=0.0).score == pytest.approx(1.0, abs=1e-9)
    mild, hard = (
        np.mean([corrupt_slice(head, np.random.default_rng(n), severity=s).score for n in range(12)])
        for s in (0.1, 0.9)
    )
    assert hard < mild - 0.02


def test_padding_keeps_corners_from_wrapping() -> None:
    corner = np.zeros((N, N))
    corner[:6, :6] = 1
    field, window = padded(corner)
    turn = Trajectory(np.full(len(field), 10.0), np.tile([[-4.0, -4.0]], (len(field), 1)))
    assert with_motion(field, turn)[window][-8:, -8:].max() < 0.1


def test_ghosts_lie_at_equal_distances(head: np.ndarray) -> None:
    ghosted = with_ghosts(head, ghosts=2, strength=0.5, axis=0, centre=0)
    np.testing.assert_allclose(with_ghosts(head, ghosts=3, strength=0.0), head, atol=1e-9)
    # Every second line at half strength: three quarters of the image and a quarter, half a field away.
    expected = np.abs(0.75 * head - 0.25 * np.roll(head, N // 2, axis=0))
    other = np.abs(0.75 * head + 0.25 * np.roll(head, N // 2, axis=0))
    assert min(np.abs(ghosted - expected).max(), np.abs(ghosted - other).max()) < 1e-9
    with pytest.raises(ConfigurationError, match="cannot be made"):
        with_ghosts(head, ghosts=0, strength=0.5)


def test_contrast_changes_keep_the_scale(head: np.ndarray) -> None:
    picture = head / head.max()
    for kind, strength in {"gamma": 0.5, "logarithm": 5, "sigmoid": 8, "equalise": 0.9}.items():
        changed = change_contrast(picture, ContrastChange(kind, strength))
        assert changed.min() >= -1e-6
        assert changed.max() <= 1 + 1e-6
        order = np.argsort(picture.ravel())
        assert (np.diff(changed.ravel()[order]) >= -1e-6).all()
        assert np.abs(changed - picture).max() > 0.02
    np.testing.assert_array_equal(change_contrast(picture, ContrastChange("identity")), picture.astype(np.float32))
    rng = np.random.default_rng(0)
    assert len({draw_contrast_change(rng).kind for _ in range(80)}) == 6
    with pytest.raises(ConfigurationError, match="not known"):
        change_contrast(picture, ContrastChange("solarise"))
    with pytest.raises(ConfigurationError, match="are not 6"):
        change_contrast(picture, ContrastChange("levels"))


def test_new_levels_change_the_head_and_leave_the_air() -> None:
    """Fluid at 0.15 in a ventricle and in a fold becomes the brightest; ghosts and noise in air keep their order, and
    no bright rim is drawn where tissue ends."""
    rows, columns = np.mgrid[:96, :96] - 47.5
    far = np.hypot(rows, columns)
    head = np.clip(36.5 - far, 0, 1) * 0.7
    fluid = (far < 8) | ((np.abs(rows) < 2) & (columns > 20) & (far < 33))
    head[fluid] = 0.15
    air = far > 40
    head[air] = np.linspace(0, 0.12, int(air.sum()))
    changed = change_contrast(head, ContrastChange("levels", 1.2, (0.9, 1.0, 0.6, 0.5, 0.4, 0.3)))
    np.testing.assert_allclose(changed[fluid], 1.0, atol=1e-4)
    np.testing.assert_allclose(changed[(far < 33) & ~fluid], 0.4, atol=1e-4)
    np.testing.assert_allclose(changed[air], 1.2 * head[air], atol=1e-3)
    assert changed[(far > 34) & ~air].max() < 0.6


def test_levels_are_drawn_from_the_seed_and_keep_the_scale() -> None:
    for number in range(50):
        drawn = draw_contrast_change(np.random.default_rng(number), probability=1, kinds=("levels",))
        assert max(drawn.levels) == 1
        assert drawn == draw_contrast_change(np.random.default_rng(number), probability=1, kinds=("levels",))
        changed = change_contrast(np.linspace(0, 1, 400).reshape(20, 20), drawn)
        assert changed.min() >= 0
        assert changed.max() <= 1 + 1e-6


def test_levels_of_a_slice_without_tissue_scale_it() -> None:
    faint = np.full((8, 8), 0.1)
    changed = change_contrast(faint, ContrastChange("levels", 0.8, (1.0, 1.0, 0.5, 0.5, 0.5, 0.5)))
    np.testing.assert_allclose(changed, 0.08, atol=1e-7)
