"""The masks that came with an image, sorted into structures, segments and lesions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Evidence, Image, Mask, Side, ontology
from groundglass.core.mask_name import MaskName, mask_name
from groundglass.measurement.location import pancreas_parts

RULE = Evidence("rule", "lesion and organ measurement", "1.0")
_SEGMENTED = ("liver segment", "lobe of lung", "lobe of right lung", "of pancreas")
_SUV_UNITS = ("SUV", "GML", "G/ML", "G/ML{SUVBW}")


@dataclass(frozen=True)
class Given:
    """The masks on one image, by what they are. Keys of `structures`: (ontology name, side)."""

    image: Image
    array: NDArray[np.generic] | None
    structures: dict[tuple[str, Side | None], Mask] = field(default_factory=dict)
    lesions: list[tuple[MaskName, Mask]] = field(default_factory=list)
    evidence: tuple[Evidence, ...] = (RULE,)
    phase: str | None = None

    def organ(self, name: str) -> dict[Side | None, Mask]:
        """The masks of one structure by side."""
        return {side: mask for (n, side), mask in self.structures.items() if n == name}

    def segments(self, organ: str) -> dict[str, Mask]:
        """Masks of the parts of an organ; the pancreas is divided by the superior mesenteric artery if need be."""
        tree = ontology()
        parts = {
            f"{side + ' ' if side else ''}{name}": mask
            for (name, side), mask in self.structures.items()
            if is_part(name) and organ in [t.name for t in tree.ancestors(name)]
        }
        artery = self.organ("superior mesenteric artery").get(None)
        whole = self.organ("pancreas").get(None)
        if organ == "pancreas" and not parts and artery is not None and whole is not None:
            return {f"{part} of pancreas": mask for part, mask in pancreas_parts(whole, artery).items()}
        return parts


def sorted_masks(image: Image, masks: Mapping[str, Mask], *, phase: str | None = None) -> tuple[Given, tuple[str, ...]]:
    """(given masks by kind, warnings about empty ones). Raises ConfigurationError on a name that is no term."""
    given = Given(image, image.array[0] if image.channels == 1 else None, phase=phase)
    warnings = []
    for text, mask in masks.items():
        name = mask_name(text)
        if mask.is_empty:
            warnings.append(f"The mask {text} is empty and was not used.")
        elif name.is_lesion:
            given.lesions.append((name, mask))
        else:
            given.structures[name.term.name, name.side] = mask
    return given, tuple(warnings)


def is_part(name: str) -> bool:
    """True for segments, lobes and parts: they place a lesion and are no organ of their own."""
    return any(word in name for word in _SEGMENTED)


def is_suv(image: Image) -> bool:
    """True for a PET in standardised uptake values."""
    return image.modality == "PT" and image.units.upper() in _SUV_UNITS
