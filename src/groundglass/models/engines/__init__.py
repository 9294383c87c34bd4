"""Segmentation engines that a user has installed: TotalSegmentator, MONAI bundles, nnU-Net results folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from groundglass.core import ConfigurationError, Image, Mask


def _silent(_message: str) -> None:
    """The default listener of progress messages."""


def segment_with(engine: str | Path, image: Image, progress: Callable[[str], None] = _silent) -> dict[str, Mask]:
    """Masks of `image` by ontology name ("liver", "left kidney") on the image's own grid.

    `engine` is "totalsegmentator", or a folder: a MONAI bundle (configs/inference.json) or an nnU-Net v2 results
    folder (dataset.json, plans.json, fold_*). Nothing is downloaded. Raises ConfigurationError when the engine is
    not installed or fails, GeometryError when it answers on another grid, UnsafeInputError when a bundle's
    configuration would run code.
    """
    if str(engine).casefold() == "totalsegmentator":
        from groundglass.models.engines.totalsegmentator import segment

        return segment(image, progress)
    folder = Path(engine)
    if (folder / "configs").is_dir():
        from groundglass.models.engines.monai_bundle import segment_with_bundle

        return segment_with_bundle(folder, image, progress)
    if (folder / "plans.json").is_file() and (folder / "dataset.json").is_file():
        from groundglass.models.engines.nnunet import segment_with_nnunet

        return segment_with_nnunet(folder, image, progress)
    raise ConfigurationError(
        engine,
        "is no engine: neither the name totalsegmentator nor a folder of a MONAI bundle or an nnU-Net model",
        "Give totalsegmentator, a folder with configs/inference.json, or one with plans.json and dataset.json.",
    )


__all__ = ["segment_with"]
