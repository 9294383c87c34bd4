"""When a brain segmentation is out of its depth: signs that can be seen without a truth.

Thresholds are set by hand from plausible anatomy and from what the network's confidence is on images that it does
well on; they flag, they do not correct.
"""

from __future__ import annotations

import numpy as np

from groundglass.core import Image
from groundglass.measurement import asymmetry_index
from groundglass.segmentation import BrainSegmentation

LEAST_BRAIN_ML = 250.0
# Adults: 950 to 1,750 mL with ventricles and sulci covers both sexes and marked atrophy.
USUAL_BRAIN_ML = (950.0, 1750.0)
LEAST_CONFIDENCE = 0.6
THICKEST_MM = 4.0
MOST_ASYMMETRY = 0.25


def is_brain(found: BrainSegmentation) -> bool:
    """At least 250 mL of tissue with both grey and white matter in it.

    The atlas expects a brain anywhere, so a network's confidence must confirm it where its place is in doubt.
    """
    if found.doubts and found.confidence < LEAST_CONFIDENCE:
        return False
    tissue = found.volumes["cerebral cortex", None], found.volumes["cerebral white matter", None]
    return sum(tissue) >= LEAST_BRAIN_ML and min(tissue) > 40


def doubts_of(found: BrainSegmentation, image: Image) -> tuple[str, ...]:
    """One sentence per reason to distrust the numbers of this image; empty when there is none."""
    doubts = []
    if not USUAL_BRAIN_ML[0] <= found.brain_ml <= USUAL_BRAIN_ML[1]:
        doubts.append(f"a brain volume of {found.brain_ml:.0f} mL is unusual in adults")
    if found.doubts:
        doubts.append(f"the atlas may lie wrong ({', '.join(found.doubts)})")
    if found.confidence < LEAST_CONFIDENCE:
        doubts.append(f"the model is unsure (mean confidence {found.confidence:.2f})")
    if max(image.spacing) > THICKEST_MM:
        doubts.append(f"slices are {max(image.spacing):.1f} mm apart, so small structures are guesses")
    if _is_cut(found):
        doubts.append("the brain reaches the border of the scan, so volumes are lower bounds")
    for name in ("cerebral cortex", "cerebral white matter", "lateral ventricle"):
        index = asymmetry_index(found.volumes[name, "left"], found.volumes[name, "right"])
        limit = MOST_ASYMMETRY * (2.5 if name == "lateral ventricle" else 1)
        if abs(index) > limit:
            doubts.append(f"left and right {name} differ by {abs(index) * 100:.0f} %")
    if not image.orientation_known:
        doubts.append("the file does not say which side is left")
    return (f"{image.name}: check the brain segmentation: {'; '.join(doubts)}.",) if doubts else ()


def _is_cut(found: BrainSegmentation) -> bool:
    """More than 4 cm2 of brain tissue in the outermost layer on any side but the lower one, where the cord leaves."""
    brain = found.grid_labels > 1
    faces = [brain[0], brain[-1], brain[:, 0], brain[:, -1], brain[:, :, -1]]
    return bool(max(int(np.count_nonzero(face)) for face in faces) > 400)
