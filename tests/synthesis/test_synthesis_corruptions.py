"""Corruptions against OpenCV, scikit-image and closed forms; the table's shape; replay (card 35)."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.util import random_noise

from groundglass.core import ConfigurationError, InputError
from groundglass.synthesis.corruptions import (
    DETERMINISTIC,
    KINDS,
    LEVELS,
    Corruption,
    TargetedAugmentation,
    corrupt,
    corrupt_set,
    corruption_groups,
    corruption_set,
    corruption_sets,
)
from groundglass.synthesis.corruptions.blur import disc


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:224, :224]
    waves = 128 + 60 * np.sin(rows / 9.0) * np.cos(columns / 13.0)
    return np.clip(np.stack([waves, waves * 0.8, waves * 0.5], -1) + rng.normal(0, 4, (224, 224, 3)), 0, 255).astype(
        np.uint8
    )


def test_table_is_the_published_one() -> None:
    """Counts and parameters that the paper and its package name."""
    counts = {name: len(table.kinds) for name, table in corruption_sets().items()}
    assert counts == {
        "pathmnist": 11,
        "bloodmnist": 11,
        "dermamnist": 15,
        "retinamnist": 8,
        "tissuemnist": 8,
        "octmnist": 6,
        "breastmnist": 7,
        "chestmnist": 13,
        "pneumoniamnist": 13,
        "organamnist": 13,
        "organcmnist": 13,
        "organsmnist": 13,
    }
    assert corruption_set("chestmnist").kinds["gaussian_noise"] == (0.04, 0.08, 0.12, 0.18, 0.26)
    assert corruption_set("dermamnist").kinds["black_corner"] == (1.10, 1.05, 1.00, 0.90, 0.95)
    assert len(corruption_set("retinamnist").kinds["defocus_blur"]) == 6  # augmentation goes to the sixth
    grouped = [kind for kinds in corruption_groups().values() for kind in kinds]
    assert sorted(grouped) == sorted(KINDS)


@pytest.mark.parametrize("name", ["dermamnist", "pathmnist", "pneumoniamnist"])
def test_every_kind_at_every_size(name: str, picture: np.ndarray) -> None:
    table = corruption_set(name)
    for kind in table.kinds:
        for whole in (picture, picture[:28, :28], picture[:64, :80, 0]):
            one = Corruption(kind, table.parameter(kind, 5), seed=3)
            changed = corrupt(whole, one)
            assert changed.shape == whole.shape
            assert changed.dtype == np.uint8
            np.testing.assert_array_equal(changed, corrupt(whole, one))
            other = corrupt(whole, Corruption(kind, table.parameter(kind, 5), seed=4))
            assert np.array_equal(changed, other) == (kind in DETERMINISTIC)


def test_blurs_against_opencv(picture: np.ndarray) -> None:
    kernel = disc(5, 0.2)
    ours = corrupt(picture, Corruption("defocus_blur", (5.0, 0.2)))
    theirs = (np.clip(cv2.filter2D(picture / 255.0, -1, kernel), 0, 1) * 255).astype(np.uint8)
    assert np.abs(ours.astype(int) - theirs).max() <= 1
    ours = corrupt(picture, Corruption("gaussian_blur", 9.0))
    theirs = cv2.GaussianBlur(picture.astype(np.float32), (9, 9), 0.15 * 9 + 0.35, borderType=cv2.BORDER_REFLECT_101)
    assert np.abs(ours.astype(int) - np.round(theirs)).max() <= 1


def test_motion_blur_is_a_line_with_unit_sum() -> None:
    point = np.zeros((61, 61, 3), dtype=np.uint8)
    point[30, 30] = 255
    trail = corrupt(point, Corruption("motion_blur", (10.0, 50.0), 1))[..., 0].astype(float)
    rows, columns = np.nonzero(trail)
    assert len(rows) == 21  # 2 radius + 1 steps
    assert trail.sum() == pytest.approx(255, rel=0.05)
    slope, offset = np.polyfit(columns, rows, 1)
    assert np.abs(rows - (slope * columns + offset)).max() <= 1
    assert abs(slope) <= 1.05


def test_noise_has_its_moments() -> None:
    flat = np.full((224, 224), 128, dtype=np.uint8)
    grey = flat[..., None].repeat(3, 2)
    for kind, parameter, spread in (
        ("gaussian_noise", 0.1, 25.5),
        ("speckle_noise", 0.2, 0.2 * 128),
        ("shot_noise", 60.0, 255 * np.sqrt(128 / 255 / 60)),
    ):
        noisy = corrupt(grey, Corruption(kind, parameter, 5)).astype(float)
        assert noisy.std() == pytest.approx(spread, rel=0.02)
        assert noisy.mean() == pytest.approx(127.5, rel=0.01)
    peppered = corrupt(grey, Corruption("impulse_noise", 0.1, 5))
    reference = random_noise(grey / 255.0, mode="s&p", amount=0.1, rng=1)
    assert (peppered != 128).mean() == pytest.approx((reference != 128 / 255).mean(), rel=0.03)


def test_a_set_holds_the_severities_in_order() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    made, rows = corrupt_set(pictures, corruption_set("pneumoniamnist"), "shot_noise", seed=7)
    assert made.shape == (3 * LEVELS, 28, 28)
    assert [row["severity"] for row in rows] == [s for s in range(1, 6) for _ in range(3)]
    again = corrupt(pictures[1], Corruption(rows[7]["kind"], rows[7]["parameter"], rows[7]["seed"]))
    np.testing.assert_array_equal(made[7], again)
    part, _ = corrupt_set(pictures[:1], corruption_set("pneumoniamnist"), "shot_noise", seed=7)
    np.testing.assert_array_equal(part, made[::3])


def test_augmentation_draws_within_the_table() -> None:
    rng = np.random.default_rng(0)
    for table in corruption_sets().values():
        augment = TargetedAugmentation(table, without=("noise",))
        assert not any(kind.endswith("_noise") for kind in augment.kinds)
        drawn = [augment.draw(rng) for _ in range(300)]
        share = sum(one is None for one in drawn) / 300
        assert share == pytest.approx(1 / (len(augment.kinds) + 1), abs=0.08)
        for one in drawn:
            if one is None:
                continue
            ends = np.atleast_1d(table.kinds[one.kind][0]), np.atleast_1d(table.kinds[one.kind][-1])
            value = np.atleast_1d(one.parameter)
            if one.kind not in ("zoom_blur", "gaussian_blur", "jpeg_compression"):
                assert (value >= np.floor(np.minimum(*ends) * 100) / 100 - 1e-9).all()
            assert (value <= np.maximum(*ends) + 1e-9).all()
            if one.kind == "gaussian_blur":
                assert value[0] % 2 == 1
    with pytest.raises(ConfigurationError, match="leave no corruption"):
        TargetedAugmentation(corruption_set("octmnist"), without=corruption_groups())


def test_bad_input_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(InputError, match="8-bit"):
        corrupt(picture / 255.0, Corruption("pixelate", 0.5))
    with pytest.raises(ConfigurationError, match="no corruption"):
        Corruption("rain", 1.0)
    with pytest.raises(ConfigurationError, match="no level"):
        corruption_set("octmnist").parameter("pixelate", 6)
    with pytest.raises(ConfigurationError, match="cannot be applied"):
        corrupt(picture, Corruption("defocus_blur", 3.0))
