"""Pulmonary vessels: two random trees per lung from the hilum, as a map of added tissue in mm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Canvas
from PIL import ImageDraw

from groundglass.synthesis.thorax.anatomy import SIDES, Thorax
from groundglass.synthesis.thorax.rays import Beam

Float = NDArray[np.float32]


def vessel_map(thorax: Thorax, beam: Beam, rng: np.random.Generator) -> Float:
    """Added depth (mm) of hilar and peripheral vessels, (size, size)."""
    canvas = Canvas.new("F", (beam.size, beam.size))
    draw = ImageDraw.Draw(canvas)
    total = np.zeros((beam.size, beam.size), dtype=np.float32)
    strength = rng.uniform(0.5, 1.4)
    for side in SIDES.values():
        hilum_z = thorax.carina[2] - rng.uniform(15, 35) + (8 if side > 0 else 0)
        start = np.array([side * rng.uniform(26, 38), 0.0, hilum_z])
        for angle in np.linspace(-75, 80, 9) + rng.normal(0, 8, 9):
            _branch(draw, beam, rng, start, np.radians(angle), rng.uniform(2.6, 5.0), side, 0)
    from scipy.ndimage import gaussian_filter

    total = np.asarray(canvas, dtype=np.float32)
    return strength * gaussian_filter(total, 0.7 * beam.size / 256 + 0.2)


def _branch(
    draw: ImageDraw.ImageDraw,
    beam: Beam,
    rng: np.random.Generator,
    start: NDArray[np.float64],
    angle: float,
    radius: float,
    side: int,
    level: int,
) -> None:
    length = rng.uniform(14, 30) * (0.9**level)
    end = start + length * np.array([side * np.cos(angle), 0.0, np.sin(angle)])
    end[1] += rng.normal(0, 6)
    pixels, scale = beam.project(np.stack([start, end]))
    width = 2 * radius * float(scale[0]) / beam.pixel
    line = [(float(p[1]), float(p[0])) for p in pixels]
    # A vessel thinner than a pixel is drawn one pixel wide with less depth.
    draw.line(line, fill=float(1.6 * radius * min(1.0, width)), width=max(1, round(width)))
    if level >= 4 or radius < 0.45:
        return
    for turn in (rng.normal(18, 9), rng.normal(-18, 9)):
        if rng.random() < 0.9:
            _branch(draw, beam, rng, end, angle + np.radians(turn), radius * rng.uniform(0.62, 0.82), side, level + 1)
