"""What storing a picture does to it: fewer pixels, JPEG's blocks."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]


def pixelate(picture: Picture, factor: float, _rng: np.random.Generator) -> Picture:
    """Box means down by `factor` (a share of the side) and up again."""
    image = Image.fromarray(picture)
    small = (max(1, int(image.width * factor)), max(1, int(image.height * factor)))
    return np.asarray(image.resize(small, Image.Resampling.BOX).resize(image.size, Image.Resampling.BOX))


def jpeg(picture: Picture, quality: float, _rng: np.random.Generator) -> Picture:
    """Stored as JPEG of this quality (1 to 95) and read again."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=int(quality))
    return np.asarray(Image.open(file))
