"""What the radiograph network outlines, in the order of its output channels; masks may overlap."""

from __future__ import annotations

ORGANS = (
    "left lung",
    "right lung",
    "heart",
    "mediastinum",
    "aorta",
    "ascending aorta",
    "descending aorta",
    "airways",
    "trachea",
    "carina",
    "spine",
    "left clavicle",
    "right clavicle",
    "left scapula",
    "right scapula",
    "left hemidiaphragm",
    "right hemidiaphragm",
)
RIBS = tuple(f"{side} rib {number} posterior" for side in ("left", "right") for number in range(1, 11))
LABELS = (*ORGANS, *RIBS)
PAIRS = tuple((name, name.replace("left", "right")) for name in LABELS if name.startswith("left "))
