"""How the brain MR network agrees with an independent pipeline, with itself across contrasts, and with known truth.

    GROUNDGLASS_DATA=DATA python benchmarks/brain_agreement.py --reference OUT [--model NAME_OR_FOLDER] [--json FILE]

NAME_OR_FOLDER may also be "atlas" (affine registration alone) or "mixture" (Gaussians fitted with it as prior): the
network's two starting points, as baselines.

OUT holds the masks of `brain_reference_masks.py` (ANTs, made from the T1 in another environment). Dice of brain, grey
and white matter for T1, T2 and FLAIR each; brain and ventricle volumes of one subject across its contrasts; five
synthetic contrasts of one unseen deformation of the atlas (simulated): spread of volumes and Dice against the truth.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from groundglass.core import Image
from groundglass.models import Model, load_model
from groundglass.nets.build import build_network
from groundglass.segmentation.brain_mr import BrainSegmentation, brain_mask, segment_brain_with, segment_together

STUDIES = {
    "ms-patient07": "ms-lesions-mni/patient07",
    "ms-patient26": "ms-lesions-mni/patient26",
    "stroke-chronic-cstar": "brain-mri-samples/stroke-chronic-cstar",
}
BASELINES = ("atlas", "mixture")
CONTRASTS = ("T1", "T2", "FLAIR")
GREY = ("cerebral cortex", "cerebellar cortex", "thalamus", "caudate nucleus", "putamen", "globus pallidus")
WHITE = ("cerebral white matter", "cerebellar white matter", "brainstem")
VENTRICLES = ("lateral ventricle", "third ventricle", "fourth ventricle")


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """2 |A and B| / (|A| + |B|)."""
    return float(2 * (a & b).sum() / max(1, a.sum() + b.sum()))


def measure(found: BrainSegmentation, reference: Path, name: str) -> dict[str, float]:
    """Dice against ANTs, and volumes in mL."""
    brain = np.asarray(nib.load(reference / f"{name}_brain.nii.gz").dataobj) > 0.5
    tissue = np.rint(np.asarray(nib.load(reference / f"{name}_tissue.nii.gz").dataobj)).astype(int)
    ours = found.brain
    grey, white = (np.isin(found.labels, [found.names.index(n) for n in group]) for group in (GREY, WHITE))
    return {
        "brain_dice": dice(ours, brain),
        "grey_dice": dice(grey, tissue == 2),
        "white_dice": dice(white, tissue == 3),
        "brain_ml": float(ours.sum() * abs(np.linalg.det(found.grid.source_affine[:3, :3])) / 1000),
        "ants_brain_ml": float(brain.sum() * abs(np.linalg.det(found.grid.source_affine[:3, :3])) / 1000),
        "ventricles_ml": sum(found.volumes[n, None] for n in VENTRICLES),
        "lateral_ml": found.volumes["lateral ventricle", None],
        "confidence": found.confidence,
    }


def real_studies(model: Any, data: Path, reference: Path) -> dict[str, Any]:
    """Every contrast of every study on its own, all of a study together, and the spread of volumes within a study."""
    result: dict[str, Any] = {}
    for name, folder in STUDIES.items():
        images = [_load(data / folder / f"{contrast}.nii.gz") for contrast in CONTRASTS]
        rows = {}
        for key, group in (*zip(CONTRASTS, [(i,) for i in images], strict=True), ("together", images)):
            started = time.perf_counter()
            rows[key] = measure(segment_together(model.network, model.config, group).found, reference, name)
            figures = {k: round(v, 3) for k, v in rows[key].items()}
            print(name, key, figures, f"{time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
        # Largest difference among the single images, as a share of their mean.
        spread = {}
        for key in ("brain_ml", "ventricles_ml", "lateral_ml"):
            values = [rows[contrast][key] for contrast in CONTRASTS]
            spread[key] = float(np.ptp(values) / np.mean(values))
        result[name] = {"contrasts": rows, "range": spread}
        print(name, spread, file=sys.stderr)
    return result


def _load(path: Path) -> Image:
    loaded = nib.load(path)
    name = path.name.removesuffix(".nii.gz")
    return Image.of(np.asarray(loaded.dataobj, dtype=np.float32), loaded.affine, name=name, modality="MR")


def synthetic_contrasts(model: Any, *, seed: int = 20_000, subjects: int = 2) -> dict[str, Any]:
    """Five severe-free contrasts of each of a few unseen anatomies at 1 mm (simulated)."""
    from groundglass.synthesis.brain import FINE, render
    from groundglass.synthesis.brain_anatomy import apply_anatomy, draw_anatomy
    from groundglass.synthesis.brain_atlas import brain_atlas

    shape = (176, 208, 176)
    result: dict[str, Any] = {}
    for subject in range(subjects):
        rng = np.random.default_rng([seed, subject])
        seen, structures, _right = apply_anatomy(draw_anatomy(rng, shape), brain_atlas(), shape)
        truth = structures.numpy()
        rows = []
        for contrast in range(5):
            paint = np.random.default_rng([seed, subject, contrast])
            pixels = render(seen, paint, resolution=FINE).numpy()
            found = segment_brain_with(
                model.network, model.config, Image.of(pixels, np.eye(4), name="synthetic", modality="MR")
            )
            row = {
                n: dice(found.labels == k, truth == k) for k, n in enumerate(found.names) if k and (truth == k).any()
            }
            row["brain"] = dice(found.brain, brain_mask(truth))
            rows.append(
                {
                    "dice": row,
                    "brain_ml": float(found.brain.sum() / 1000),
                    "lateral_ml": found.volumes["lateral ventricle", None],
                }
            )
        brain, lateral = (np.array([r[k] for r in rows]) for k in ("brain_ml", "lateral_ml"))
        result[f"anatomy {subject}"] = {
            "brain_cv": float(brain.std(ddof=1) / brain.mean()),
            "lateral_cv": float(lateral.std(ddof=1) / lateral.mean()),
            "true_lateral_ml": float((truth == 4).sum() / 1000),
            "contrasts": rows,
        }
        print(
            subject,
            result[f"anatomy {subject}"]["brain_cv"],
            result[f"anatomy {subject}"]["lateral_cv"],
            {k: round(float(np.mean([r["dice"].get(k, 0) for r in rows])), 2) for k in rows[0]["dice"]},
            file=sys.stderr,
        )
    return result


def model_of(name: str) -> Any:
    """A model's network and config, or those of a baseline: the shipped network with what it learnt taken out."""
    if name not in BASELINES:
        return load_model(name)
    shipped = load_model("brain-mr")
    architecture = dict(shipped.config["architecture"])
    network = build_network(architecture.pop("net"), **architecture).eval()
    if name == "atlas":
        network.weight.data.zero_()
    return Model(network, shipped.config, shipped.citation)


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--model", default="brain-mr")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only-real", action="store_true")
    arguments = parser.parse_args()
    model = model_of(arguments.model)
    data = Path(os.environ["GROUNDGLASS_DATA"])
    result = {"real": real_studies(model, data, arguments.reference)}
    if not arguments.only_real:
        result["synthetic"] = synthetic_contrasts(model)
    text = json.dumps(result, indent=1)
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
