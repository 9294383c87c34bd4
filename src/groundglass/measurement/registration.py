"""A brain MR of any contrast to the MNI152 template: many starts, then rigid, affine and B-spline.

Mattes' mutual information (Mattes et al. 2003, doi 10.1109/TMI.2003.809072) drives every step; the cubic B-spline
is that of Rueckert et al. 1999 (doi 10.1109/42.796284), in SimpleITK. It stands in for the SyN of card 66 and is
named in the result. What is masked out (a tumour, a cavity) pulls on nothing. A result that cannot be trusted is
returned with `reliable=False` and the reasons, never as if it were one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from groundglass.core import GeometryError, Image, Mask
from groundglass.measurement.itk_grid import LPS, to_itk
from groundglass.measurement.mni152 import Template, mni152_template
from groundglass.measurement.registration_quality import Quality, assess
from groundglass.measurement.registration_start import coarse_starts
from groundglass.measurement.world_transform import Grid, WorldTransform

if TYPE_CHECKING:
    import SimpleITK as sitk

# A head with scalp and neck fills more than this; a brain alone never does (largest reported about 2.0 L).
BRAIN_ONLY_BELOW_ML = 2200.0
# Cells of the coarse B-spline along each axis of the template; the fine one has twice as many (15 to 18 mm).
SPLINE_CELLS = 6


@dataclass(frozen=True, eq=False)
class Registration:
    """Both directions between a patient's image and the template, world to world in RAS+ mm.

    `quality` says how well the two agree, `reliable` whether that is enough, `reasons` why not.
    """

    to_template: WorldTransform
    to_patient: WorldTransform
    quality: Quality
    method: str

    @property
    def reliable(self) -> bool:
        return not self.quality.reasons

    @property
    def reasons(self) -> tuple[str, ...]:
        return self.quality.reasons


def register_brain(
    image: Image,
    *,
    template: Template | None = None,
    brain: Mask | None = None,
    exclude: Mask | None = None,
    deformable: bool = True,
    seed: int = 0,
) -> Registration:
    """Register a 3D brain MR to `template` (default: the MNI152 that ships).

    `brain` is the patient's brain mask if there is one (the skull is then not used), `exclude` what must not guide
    (tumour, oedema, cavity); both on the grid of `image`. `deformable=False` stops after the affine step.
    Raises GeometryError for an image that is not a volume or has no patient axes.
    """
    import SimpleITK as sitk

    if not image.is_volume or min(image.shape) < 5:
        raise GeometryError(image.name, f"is no volume that can be registered {image.shape}", "Pass a 3D series.")
    if not image.spacing_known:
        raise GeometryError(image.name, "has no voxel size", "Pass an image with its geometry.")
    target = template or mni152_template()
    pixels = _clipped(np.asarray(image.array[0], dtype=np.float32))
    if brain is not None:
        pixels = np.where(brain.array, pixels, 0)
    head = foreground(pixels)
    stripped = brain is not None or _volume_ml(head, image.affine) < BRAIN_ONLY_BELOW_ML
    fixed = to_itk(np.where(target.brain, target.t1, 0) if stripped else target.t1, target.affine)
    moving = _at_2mm(to_itk(pixels, image.affine))
    free = None if exclude is None else _free_of(exclude)

    starts = coarse_starts(fixed, moving, _centre(head, image.affine), _around(target, 20.0), free, seed=seed)
    wide = _around(target, 10.0 if stripped else 20.0)
    fitted = [_affine(fixed, moving, start, wide, free, 3, seed) for start in starts]
    affine = min(fitted, key=lambda pair: pair[0])[1]
    affine = _affine(fixed, moving, affine, wide, free, 2, seed)[1]
    to_patient, method = sitk.Transform(affine), "affine"
    to_template = sitk.Transform(affine.GetInverse())
    if deformable:
        spline = _spline(fixed, moving, affine, _around(target, 8.0), free, seed)
        field = sitk.TransformToDisplacementField(
            spline, sitk.sitkVectorFloat64, fixed.GetSize(), fixed.GetOrigin(), fixed.GetSpacing(), fixed.GetDirection()
        )
        inverse = sitk.InvertDisplacementField(field, 50, 0.02, 0.1)
        to_patient = sitk.CompositeTransform([affine, sitk.DisplacementFieldTransform(field)])
        to_template = sitk.CompositeTransform([sitk.DisplacementFieldTransform(inverse), affine.GetInverse()])
        method = "affine and B-spline (SimpleITK, mutual information)"
    forth, back = WorldTransform(to_template), WorldTransform(to_patient)
    linear = np.asarray(affine.GetMatrix(), dtype=np.float64).reshape(3, 3)
    grid = Grid(image.shape, image.affine)
    quality = assess(pixels, grid, target, forth, back, linear, None if exclude is None else exclude.array)
    return Registration(forth, back, quality, method)


def foreground(pixels: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The head or brain: largest part above a quarter of the bright level, holes filled slice by slice."""
    level = 0.25 * float(np.percentile(pixels[pixels > 0], 90)) if (pixels > 0).any() else 0.0
    labels, count = ndi.label(pixels > level)
    if not count:
        return np.zeros(pixels.shape, dtype=bool)
    largest = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    return np.asarray(ndi.binary_fill_holes(largest), dtype=bool)


