"""Where a registration begins: many poses tried cheaply, the best few refined."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import SimpleITK as sitk

# Heads nod more than they roll or turn; a neck in the field of view shifts the centre of the foreground down.
PITCHES_DEG = (-30.0, -15.0, 0.0, 15.0, 30.0)
ROLLS_DEG = (-15.0, 0.0, 15.0)
SHIFTS_MM = (-45.0, -30.0, -15.0, 0.0, 15.0)
KEPT = 3
# Sizes of the patient's head beside the template's: from the template's own size the affine step fits a small brain's
# template to the scalp.
SIZES = (0.85, 1.0, 1.15)
STEP_MM = 6.0


def coarse_starts(
    fixed: sitk.Image,
    moving: sitk.Image,
    centre: NDArray[np.float64],
    mask: sitk.Image,
    free: sitk.Image | None,
    *,
    seed: int,
) -> list[sitk.AffineTransform]:
    """The starts (fixed to moving world, LPS): the poses with the highest mutual information at 6 mm, in three sizes.

    `centre` is the centre of the patient's foreground in LPS mm. Every combination of pitch, roll and shift along
    the body axis is scored; the best of each pitch is optimised with six degrees of freedom and the best three of
    those are kept, each in SIZES: which of them is right shows only when the affine step has fitted the head's size.
    """
    import SimpleITK as sitk

    small = sitk.Shrink(sitk.SmoothingRecursiveGaussian(fixed, 3.0), [3, 3, 3])
    blurred = sitk.SmoothingRecursiveGaussian(moving, 3.0)
    blurred = sitk.Shrink(blurred, [max(1, int(STEP_MM / step)) for step in blurred.GetSpacing()])
    bright = sitk.BinaryThreshold(small, 0.25 * _percentile(small, 98), 1e9)
    origin = _centroid(bright)
    scorer = _scorer(mask, free, seed)
    refined = []
    for pitch in PITCHES_DEG:
        scored = []
        for roll, shift in itertools.product(ROLLS_DEG, SHIFTS_MM):
            pose = sitk.Euler3DTransform(origin.tolist(), np.radians(pitch), np.radians(roll), 0.0)
            # A point `shift` mm above the template's centre goes to the patient's centre moved by as much.
            pose.SetTranslation((centre - origin - np.array([0.0, 0.0, shift])).tolist())
            scorer.SetInitialTransform(pose, inPlace=False)
            scored.append((scorer.MetricEvaluate(small, blurred), pose))
        best = min(scored, key=lambda pair: pair[0])[1]
        refined.append(_refine(small, blurred, best, mask, free, seed))
    refined.sort(key=lambda pair: pair[0])
    return [_as_affine(pose, size) for _, pose in refined[:KEPT] for size in SIZES]


def _as_affine(pose: sitk.Euler3DTransform, size: float) -> sitk.AffineTransform:
    """The pose with its matrix times `size`, about the pose's centre."""
    import SimpleITK as sitk

    start = sitk.AffineTransform(3)
    start.SetCenter(pose.GetCenter())
    start.SetMatrix([size * value for value in pose.GetMatrix()])
    start.SetTranslation(pose.GetTranslation())
    return start


def _scorer(mask: sitk.Image, free: sitk.Image | None, seed: int) -> sitk.ImageRegistrationMethod:
    import SimpleITK as sitk

    scorer = sitk.ImageRegistrationMethod()
    scorer.SetMetricAsMattesMutualInformation(24)
    scorer.SetMetricSamplingStrategy(scorer.RANDOM)
    scorer.SetMetricSamplingPercentage(0.5, seed=seed + 1)
    scorer.SetInterpolator(sitk.sitkLinear)
    scorer.SetMetricFixedMask(mask)
    if free is not None:
        scorer.SetMetricMovingMask(free)
    return scorer


def _refine(
    fixed: sitk.Image,
    moving: sitk.Image,
    pose: sitk.Euler3DTransform,
    mask: sitk.Image,
    free: sitk.Image | None,
    seed: int,
) -> tuple[float, sitk.Euler3DTransform]:
    import SimpleITK as sitk

    found = sitk.Euler3DTransform(pose)
    method = _scorer(mask, free, seed)
    method.SetOptimizerAsRegularStepGradientDescent(4.0, 0.01, 60, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(found, inPlace=True)
    method.Execute(fixed, moving)
    return method.GetMetricValue(), found


def _percentile(image: sitk.Image, percent: float) -> float:
    import SimpleITK as sitk

    return float(np.percentile(sitk.GetArrayViewFromImage(image), percent))


def _centroid(binary: sitk.Image) -> NDArray[np.float64]:
    import SimpleITK as sitk

    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(binary)
    return np.array(shape.GetCentroid(1))
