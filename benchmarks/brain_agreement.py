"""How the brain MR network agrees with an independent pipeline, with itself across contrasts, and with known truth.

    GROUNDGLASS_DATA=DATA python benchmarks/brain_agreement.py JSON [--reference REF] [--model NAME_OR_FOLDER]

NAME_OR_FOLDER may also be "atlas" (affine registration alone) or "mixture" (Gaussians fitted with it as prior): the
network's two starting points, as baselines.

JSON is written after each image (10 to 40 CPU seconds), and a run that was cut short goes on from it; `--minutes` ends
one by itself. REF holds the masks of `brain_reference_masks.py` (ANTs, in another environment): one reference for all
contrasts of a patient, made from the T1, because the tissue is the same in all. Without it there are no Dice.

Dice of brain, grey and white matter for T1, T2 and FLAIR each; brain and ventricle volumes of one subject across its
contrasts; five synthetic contrasts of two unseen deformations of the atlas (simulated), as sequences have them and of
any kind: spread of volumes and Dice against the truth.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
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
# Sizes of brains (mL) that are taken among the synthetic ones.
LEAST_ML, MOST_ML = 900, 2000


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """2 |A and B| / (|A| + |B|)."""
    return float(2 * (a & b).sum() / max(1, a.sum() + b.sum()))


def measure(found: BrainSegmentation, reference: Path | None, name: str) -> dict[str, float]:
    """Volumes in mL and, with a reference, Dice against ANTs."""
    row = {
        "brain_ml": found.brain_ml,
        "ventricles_ml": sum(found.volumes[n, None] for n in VENTRICLES),
        "lateral_ml": found.volumes["lateral ventricle", None],
        "confidence": found.confidence,
    }
    if reference is None:
        return row
    brain = np.asarray(nib.load(reference / f"{name}_brain.nii.gz").dataobj) > 0.5
    tissue = np.rint(np.asarray(nib.load(reference / f"{name}_tissue.nii.gz").dataobj)).astype(int)
    grey, white = (np.isin(found.labels, [found.names.index(n) for n in group]) for group in (GREY, WHITE))
    return row | {
        "brain_dice": dice(found.brain, brain),
        "grey_dice": dice(grey, tissue == 2),
        "white_dice": dice(white, tissue == 3),
        "ants_brain_ml": float(brain.sum()) * found.voxel_ml,
    }


@dataclass
class Rows:
    """Rows by name in a JSON file that is rewritten after each, until `minutes` are over."""

    path: Path
    minutes: float
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.held: dict[str, Any] = json.loads(self.path.read_text()) if self.path.exists() else {}

    def of(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        """The row that the file holds, else what `make` returns; None when the time is over."""
        if name not in self.held:
            if time.monotonic() - self.started > 60 * self.minutes:
                return None
            began = time.process_time()
            row = make()
            self.held[name] = row | {"cpu_seconds": time.process_time() - began}
            self.path.write_text(json.dumps(self.held, indent=1) + "\n", encoding="utf-8")
            print(name, _short(self.held[name]), file=sys.stderr, flush=True)
        return self.held[name]


def _short(row: dict[str, Any]) -> dict[str, float]:
    return {k: round(v, 3) for k, v in row.items() if isinstance(v, float)}


def real_studies(model: Any, data: Path, reference: Path | None, rows: Rows) -> dict[str, Any]:
    """Largest difference of volumes among each study's single contrasts, as a share of their mean.

    Its contrasts on their own and all of them together are rows.
    """
    spread: dict[str, Any] = {}
    for name, folder in STUDIES.items():
        images = [_load(data / folder / f"{contrast}.nii.gz") for contrast in CONTRASTS]
        groups = dict(zip(CONTRASTS, [(i,) for i in images], strict=True)) | {"together": tuple(images)}

        def row(group: tuple[Image, ...], name: str = name) -> dict[str, Any]:
            return measure(segment_together(model.network, model.config, group).found, reference, name)

        found = [rows.of(f"{name} {key}", partial(row, group)) for key, group in groups.items()]
        single = [r for r in found[: len(CONTRASTS)] if r is not None]
        if len(single) == len(CONTRASTS):
            volumes = {k: [r[k] for r in single] for k in ("brain_ml", "ventricles_ml", "lateral_ml")}
            spread[name] = {k: float(np.ptp(v) / np.mean(v)) for k, v in volumes.items()}
    return spread


def _load(path: Path) -> Image:
    loaded = nib.load(path)
    name = path.name.removesuffix(".nii.gz")
    return Image.of(np.asarray(loaded.dataobj, dtype=np.float32), loaded.affine, name=name, modality="MR")


def anatomies(seed: int, count: int) -> Iterator[tuple[int, Any, np.ndarray]]:
    """Number, map of what is seen and true structures of the first `count` unseen deformations of the atlas whose brain
    has a size that people's have: the generator draws far larger ones, too."""
    from groundglass.synthesis.brain_anatomy import apply_anatomy, draw_anatomy
    from groundglass.synthesis.brain_atlases import brain_atlas

    shape, found = (176, 208, 176), 0
    for subject in itertools.count():
        drawn = draw_anatomy(np.random.default_rng([seed, subject]), shape)
        seen, structures, _right = apply_anatomy(drawn, brain_atlas(), shape)
        truth = structures.numpy()
        if LEAST_ML <= brain_mask(truth).sum() / 1000 <= MOST_ML:
            yield subject, seen, truth
            found += 1
        if found == count:
            return


