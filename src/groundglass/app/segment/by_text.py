"""`groundglass segment --sentence`: the lesion of a PET/CT that a sentence describes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import typer

from groundglass.core import ConfigurationError
from groundglass.io import read_image, write_nifti
from groundglass.io.suv import SUV


def run_by_text(
    pet: Path, out: Path, *, sentence: str, ct: Path | None, suv: bool, model: str | None, as_json: bool
) -> None:
    """The mask goes to `out`, its uptake and slices to the terminal; a mask without a voxel where nothing was found.

    With `suv` the values of a PET that names no unit are taken as SUV. Raises ConfigurationError without the CT or the
    model, and what `segment_by_text` raises.
    """
    if ct is None or model is None:
        raise ConfigurationError(
            "--sentence", "needs the CT and a trained network", "Add --ct FILE and --model FOLDER of train_by_text."
        )
    from transformers.utils import logging

    from groundglass.segmentation import segment_by_text

    logging.disable_progress_bar()  # it would also be written into a pipe
    image = read_image(pet)
    if suv and not image.units:
        image = replace(image, units=SUV)
    found = segment_by_text(image, read_image(ct), {"s1": sentence}, model=model)
    facts: dict[str, object] = {"mask": str(out), "sentence": sentence, "found": bool(found)}
    mask = np.zeros(image.shape, dtype=bool)
    for finding in found:
        assert finding.where.mask is not None  # every finding of a network has one
        mask |= finding.where.mask.array
        facts["slices"] = finding.attribute("axial slices")
        facts |= {str(m.kind): {"value": round(m.value, 4), "unit": m.unit} for m in finding.measurements}
    write_nifti(mask, image, out)
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        said = [f"{name} {held['value']:g} {held['unit']}" for name, held in facts.items() if isinstance(held, dict)]
        typer.echo(f"{out}: " + (", ".join([f"slices {facts['slices']}", *said]) if found else "no such lesion found"))