def _clipped(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Finite, from 0; the brightest 0.5 % (vessels, fat) are cut."""
    finite = np.nan_to_num(pixels, nan=0.0, posinf=0.0, neginf=0.0)
    low = min(0.0, float(np.percentile(finite, 1)))
    positive = finite[finite > low]
    high = float(np.percentile(positive, 99.5)) if positive.size else 1.0
    return np.clip(finite - low, 0, max(high - low, 1e-6))


def _volume_ml(inside: NDArray[np.bool_], affine: NDArray[np.float64]) -> float:
    return float(inside.sum()) * float(abs(np.linalg.det(affine[:3, :3]))) / 1000


def _centre(inside: NDArray[np.bool_], affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre of the foreground, or of the grid where there is none, in LPS mm."""
    index = np.argwhere(inside).mean(axis=0) if inside.any() else (np.array(inside.shape) - 1) / 2
    return np.asarray((LPS @ affine @ np.append(index, 1.0))[:3])


def _at_2mm(image: sitk.Image) -> sitk.Image:
    """Smoothed and thinned to about 2 mm along the axes that are finer; thick slices stay as they are."""
    import SimpleITK as sitk

    factors = [max(1, int(2.0 / spacing + 1e-3)) for spacing in image.GetSpacing()]
    sigmas = [0.5 * f * s for f, s in zip(factors, image.GetSpacing(), strict=True)]
    smooth = sitk.DiscreteGaussian(image, [s**2 if f > 1 else 0.0 for s, f in zip(sigmas, factors, strict=True)])
    return sitk.Shrink(smooth, factors)


def _free_of(exclude: Mask) -> sitk.Image:
    """1 where the patient's image may guide: 3 voxels away from what is excluded."""
    return to_itk(~ndi.binary_dilation(exclude.array, iterations=3), exclude.affine)


def _around(template: Template, margin: float) -> sitk.Image:
    """The template's brain grown by `margin` mm."""
    voxel = np.linalg.norm(template.affine[:3, :3], axis=0)
    near = ndi.distance_transform_edt(~template.brain, sampling=voxel) <= margin
    return to_itk(near, template.affine)


def metric(
    fixed_mask: sitk.Image | None, free: sitk.Image | None, share: float, seed: int
) -> sitk.ImageRegistrationMethod:
    """Mutual information over a random `share` of the voxels of the masks, the same ones for the same seed."""
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(share, seed=seed + 1)
    method.SetInterpolator(sitk.sitkLinear)
    if fixed_mask is not None:
        method.SetMetricFixedMask(fixed_mask)
    if free is not None:
        method.SetMetricMovingMask(free)
    return method


def _affine(
    fixed: sitk.Image,
    moving: sitk.Image,
    start: sitk.AffineTransform,
    mask: sitk.Image,
    free: sitk.Image | None,
    shrink: int,
    seed: int,
) -> tuple[float, sitk.AffineTransform]:
    import SimpleITK as sitk

    found = sitk.AffineTransform(start)
    method = metric(mask, free, 0.3 if shrink > 2 else 0.15, seed)
    method.SetShrinkFactorsPerLevel([shrink])
    method.SetSmoothingSigmasPerLevel([float(shrink)])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 100, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(found, inPlace=True)
    method.Execute(fixed, moving)
    return method.GetMetricValue(), found


def _spline(
    fixed: sitk.Image,
    moving: sitk.Image,
    affine: sitk.AffineTransform,
    mask: sitk.Image,
    free: sitk.Image | None,
    seed: int,
) -> sitk.BSplineTransform:
    import SimpleITK as sitk

    spline = sitk.BSplineTransformInitializer(fixed, [SPLINE_CELLS] * 3, 3)
    method = metric(mask, free, 0.25, seed)
    method.SetMovingInitialTransform(affine)
    method.SetInitialTransformAsBSpline(spline, inPlace=True, scaleFactors=[1, 2])
    method.SetShrinkFactorsPerLevel([2, 2])
    method.SetSmoothingSigmasPerLevel([2.0, 1.0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetOptimizerAsLBFGS2(
        numberOfIterations=30, solutionAccuracy=1e-4, deltaConvergenceTolerance=1e-5, deltaConvergenceDistance=3
    )
    method.Execute(fixed, moving)
    return spline
