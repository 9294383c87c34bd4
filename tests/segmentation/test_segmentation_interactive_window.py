"""A window of a plane and back: places, edges, and what lies beyond."""

from __future__ import annotations

import numpy as np

from groundglass.segmentation.interactive.window import Window

SIDES = (16, 32, 64)


def test_a_window_holds_its_pixels_and_stays_in_the_plane() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        pixels = rng.integers(0, (60, 90), (4, 2)) // rng.integers(1, 4) + rng.integers(0, 5)
        window = Window.holding(pixels, (64, 96), room=1.2, sides=SIDES, step=4)
        extent = int((pixels.max(axis=0) - pixels.min(axis=0)).max()) + 1
        assert window.side == next((side for side in SIDES if side >= 1.2 * extent), 64)
        assert 0 <= window.top <= 64 - window.side and 0 <= window.left <= 96 - window.side
        if window.side >= 1.2 * extent + 4:
            assert len(window.into(pixels, 128)) == 4
    wide = Window.holding(np.array([[5, 5], [30, 90]]), (40, 96), room=1.0, sides=(128,), step=4)
    assert (wide.top, wide.left, wide.side) == (-44, -16, 128)


def test_what_is_cut_is_pasted_back() -> None:
    plane = np.random.default_rng(1).random((40, 96)).astype(np.float32)
    for window in (Window(4, 20, 32), Window(-12, 0, 64), Window(-44, -16, 128)):
        back = window.paste(window.cut(plane, window.side), plane.shape, outside=-1.0)
        rows = slice(max(0, window.top), window.top + window.side)
        columns = slice(max(0, window.left), window.left + window.side)
        assert np.array_equal(back[rows, columns], plane[rows, columns])
        rest = np.ones(plane.shape, dtype=bool)
        rest[rows, columns] = False
        assert (back[rest] == -1).all()


def test_clicks_lie_where_the_cut_shows_them() -> None:
    plane, window = np.zeros((64, 64), dtype=np.float32), Window(16, 8, 32)
    plane[30, 21] = 1
    ((row, column),) = window.into(np.array([[30, 21], [2, 2], [48, 8]]), 64)
    seen = window.cut(plane, 64)
    assert seen[row, column] == seen.max() and (row, column) == (29, 27)


def test_a_mask_reaches_an_edge_only_inside_the_plane() -> None:
    window, mask = Window(0, 16, 32), np.zeros((64, 64), dtype=bool)
    mask[0:20, 20:40] = True
    assert not window.is_reached(mask)
    mask[10, 16] = True
    assert window.is_reached(mask)
    mask[10, 16], mask[31, 30] = False, True
    assert window.is_reached(mask)
