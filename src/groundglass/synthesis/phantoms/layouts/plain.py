"""One folder per examination: images, label maps of findings and structures, report, truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from groundglass.io import write_nifti
from groundglass.io.atomic import write_json_atomic, write_text_atomic
from groundglass.synthesis.phantoms.layouts import files
from groundglass.synthesis.phantoms.phantom import Phantom


def write(phantom: Phantom, folder: Path) -> dict[str, Any]:
    """Images by their names, `findings.nii.gz` (1 = f1, ...), `structures.nii.gz` with names, `report.txt`,
    `phantom.json`."""
    home = folder / phantom.name
    names = [files.write_image(image, home, image.name.replace(" ", "-")).name for image in phantom.images]
    base = phantom.image
    masked = [(int(f.id[1:]), f.where.mask) for f in phantom.findings if f.where.mask is not None]
    write_nifti(files.label_map(masked, base.shape), base, home / "findings.nii.gz")
    structures = {name: mask for name, mask in phantom.structures.items() if mask.shape == base.shape}
    if structures:
        numbered = list(enumerate(structures.values(), 1))
        write_nifti(files.label_map(numbered, base.shape), base, home / "structures.nii.gz")
        write_json_atomic(home / "structures.json", {str(n): name for n, name in enumerate(structures, 1)})
    text = files.report_text(phantom)
    if text:
        write_text_atomic(home / "report.txt", text)
    write_json_atomic(home / "phantom.json", files.truth(phantom))
    return {
        "name": phantom.name, "patient": phantom.patient, "visit": phantom.visit, "date": phantom.date, "images": names,
        "findings": [f.what.name for f in phantom.findings],
    }  # fmt: skip


def finish(records: list[dict[str, Any]], folder: Path, kind: str) -> None:
    """`phantoms.json`: what is there."""
    write_json_atomic(folder / "phantoms.json", {"kind": kind, "simulated": True, "examinations": records})
