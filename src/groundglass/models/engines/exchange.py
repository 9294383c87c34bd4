"""Images out to an engine's command and masks back, as NIfTI on one grid."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError, GeometryError, Image, Mask, ontology
from groundglass.core.mask_name import mask_name

# A port on which nothing listens: an engine that tries to download fails at once instead of sending anything.
_NOWHERE = "http://127.0.0.1:9"
_OFFLINE = {
    **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _NOWHERE),
    "no_proxy": "", "NO_PROXY": "", "HF_HUB_OFFLINE": "1",
}  # fmt: skip


def write_volume(image: Image, path: Path) -> None:
    """One channel of a volume as NIfTI with the image's affine. Raises GeometryError for anything else."""
    if not image.is_volume or image.channels != 1:
        raise GeometryError(
            image.name, "is not a volume of one channel, which engines read", "Pass one CT or MR series."
        )
    array = image.array[0]
    kept = array if array.dtype in (np.int16, np.uint8, np.float32) else array.astype(np.float32)
    nib.save(nib.Nifti1Image(kept, image.affine), path)


def read_labels(path: Path, image: Image, engine: str) -> NDArray[np.int32]:
    """Labels on the image's grid. Raises ConfigurationError when the file is missing, GeometryError on another grid."""
    if not path.is_file():
        raise ConfigurationError(engine, f"wrote no {path.name}", "Run it by hand on the image and read its messages.")
    found = nib.load(path)
    if found.shape != image.shape or not np.allclose(found.affine, image.affine, atol=1e-3):
        raise GeometryError(
            engine, f"answered on the grid {found.shape}, not the image's {image.shape}", "Update the engine."
        )
    return np.rint(np.asarray(found.dataobj)).astype(np.int32)


def named_masks(labels: NDArray[np.int32], names: Mapping[int, str], image: Image) -> dict[str, Mask]:
    """Masks by name; labels that share a name (the ribs of one side) are joined, empty ones left out."""
    wanted: dict[str, list[int]] = {}
    for value, name in names.items():
        wanted.setdefault(name, []).append(value)
    masks = {name: Mask.of(np.isin(labels, values), image.affine) for name, values in wanted.items()}
    return {name: mask for name, mask in masks.items() if not mask.is_empty}


def term_name(label: str) -> str | None:
    """The ontology's name of an engine's label ("kidney_left" -> "left kidney"), None when it has none."""
    try:
        found = mask_name(label)
    except ConfigurationError:
        return None
    return f"{found.side} {found.term.name}" if found.side else ontology()[found.term.name].name


def command_path(name: str, *, install: str) -> str:
    """The path of an installed command. Raises ConfigurationError when it is not on PATH."""
    found = shutil.which(name)
    if found is None:
        raise ConfigurationError(name, "is not installed (no such command on PATH)", install)
    return found


def run_command(arguments: Sequence[str], engine: str) -> None:
    """Run an engine without network. Raises ConfigurationError with its last line when it fails."""
    done = subprocess.run(list(arguments), capture_output=True, text=True, env={**os.environ, **_OFFLINE}, check=False)
    if done.returncode != 0:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        last = lines[-1].strip() if lines else "no message"
        raise ConfigurationError(
            engine,
            f"ended with code {done.returncode}: {last}",
            "Its weights must be there before: it runs without network.",
        )
