"""What a parser is: something that claims the images it understands and turns them into findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from groundglass.core import Image, Mask, Reading, Study


def _silent(_message: str) -> None:
    """The default listener of progress messages."""


@dataclass(frozen=True)
class Request:
    """One question to the parsers.

    `masks` maps an ontology term name ("liver", "liver lesion") to the mask that the user or an engine gave, on
    the grid of the image that it was matched to. `only` restricts the answer to these term names (empty: all).
    `progress` is called with one short phrase before each long step.
    """

    study: Study
    masks: Mapping[str, Mask] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    progress: Callable[[str], None] = _silent

    def masks_on(self, image: Image) -> dict[str, Mask]:
        """The given masks that lie on the grid of `image` (same shape, affines equal within 1e-3)."""
        return {
            name: mask
            for name, mask in self.masks.items()
            if mask.shape == image.shape and abs(mask.affine - image.affine).max() < 1e-3
        }


class Parser(Protocol):
    """One kind of study. `claims` is cheap (headers first, then a look at the pixels) and never raises."""

    name: str

    def claims(self, image: Image) -> bool:
        """True when this parser knows how to read `image`."""

    def read(self, images: Sequence[Image], request: Request) -> Reading:
        """Findings of the claimed images of one study, with masks on each image's own grid."""
