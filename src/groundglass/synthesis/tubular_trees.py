"""Thin branching tubes, as vessels, airways and nerve fibres look: drawn in the plane, a pixel or more in width."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
FINE = 2  # drawn so much finer, then thinned out: widths below two pixels stay smooth


def random_tree(rng: np.random.Generator, size: int, *, width: float | None = None) -> Bool:
    """(size, size) a tree whose trunk enters somewhere, winds, tapers and branches; `width` is its trunk's in pixels
    (by default 2 to 9)."""
    import PIL.Image
    import PIL.ImageDraw

    sheet = PIL.Image.new("L", (FINE * size, FINE * size))
    draw = PIL.ImageDraw.Draw(sheet)
    trunk = rng.uniform(2, 9) if width is None else width
    bend, fork = rng.uniform(0.03, 0.25), rng.uniform(0.02, 0.1)
    start = rng.uniform(0, size, 2)
    way = float(np.arctan2(*(size / 2 - start)[::-1]) + rng.normal(0, 0.4))
    shoots = [(start, way, trunk, int(rng.uniform(0.6, 1.6) * size))]
    while shoots:
        at, way, thick, length = shoots.pop()
        turn = 0.0
        for _ in range(max(2, length // 4)):
            turn = 0.7 * turn + rng.normal(0, bend)
            way += turn
            ahead = at + 4 * np.array([np.cos(way), np.sin(way)])
            _stroke(draw, at, ahead, thick)
            at, thick = ahead, max(0.9, thick * 0.992)
            if rng.random() < fork and thick > 1.1 and len(shoots) < 24:
                side = way + rng.choice([-1, 1]) * rng.uniform(0.4, 1.2)
                shoots.append((at, side, thick * rng.uniform(0.5, 0.9), int(length * rng.uniform(0.3, 0.8))))
            if not (-8 <= at[0] < size + 8 and -8 <= at[1] < size + 8):
                break
    grid = np.asarray(sheet).reshape(size, FINE, size, FINE)
    return np.asarray(grid.mean(axis=(1, 3)) > 127)


def _stroke(draw: object, start: NDArray[np.float64], stop: NDArray[np.float64], width: float) -> None:
    radius = FINE * width / 2
    (x0, y0), (x1, y1) = FINE * start, FINE * stop
    draw.line([(x0, y0), (x1, y1)], fill=255, width=max(1, round(2 * radius)))  # type: ignore[attr-defined]
    draw.ellipse([x1 - radius, y1 - radius, x1 + radius, y1 + radius], fill=255)  # type: ignore[attr-defined]
