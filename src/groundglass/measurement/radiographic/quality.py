"""Is a mask fit to be measured? A failed check drops the case and says why."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from groundglass.core import InputError
from groundglass.measurement.radiographic.masks import BoolArray, RadiographMasks
from groundglass.measurement.radiographic.thresholds import mask_limits

# A component under this share of its mask is a speck: removed, not counted.
_SPECK = 0.05


class DroppedCaseError(InputError):
    """A case that a recipe does not measure: a mask is missing, broken or out of place."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason, "The case is dropped for this task.")

    @property
    def reason(self) -> str:
        """The mask and what is wrong with it, without the remedy."""
        return f"{self.input_name}: {self.problem}"

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.input_name, self.problem))


def checked(masks: RadiographMasks, name: str) -> BoolArray:
    """The mask (H, W) without specks, if its area and number of parts are plausible. Raises DroppedCaseError."""
    if name in masks._checked:
        return masks._checked[name]
    if not masks.has(name):
        raise DroppedCaseError(name, "no mask")
    mask = masks.masks[name]
    limits = mask_limits(name)
    share = float(mask.mean())
    if not limits.area[0] <= share <= limits.area[1]:
        raise DroppedCaseError(
            name, f"covers {share:.2%} of the picture, expected {limits.area[0]:.2%} to {limits.area[1]:.2%}"
        )
    cleaned, parts = _without_specks(mask)
    if not parts:
        raise DroppedCaseError(name, "is nothing but specks")
    if parts > limits.parts:
        raise DroppedCaseError(name, f"is in {parts} pieces, expected at most {limits.parts}")
    masks._checked[name] = cleaned
    return cleaned


def in_order(masks: RadiographMasks, structure: str) -> None:
    """Raise DroppedCaseError unless the right one of a pair lies at the left of the picture."""
    right, left = checked(masks, f"right {structure}"), checked(masks, f"left {structure}")
    if _centre_column(right) >= _centre_column(left):
        raise DroppedCaseError(structure, "the right one does not lie to the left of the left one in the picture")


def _without_specks(mask: BoolArray) -> tuple[BoolArray, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    labels, _ = ndimage.label(mask[window], structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept = np.flatnonzero(sizes >= _SPECK * sizes.sum())
    cleaned = np.zeros_like(mask, dtype=bool)
    cleaned[window] = np.isin(labels, kept)
    return cleaned, len(kept)


def _centre_column(mask: BoolArray) -> float:
    return float(np.flatnonzero(mask.any(axis=0)).mean())
