"""Medical Segmentation Decathlon: imagesTr, labelsTr, dataset.json (A. L. Simpson et al., arXiv 1902.09063).

A label is the kind of finding: one number per planted name of the generator, the same in every case.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError, Image
from groundglass.io import write_nifti
from groundglass.io.atomic import write_json_atomic
from groundglass.synthesis.phantoms.layouts import files
from groundglass.synthesis.phantoms.phantom import Phantom


def write(phantom: Phantom, folder: Path) -> dict[str, Any]:
    """One volume and its label map. Raises ConfigurationError for flat pictures."""
    image = phantom.image
    if not image.is_volume:
        raise ConfigurationError(phantom.kind, "is flat, and the Decathlon holds volumes", "Use the layout coco.")
    numbers = _numbers(phantom)
    masked = [(numbers[f.what.name], f.where.mask) for f in phantom.findings if f.where.mask is not None]
    channels = [i for i in phantom.images if i.modality == image.modality == "MR"] or [image]
    write_nifti(*_stacked(channels), folder / "imagesTr" / f"{phantom.name}.nii.gz")
    write_nifti(files.label_map(masked, image.shape), image, folder / "labelsTr" / f"{phantom.name}.nii.gz")
    names = [i.name.split(" ", 1)[1] for i in channels] if len(channels) > 1 else [image.modality]
    return {"name": phantom.name, "channels": names, "labels": numbers}


def _stacked(channels: list[Image]) -> tuple[NDArray[Any], Image]:
    """Sequences of one grid along the fourth axis of one volume, as in the Decathlon's brain tumours."""
    first = channels[0]
    if len(channels) == 1:
        return first.array[0], first
    values = np.stack([image.array[0] for image in channels])
    return values, Image.of(values, first.affine, name=first.name, modality=first.modality, time_axis=0)


def _numbers(phantom: Phantom) -> dict[str, int]:
    """Every term that the kind can deny or plant, in a fixed order."""
    from groundglass.synthesis.phantoms.vocabulary import planted_terms

    return {term: number for number, term in enumerate(planted_terms(phantom.kind), 1)}


def finish(records: list[dict[str, Any]], folder: Path, kind: str) -> None:
    """dataset.json."""
    if not records:
        return
    labels = {"0": "background", **{str(n): name for name, n in records[0]["labels"].items()}}
    training = [{"image": f"./imagesTr/{r['name']}.nii.gz", "label": f"./labelsTr/{r['name']}.nii.gz"} for r in records]
    write_json_atomic(
        folder / "dataset.json",
        {
            "name": f"groundglass {kind}", "description": "Simulated; no patient.", "reference": "groundglass",
            "licence": "CC0", "release": "1.0", "tensorImageSize": "3D",
            "modality": {str(n): name for n, name in enumerate(records[0]["channels"])},
            "labels": labels, "numTraining": len(training), "numTest": 0, "training": training, "test": [],
        },
    )  # fmt: skip
