"""The window about a mask: its box, wider, within the grid."""

from __future__ import annotations

import numpy as np
import pytest

from groundglass.segmentation.mask_window import window_about


@pytest.mark.parametrize("shape", [(30, 41), (12, 20, 9)])
@pytest.mark.parametrize("margin", [0, 3, 50])
def test_the_window_holds_what_is_within_the_margin_and_no_more(shape: tuple[int, ...], margin: int) -> None:
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(n // 3 for n in shape)] = mask[tuple(n - 2 for n in shape)] = True
    voxels, grid = np.argwhere(mask), np.indices(shape)
    wanted = np.ones(shape, dtype=bool)
    for axis, places in enumerate(grid):
        wanted &= (places >= voxels[:, axis].min() - margin) & (places <= voxels[:, axis].max() + margin)
    found = np.zeros(shape, dtype=bool)
    found[window_about(mask, margin)] = True
    assert np.array_equal(found, wanted)
