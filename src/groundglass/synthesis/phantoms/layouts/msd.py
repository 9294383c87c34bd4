"""Medical Segmentation Decathlon: imagesTr, labelsTr, dataset.json (A. L. Simpson et al., arXiv 1902.09063).

A label is the kind of finding: one number per planted name of the generator, the same in every case.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from groundglass.core import ConfigurationError
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
    write_nifti(image.array[0], image, folder / "imagesTr" / f"{phantom.name}.nii.gz")
    write_nifti(files.label_map(masked, image.shape), image, folder / "labelsTr" / f"{phantom.name}.nii.gz")
    return {"name": phantom.name, "modality": image.modality, "labels": numbers}


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
            "licence": "CC0", "release": "1.0", "tensorImageSize": "3D", "modality": {"0": records[0]["modality"]},
            "labels": labels, "numTraining": len(training), "numTest": 0, "training": training, "test": [],
        },
    )  # fmt: skip
