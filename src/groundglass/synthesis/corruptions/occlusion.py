"""What lies over the picture: stain, bubbles, the dermoscope's edge, letters. Sizes are those at 224 pixels, scaled."""

from __future__ import annotations

import string
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]
REFERENCE = 224


def stain_deposit(picture: Picture, marks: float, rng: np.random.Generator) -> Picture:
    """1 to `marks` dark blobs of dye. Their outlines are drawn at random, not taken from the authors' templates."""
    value = picture.astype(np.float64)
    height, width = picture.shape[:2]
    scale = min(height, width) / REFERENCE
    rows, columns = np.mgrid[:height, :width]
    for _ in range(int(rng.integers(1, int(marks) + 1))):
        radius = rng.uniform(6, 14) * scale
        row, column = (rng.uniform(radius, max(n - radius, radius + 1e-6)) for n in (height, width))
        angle = np.arctan2(rows - row, columns - column)
        waves = sum(rng.normal(0, 0.35 / k) * np.cos(k * angle + rng.uniform(0, 6.3)) for k in range(2, 7))
        edge = np.hypot(rows - row, columns - column) - radius * (1 + waves)
        value *= 1 - rng.uniform(0.75, 1.0) * np.clip(0.5 - edge / max(2.0 * scale, 0.5), 0, 1)[..., None]
    return value.astype(np.uint8)


def bubble(picture: Picture, radius_and_count: Sequence[float], rng: np.random.Generator) -> Picture:
    """7 to `count` translucent discs of 3 to `radius` pixels with a brighter rim."""
    largest, most = radius_and_count
    height, width = picture.shape[:2]
    scale = min(height, width) / REFERENCE
    layer = Image.new("RGBA", (width, height), (255, 255, 255, 0))
    draw = ImageDraw.Draw(layer)
    for _ in range(int(rng.integers(7, max(int(most), 7) + 1))):
        radius = max(1.0, float(rng.integers(3, int(largest) + 1)) * scale)
        x, y = (int(rng.integers(int(radius), max(int(n - radius), int(radius)) + 1)) for n in (width, height))
        for grown, alpha in ((radius + 2 * scale, 130), (radius, 100)):
            draw.ellipse((x - grown, y - grown, x + grown, y + grown), fill=(255, 255, 255, alpha))
    image = Image.fromarray(picture)
    image.paste(layer, (0, 0), layer)
    return np.asarray(image)


def black_corner(picture: Picture, share: float, _rng: np.random.Generator) -> Picture:
    """Black outside of a disc about the centre, whose radius is `share` of half the shorter side."""
    height, width = picture.shape[:2]
    row, column = height // 2, width // 2
    radius = int(min(row, column, height - row, width - column) * share)
    rows, columns = np.ogrid[:height, :width]
    inside = (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
    return np.where(inside[..., None], picture, np.uint8(0))


def characters(picture: Picture, words_letters_scale: Sequence[float], rng: np.random.Generator) -> Picture:
    """1 to `words` random words of 3 to `letters` small letters in random colours. The font is Pillow's."""
    words, letters, scale = words_letters_scale
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    size = min(image.size) / REFERENCE
    for _ in range(int(rng.integers(1, int(words) + 1))):
        text = "".join(rng.choice(list(string.ascii_lowercase), int(rng.integers(3, int(letters) + 1))))
        # The authors' font is 22 pixels high at scale 1; the smallest that this one can draw has 4.
        height = max(4.0, 1.4 * 22 * float(rng.uniform(0.14, max(scale, 0.14))) * size)
        spot = rng.uniform(0.04, 0.7) * image.width, rng.uniform(0.04, 0.93) * image.height
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        draw.text(spot, text, fill=colour, font=ImageFont.load_default(height))
    return np.asarray(image)
