"""clDice: overlap of tubes judged by their centrelines. Shit et al., CVPR 2021, arXiv 2003.07311."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def cl_dice(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Harmonic mean of topology precision (share of the prediction's skeleton in the truth) and sensitivity (share of
    the truth's skeleton in the prediction), skeletons by Zhang in 2D and Lee in 3D (scikit-image).

    NaN where a skeleton is empty: that of an empty mask, and by Lee also that of some blocks of even sides. 0 where
    neither skeleton touches the other mask.
    """
    from skimage.morphology import skeletonize

    ours, theirs = skeletonize(prediction), skeletonize(truth)
    if not ours.any() or not theirs.any():
        return math.nan
    precision, sensitivity = float(truth[ours].mean()), float(prediction[theirs].mean())
    return 2 * precision * sensitivity / (precision + sensitivity) if precision + sensitivity else 0.0
