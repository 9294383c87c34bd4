"""Colours of segments: one table for label files, DICOM SEG and pictures."""

from __future__ import annotations

import colorsys

GOLDEN_RATIO = 0.618033988749895


def segment_colour(number: int) -> tuple[int, int, int]:
    """RGB (0..255) of the n-th segment (1-based): hues by the golden ratio, so that neighbours differ most."""
    hue = (number * GOLDEN_RATIO) % 1.0
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.55 + 0.35 * (number % 2), 0.95 - 0.2 * (number % 3 == 0))
    return round(255 * red), round(255 * green), round(255 * blue)
