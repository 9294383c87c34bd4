"""Two grids with the same voxels, in every order and direction of axes, and grids that only look alike."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from groundglass.io.same_grid import turned, turned_onto

OBLIQUE = np.array([[1.5, 0.2, 0, -20], [-0.2, 1.5, 0, 10], [0, 0, 3, 5], [0, 0, 0, 1]])
SHAPE = (5, 4, 3)
ARRAY = np.arange(60).reshape(SHAPE)


def _shifted(affine: np.ndarray, by: tuple[float, ...]) -> np.ndarray:
    moved = affine.copy()
    moved[:3, 3] += affine[:3, : len(by)] @ by
    return moved


@pytest.mark.parametrize("order", permutations(range(3)))
@pytest.mark.parametrize("flips", product((1, -1), repeat=3))
def test_every_order_and_direction_comes_back(order: tuple[int, ...], flips: tuple[int, ...]) -> None:
    # Index by index: the file's voxel j is voxel `turn @ j` of ARRAY.
    turn = np.eye(4)
    turn[:3, :3] = np.eye(3)[:, order] * flips
    sizes = np.array(SHAPE)[list(order)]
    turn[:3, 3] = [SHAPE[axis] - 1 if turn[axis, :3].sum() < 0 else 0 for axis in range(3)]
    file = np.empty(sizes, dtype=int)
    for index in np.ndindex(*sizes):
        file[index] = ARRAY[tuple((turn @ [*index, 1])[:3].astype(int))]
    back = turned_onto(file, OBLIQUE @ turn, OBLIQUE, SHAPE)
    assert back is not None
    np.testing.assert_array_equal(back, ARRAY)
    found = turned(file, OBLIQUE @ turn, _shifted(OBLIQUE, (2, -1, 4)))
    assert found is not None
    assert found[1] == (-2, 1, -4)
    assert np.shares_memory(found[0], file)
    assert turned_onto(file, OBLIQUE @ turn, _shifted(OBLIQUE, (2, -1, 4)), SHAPE) is None


def test_rounded_headers_are_the_same_grid_and_small_differences_are_not() -> None:
    assert turned_onto(ARRAY, OBLIQUE.astype(np.float32).astype(float), OBLIQUE, SHAPE) is not None
    assert turned_onto(ARRAY, _shifted(OBLIQUE, (0.3, 0, 0)), OBLIQUE, SHAPE) is None
    assert turned_onto(ARRAY, OBLIQUE @ np.diag([1.01, 1, 1, 1]), OBLIQUE, SHAPE) is None
    assert turned_onto(ARRAY[..., 0], OBLIQUE, OBLIQUE, SHAPE) is None


def test_pixels_of_a_microscope_are_smaller_than_the_tolerance() -> None:
    pixel = np.diag([0.00025, 0.00025, 1, 1])
    slide = np.zeros((400, 300), dtype=bool)
    assert turned_onto(slide, pixel, pixel, slide.shape) is not None
    assert turned_onto(slide, _shifted(pixel, (7, 0)), pixel, slide.shape) is None
    assert turned_onto(slide, pixel @ np.diag([1.05, 1, 1, 1]), pixel, slide.shape) is None
