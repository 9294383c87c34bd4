"""An nnU-Net v2 results folder (Isensee et al., Nature Methods 2021) through its installed command."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from groundglass.core import ConfigurationError, Image, Mask, TruncatedError
from groundglass.models.engines.exchange import (
    command_path,
    named_masks,
    read_labels,
    run_command,
    term_name,
    write_volume,
)

COMMAND = "nnUNetv2_predict_from_modelfolder"
_CHECKPOINT = "checkpoint_final.pth"


def segment_with_nnunet(folder: Path, image: Image, progress: Callable[[str], None]) -> dict[str, Mask]:
    """Masks of the labels of dataset.json that are terms of the ontology.

    Raises ConfigurationError when nnU-Net is not installed, the folder has no trained fold, expects several
    channels, or none of its labels is a term.
    """
    dataset = _json(folder / "dataset.json")
    folds = sorted(p.parent.name.removeprefix("fold_") for p in folder.glob(f"fold_*/{_CHECKPOINT}"))
    if not folds:
        raise ConfigurationError(folder, f"has no fold_*/{_CHECKPOINT}", "Point to the folder of a finished training.")
    channels = dataset.get("channel_names", dataset.get("modality", {}))
    if len(channels) != 1:
        listed = ", ".join(map(str, channels.values()))
        raise ConfigurationError(folder, f"expects {len(channels)} images ({listed})", "Use a model of one image.")
    names = label_names(dataset, folder)
    command = command_path(COMMAND, install="Install it with `pip install nnunetv2`.")
    progress("running nnU-Net")
    ending = dataset.get("file_ending", ".nii.gz")
    if ending not in (".nii.gz", ".nii"):
        raise ConfigurationError(folder, f"reads {ending} files", "Use a model that was trained on NIfTI.")
    with tempfile.TemporaryDirectory(prefix="groundglass-") as work:
        source, target = Path(work) / "in", Path(work) / "out"
        source.mkdir()
        target.mkdir()
        write_volume(image, source / f"case_0000{ending}")
        run_command(
            [command, "-i", str(source), "-o", str(target), "-m", str(folder), "-f", *folds, "-device", _device()],
            COMMAND,
        )
        return named_masks(read_labels(target / f"case{ending}", image, COMMAND), names, image)


def label_names(dataset: dict[str, Any], folder: Path) -> dict[int, str]:
    """Label value -> ontology name. A region (several labels at once) is not used: its parts are."""
    names: dict[int, str] = {}
    for label, value in dataset.get("labels", {}).items():
        name = term_name(str(label))
        if name is not None and isinstance(value, int) and value > 0:
            names[value] = name
    if not names:
        raise ConfigurationError(
            folder, "has no label that is a term of the ontology", "Rename its labels in dataset.json."
        )
    return names


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise TruncatedError(path, f"is not a JSON object ({error})", "Copy the folder again.") from error