def synthetic_contrasts(model: Any, rows: Rows, *, seed: int = 20_000, subjects: int = 2) -> dict[str, Any]:
    """Coefficients of variation and mean Dice over five fine contrasts of each unseen anatomy (simulated).

    "sequence": the contrasts that sequences have, on a dark ground. "contrast": any, in which fluid may be as bright as
    white matter, so that the ventricles cannot be seen, and the ground as bright as the brain.
    """
    from groundglass.synthesis.brain import FINE, render
    from groundglass.synthesis.brain_contrast import draw_contrast

    result: dict[str, Any] = {}
    kinds = {"sequence": _sequence, "contrast": draw_contrast}
    for (subject, seen, truth), (kind, draw) in itertools.product(anatomies(seed, subjects), kinds.items()):

        def row(number: int, subject: int = subject, seen: Any = seen, truth: Any = truth, draw: Any = draw) -> Any:
            rng = np.random.default_rng([seed, subject, number])
            pixels = render(seen, rng, contrast=draw(rng), resolution=FINE).numpy()
            image = Image.of(pixels, np.eye(4), name="synthetic", modality="MR")
            found = segment_brain_with(model.network, model.config, image)
            against = {
                n: dice(found.labels == k, truth == k) for k, n in enumerate(found.names) if k and (truth == k).any()
            }
            against["brain"] = dice(found.brain, brain_mask(truth))
            true = {
                "true_brain_ml": float(brain_mask(truth).sum()) / 1000,
                "true_ventricles_ml": _ventricles(found, truth),
            }
            return measure(found, None, "") | {"dice": against} | true

        found = [rows.of(f"anatomy {subject} {kind} {c}", partial(row, c)) for c in range(5)]
        done = [r for r in found if r is not None]
        if len(done) == len(found):
            result[f"anatomy {subject}, {kind}s"] = {
                f"{k}_cv": float(np.std([r[k] for r in done], ddof=1) / np.mean([r[k] for r in done]))
                for k in ("brain_ml", "ventricles_ml", "lateral_ml")
            } | {"dice": {k: float(np.mean([r["dice"].get(k, 0) for r in done])) for k in done[0]["dice"]}}
    return result


def _sequence(rng: np.random.Generator) -> Any:
    """What a sequence makes of a brain in air, which gives no signal."""
    from groundglass.synthesis.brain_contrast import draw_sequence_contrast

    drawn = draw_sequence_contrast(rng)
    drawn.mean[0], drawn.spread[0] = 0, 0
    return drawn


def _ventricles(found: BrainSegmentation, truth: np.ndarray) -> float:
    return float(np.isin(truth, [found.names.index(n) for n in VENTRICLES]).sum()) / 1000


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
    """Print the summary as one JSON object; rows are in the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("json", type=Path)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--model", default="brain-mr")
    parser.add_argument("--minutes", type=float, default=60)
    arguments = parser.parse_args()
    model = model_of(arguments.model)
    rows = Rows(arguments.json, arguments.minutes)
    data = Path(os.environ["GROUNDGLASS_DATA"])
    real = real_studies(model, data, arguments.reference, rows)
    print(json.dumps({"real": real, "synthetic": synthetic_contrasts(model, rows)}, indent=1))


if __name__ == "__main__":
    main()
