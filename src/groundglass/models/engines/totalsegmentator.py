"""TotalSegmentator's command (Wasserthal et al., Radiology: Artificial Intelligence 2023) as an engine."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from groundglass.core import ConfigurationError, Image, Mask
from groundglass.models.engines.exchange import command_path, read_labels, run_command, write_volume

ENGINE = "TotalSegmentator"


@cache
def class_terms() -> dict[str, str]:
    """Class name -> ontology name with its side before it."""
    file = resources.files("groundglass.models.engines") / "data" / "totalsegmentator.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))["classes"])


def segment(image: Image, progress: Callable[[str], None]) -> dict[str, Mask]:
    """Masks of the classes that the command finds in a CT or MR volume (task total, total_mr for MR).

    Raises ConfigurationError when the command is not installed, fails, or writes nothing that is known.
    """
    command = command_path(ENGINE, install="Install it with `pip install TotalSegmentator` and fetch its weights once.")
    progress(f"running {ENGINE}")
    with tempfile.TemporaryDirectory(prefix="groundglass-") as folder:
        source, target = Path(folder) / "image.nii.gz", Path(folder) / "out"
        write_volume(image, source)
        task = "total_mr" if image.modality == "MR" else "total"
        run_command([command, "-i", str(source), "-o", str(target), "--task", task], ENGINE)
        found: dict[str, np.ndarray] = {}
        for path in sorted(target.glob("*.nii.gz")):
            name = class_terms().get(path.name.removesuffix(".nii.gz"))
            if name is not None:
                inside = read_labels(path, image, ENGINE) > 0
                found[name] = found[name] | inside if name in found else inside
    if not found:
        raise ConfigurationError(ENGINE, "wrote no mask of a known class", "Run it by hand on the image and look.")
    masks = {name: Mask.of(inside, image.affine) for name, inside in found.items()}
    return {name: mask for name, mask in masks.items() if not mask.is_empty}
