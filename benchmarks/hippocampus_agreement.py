"""Dice of hippocampus networks on crops with manual labels, beside label propagation by registration.

    GROUNDGLASS_DATA=DATA python benchmarks/hippocampus_agreement.py [--model NAME_OR_FOLDER]... [--atlases 5]

Models are built-in names or folders of `groundglass train-builtin` runs. The atlas line registers crops of the training
split (affine, then demons; SimpleITK) to each crop and lets their labels vote. Prints JSON: anterior, posterior, mean.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from groundglass.models import load_model
from groundglass.segmentation.hippocampus_training import Case, agreement, evaluate, load_cases


def summary(rows: NDArray[np.float64]) -> dict[str, float]:
    """Means over cases of (case, 2) Dice, and the standard deviation of the cases' means."""
    return {
        "n": len(rows),
        "anterior": round(float(rows[:, 0].mean()), 4),
        "posterior": round(float(rows[:, 1].mean()), 4),
        "mean": round(float(rows.mean()), 4),
        "sd": round(float(rows.mean(axis=1).std(ddof=1)), 4),
    }


def picture(case: Case) -> sitk.Image:
    """The crop with its 99th percentile at 1."""
    inside = case.image[case.slices]
    return sitk.GetImageFromArray((case.image / np.quantile(inside, 0.99)).astype(np.float32))


def propagated(atlas: Case, fixed: sitk.Image) -> NDArray[np.uint8]:
    """The atlas' labels on the crop."""
    moving = picture(atlas)
    start = sitk.CenteredTransformInitializer(fixed, moving, sitk.AffineTransform(3))
    affine = sitk.ImageRegistrationMethod()
    affine.SetMetricAsCorrelation()
    affine.SetInterpolator(sitk.sitkLinear)
    affine.SetOptimizerAsGradientDescentLineSearch(learningRate=1.0, numberOfIterations=60)
    affine.SetOptimizerScalesFromPhysicalShift()
    affine.SetShrinkFactorsPerLevel([2, 1])
    affine.SetSmoothingSigmasPerLevel([1, 0])
    affine.SetInitialTransform(start, inPlace=True)
    affine.Execute(fixed, moving)
    placed = sitk.Resample(moving, fixed, start, sitk.sitkLinear)
    demons = sitk.DiffeomorphicDemonsRegistrationFilter()
    demons.SetNumberOfIterations(60)
    demons.SetStandardDeviations(1.5)
    field = demons.Execute(sitk.HistogramMatching(fixed, placed), placed)
    whole = sitk.CompositeTransform([start, sitk.DisplacementFieldTransform(sitk.Cast(field, sitk.sitkVectorFloat64))])
    labels = sitk.Resample(sitk.GetImageFromArray(atlas.labels), fixed, whole, sitk.sitkNearestNeighbor)
    return sitk.GetArrayFromImage(labels)


def by_registration(cases: list[Case], atlases: list[Case]) -> NDArray[np.float64]:
    """(case, 2) Dice of the atlases' vote."""
    rows = []
    for case in cases:
        fixed = picture(case)
        votes = np.stack([propagated(atlas, fixed) for atlas in atlases])
        rows.append(agreement(np.stack([(votes == k).sum(axis=0) for k in range(3)])[:, *case.slices], case))
    return np.array(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--atlases", type=int, default=0)
    parser.add_argument("--split", default="test", choices=("val", "test"))
    arguments = parser.parse_args()
    folder = Path(os.environ["GROUNDGLASS_DATA"]) / "hippocampus-msd"
    cases = load_cases(folder, arguments.split)
    result = {model: summary(evaluate(load_model(model).network, cases)) for model in arguments.model}
    if arguments.atlases:
        atlases = load_cases(folder, "train")[: arguments.atlases]
        result[f"registration of {arguments.atlases} crops, votes"] = summary(by_registration(cases, atlases))
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
