"""Real radiographs of cxr-nih14 for adaptation: pictures without any mask, upright, on the network's grid."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from groundglass.segmentation.radiograph_phantoms import SIZE


def nih_rows(data: Path, split: str) -> list[dict[str, str]]:
    """Rows of labels.csv of one split."""
    with (data / "cxr-nih14" / "labels.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["split"] == split]


def upright_pictures(data: Path, split: str) -> NDArray[np.uint8]:
    """(N, SIZE, SIZE) uint8: the split's images that lie upright."""
    from PIL import Image

    pictures = []
    for row in nih_rows(data, split):
        if row["orientation"] == "upright":
            with Image.open(data / "cxr-nih14" / "images" / row["image"]) as file:
                pictures.append(np.asarray(file.convert("L").resize((SIZE, SIZE), Image.Resampling.BOX)))
    return np.stack(pictures)
